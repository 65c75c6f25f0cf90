package dev.larder.operator;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/** The entry point {@code operator}. */
public final class OperatorMain {
    private static final long STOP_MS = 28_000;
    /** The launcher does not start it again: another try would not mend a wrong flag. */
    private static final int USAGE = 3;

    private static final int FAILED = 1;

    private OperatorMain() {}

    public static void main(String[] arguments) {
        System.setProperty("logback.configurationFile", "dev/larder/operator/logback.xml");
        if (List.of(arguments).contains("--help")) {
            System.out.print(Options.help());
            return;
        }
        try {
            run(Options.parse(List.of(arguments), System.getenv()));
        } catch (IllegalArgumentException e) {
            System.err.println("operator: " + e.getMessage());
            System.exit(USAGE);
        } catch (IOException | RuntimeException e) {
            System.err.println("operator: cannot start: " + e.getMessage());
            System.exit(FAILED);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void run(Options options) throws IOException, InterruptedException {
        CountDownLatch ended = new CountDownLatch(1);
        AtomicBoolean lost = new AtomicBoolean();
        Path scratch = Files.createTempDirectory("larder-operator");
        String instance = System.getenv().getOrDefault("HOSTNAME", "larder-operator");
        Runnable end = () -> {
            lost.set(true);
            ended.countDown();
        };
        stopOnSignal(ended);
        try (KubernetesClient client = new KubernetesClientBuilder().build();
                RunningOperator running =
                        RunningOperator.start(client, options, scratch, instance, Clock.systemUTC(), step -> {}, end)) {
            running.awaitEnd(ended);
        }
        if (lost.get()) {
            System.exit(FAILED);
        }
    }

    /** SIGTERM: what is under way is finished, within the time that Kubernetes gives. */
    private static void stopOnSignal(CountDownLatch ended) {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            ended.countDown();
            try {
                main.join(STOP_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
    }
}
