package dev.larder.agent;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.agent.control.ControlServer;
import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.ControlProtocol.Progress;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.MountStatus;
import dev.larder.volume.engine.VolumeAdmin;
import dev.larder.volume.metadata.Metadata.Heartbeat;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Administers a volume that is not mounted: no kernel, no cache. Ends when it is asked to, and by itself when nobody has
 * been connected for long: the command that started it may have been killed.
 */
final class AdminAgent implements ServedVolume {
    private static final Logger LOG = LoggerFactory.getLogger(AdminAgent.class);
    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration IDLE = Duration.ofMinutes(1);

    private final MountSpec spec;
    private final Instant since = Instant.now();
    private final VolumeAdmin volume;
    private final AdminRequests requests;
    private final ControlServer control;
    private final CountDownLatch end = new CountDownLatch(1);

    static AdminAgent start(MountSpec spec) throws IOException {
        return new AdminAgent(spec, VolumeAdmin.open(VolumeSettings.of(spec, AgentResources.ofOneVolume(), null)));
    }

    private AdminAgent(MountSpec spec, VolumeAdmin volume) throws IOException {
        this.spec = spec;
        this.volume = volume;
        this.requests = new AdminRequests(spec, volume);
        try {
            this.control = ControlServer.start(spec.controlSocket(), this::handle);
        } catch (IOException e) {
            volume.close();
            throw e;
        }
        LOG.info("administering volume={}", spec.volume());
    }

    private Object handle(Command command, JsonNode arguments, Consumer<Progress> progress) {
        return switch (command) {
            case STATUS -> status();
            case SHUTDOWN -> {
                end.countDown();
                yield new Answers.Flush(0, 0);
            }
            default -> requests.handle(command, arguments, progress);
        };
    }

    private MountStatus status() {
        Heartbeat usage = volume.usage();
        return new MountStatus(
                spec.volume(),
                spec.volumeId(),
                null,
                end.getCount() == 0 ? "stopping" : "serving",
                null,
                ProcessHandle.current().pid(),
                ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L),
                since,
                spec.readOnly(),
                spec.cache().directory(),
                0,
                0,
                AdminRequests.metadata(spec),
                AdminRequests.objectStore(spec),
                usage.usedBytes(),
                usage.usedInodes(),
                usage.quotaBytes(),
                usage.quotaInodes(),
                volume.sessions(),
                0,
                0,
                false,
                spec.agentLog());
    }

    @Override
    public boolean awaitEnd() {
        long lastConnected = System.nanoTime();
        try {
            while (!end.await(TICK.toMillis(), TimeUnit.MILLISECONDS)) {
                if (control.isConnected()) {
                    lastConnected = System.nanoTime();
                } else if (System.nanoTime() - lastConnected > IDLE.toNanos()) {
                    LOG.info("nobody asks any more");
                    return true;
                }
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void terminate() {
        end.countDown();
    }

    @Override
    public void close() throws IOException {
        try {
            control.close();
        } finally {
            volume.close();
        }
    }
}
