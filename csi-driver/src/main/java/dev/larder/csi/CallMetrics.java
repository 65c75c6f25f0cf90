package dev.larder.csi;

import io.grpc.ForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/** Counts and times calls: {@code larder_csi_calls_seconds}, by method and code. */
public final class CallMetrics implements ServerInterceptor {
    private static final Duration[] BUCKETS = {
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(300),
        Duration.ofSeconds(1),
        Duration.ofMillis(1500),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        Duration.ofSeconds(120)
    };

    private final MeterRegistry meters;

    public CallMetrics(MeterRegistry meters) {
        this.meters = meters;
    }

    @Override
    public <A, B> ServerCall.Listener<A> interceptCall(
            ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
        Timer.Sample sample = Timer.start(meters);
        String method = call.getMethodDescriptor().getBareMethodName();
        return next.startCall(
                new ForwardingServerCall.SimpleForwardingServerCall<>(call) {
                    @Override
                    public void close(Status status, Metadata trailers) {
                        sample.stop(timer(method, status.getCode()));
                        super.close(status, trailers);
                    }
                },
                headers);
    }

    private Timer timer(String method, Status.Code code) {
        return Timer.builder("larder.csi.calls")
                .description("calls of kubelet and the sidecars")
                .tag("method", method)
                .tag("code", code.name())
                .serviceLevelObjectives(BUCKETS)
                .register(meters);
    }
}
