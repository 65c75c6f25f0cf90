package dev.larder.csi;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries out one gRPC call: its answer, or the status of its error, logged once. */
public final class Calls {
    private static final Logger LOG = LoggerFactory.getLogger(Calls.class);

    /** What is left for the answer itself. */
    private static final Duration RESERVE = Duration.ofSeconds(1);

    private final CsiErrors errors;

    public Calls(CsiErrors errors) {
        this.errors = errors;
    }

    public <T> void answer(String call, StreamObserver<T> observer, Supplier<T> work) {
        T answer;
        try {
            answer = work.get();
        } catch (RuntimeException e) {
            Status status = errors.status(e);
            if (CsiErrors.isBug(e)) {
                LOG.error("{} failed code={}", call, status.getCode(), e);
            } else {
                LOG.warn("{} failed code={} cause={}", call, status.getCode(), status.getDescription());
            }
            observer.onError(status.asRuntimeException());
            return;
        }
        observer.onNext(answer);
        observer.onCompleted();
    }

    /** What the caller of this call will still wait, at most {@code most}. */
    public static Duration patience(Duration most) {
        Deadline deadline = Context.current().getDeadline();
        if (deadline == null) {
            return most;
        }
        Duration left =
                Duration.ofNanos(deadline.timeRemaining(TimeUnit.NANOSECONDS)).minus(RESERVE);
        if (left.isNegative()) {
            return Duration.ZERO;
        }
        return left.compareTo(most) < 0 ? left : most;
    }
}
