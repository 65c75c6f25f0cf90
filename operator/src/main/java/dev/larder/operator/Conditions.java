package dev.larder.operator;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Conditions of a status being written: one of each type, and the time of the last transition is kept. */
final class Conditions {
    private final List<Condition> before;
    private final List<Condition> now = new ArrayList<>();
    private final long generation;
    private final Clock clock;

    /** @param before those of the status as it is; what is not set again is dropped */
    Conditions(List<Condition> before, long generation, Clock clock) {
        this.before = before;
        this.generation = generation;
        this.clock = clock;
    }

    Conditions set(String type, boolean status, String reason, String message) {
        return set(type, status ? "True" : "False", reason, message);
    }

    /** As it was. */
    Conditions keep(Condition condition) {
        now.removeIf(other -> other.getType().equals(condition.getType()));
        now.add(condition);
        return this;
    }

    private Conditions set(String type, String status, String reason, String message) {
        String since = find(before, type)
                .filter(condition -> condition.getStatus().equals(status))
                .map(Condition::getLastTransitionTime)
                .orElseGet(() -> clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
        now.removeIf(condition -> condition.getType().equals(type));
        now.add(new ConditionBuilder()
                .withType(type)
                .withStatus(status)
                .withReason(reason)
                .withMessage(message)
                .withObservedGeneration(generation)
                .withLastTransitionTime(since)
                .build());
        return this;
    }

    List<Condition> list() {
        return List.copyOf(now);
    }

    static Optional<Condition> find(List<Condition> conditions, String type) {
        return conditions.stream()
                .filter(condition -> condition.getType().equals(type))
                .findFirst();
    }

    static boolean isTrue(List<Condition> conditions, String type) {
        return find(conditions, type)
                .filter(condition -> condition.getStatus().equals("True"))
                .isPresent();
    }
}
