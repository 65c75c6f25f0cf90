package dev.larder.operator;

import io.fabric8.kubernetes.api.model.Condition;
import java.time.Clock;
import java.util.List;

/** The one condition of a store. */
final class StoreStatus {
    private StoreStatus() {}

    static List<Condition> ready(List<Condition> before, long generation, Clock clock) {
        return new Conditions(before, generation, clock)
                .set(Problem.Condition.Ready.name(), true, "Ready", "volumes can be made in it")
                .list();
    }

    static List<Condition> problem(List<Condition> before, long generation, Clock clock, Problem problem) {
        return new Conditions(before, generation, clock)
                .set(Problem.Condition.Ready.name(), false, problem.why().name(), problem.getMessage())
                .list();
    }

    /** Whether people should be told. */
    static boolean changed(List<Condition> before, List<Condition> now) {
        var old = Conditions.find(before, Problem.Condition.Ready.name());
        var fresh = now.getFirst();
        return old.isEmpty()
                || !old.get().getStatus().equals(fresh.getStatus())
                || !old.get().getReason().equals(fresh.getReason());
    }

    static void tell(Events events, io.fabric8.kubernetes.api.model.HasMetadata store, Condition condition) {
        if (condition.getStatus().equals("True")) {
            events.normal(store, condition.getReason(), condition.getMessage());
        } else {
            events.warning(store, condition.getReason(), condition.getMessage());
        }
    }
}
