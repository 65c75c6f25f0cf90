package dev.larder.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;
import java.util.Map;

/** larder_operator_reconciliations_total and _seconds, by kind and result. */
final class OperatorMetrics implements Metrics {
    private final MeterRegistry registry;

    OperatorMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void finishedReconciliation(HasMetadata resource, Map<String, Object> metadata) {
        count(resource, "done");
    }

    @Override
    public void failedReconciliation(HasMetadata resource, Exception exception, Map<String, Object> metadata) {
        count(resource, "failed");
    }

    private void count(HasMetadata resource, String result) {
        registry.counter(
                        "larder.operator.reconciliations",
                        "kind",
                        resource.getKind().toLowerCase(Locale.ROOT),
                        "result",
                        result)
                .increment();
    }

    @Override
    public <T> T timeControllerExecution(ControllerExecution<T> execution) throws Exception {
        long began = System.nanoTime();
        try {
            return execution.execute();
        } finally {
            registry.timer(
                            "larder.operator.reconciliation",
                            "controller",
                            execution.controllerName(),
                            "action",
                            execution.name())
                    .record(System.nanoTime() - began, java.util.concurrent.TimeUnit.NANOSECONDS);
        }
    }
}
