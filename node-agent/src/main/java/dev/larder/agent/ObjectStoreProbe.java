package dev.larder.agent;

import dev.larder.protocol.MountSpec;
import dev.larder.volume.objects.ObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Proves that a volume's object store can be used, before anything is mounted. */
public final class ObjectStoreProbe {
    private ObjectStoreProbe() {}

    /**
     * Writes, reads and deletes a small object.
     *
     * @throws IOException the store refuses, or has not answered by the deadline; the message says why
     */
    public static void run(MountSpec spec, Duration deadline) throws IOException {
        FutureTask<Void> probe = new FutureTask<>(() -> {
            try (ObjectStore store = Stores.objects(spec, AgentResources.ofOneVolume())) {
                store.probe();
            }
            return null;
        });
        Thread.ofPlatform().daemon().name("object-store-probe").start(probe);
        try {
            probe.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException(
                    AdminRequests.objectStore(spec) + " did not answer within " + deadline.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw reason(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static IOException reason(Throwable failure) {
        return switch (failure) {
            case IOException known -> known;
            case UncheckedIOException known -> known.getCause();
            default -> new IOException(failure.getMessage(), failure);
        };
    }
}
