package dev.larder.agent;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxException;
import dev.larder.linux.Mounts;
import dev.larder.linux.fuse.FuseInit;
import dev.larder.linux.fuse.FuseMount;
import dev.larder.linux.fuse.Negotiated;
import dev.larder.protocol.MountDirectory;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.custody.Keeper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mounts, answers INIT, keeps the FUSE descriptor, and has an agent serve it: every start of an agent is a take-over. It
 * never serves a request and never touches the mount.
 */
final class Supervisor {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
    private static final Duration AGENT_STOP = Duration.ofMinutes(3);
    private static final Duration INIT = Duration.ofSeconds(10);
    private static final int READ_AHEAD_KIBIBYTES = 1024;

    private final MountSpec spec;
    private final MountDirectory directory;
    private final AgentProcess agents;
    private volatile Process agent;
    private volatile boolean stopping;

    Supervisor(MountSpec spec, Path specFile) {
        this.spec = spec;
        this.directory = new MountDirectory(spec.recordDirectory());
        this.agents = new AgentProcess(specFile);
    }

    /** @return the process's exit code */
    int run() throws IOException {
        directory.forget();
        spec.supervisorProcess().write();
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "stop"));
        try {
            return spec.mountPoint() == null ? administer() : mount();
        } finally {
            directory.forget();
        }
    }

    /** One agent, and no successor: what it did not finish is asked for again. */
    private int administer() throws IOException {
        agent = agents.start();
        return waitFor(agent) == 0 || stopping ? 0 : 1;
    }

    private int mount() throws IOException {
        FuseMount.Options options = new FuseMount.Options(spec.readOnly(), true, "larder");
        try (Descriptor fuse = FuseMount.mount(spec.mountPoint(), source(), options)) {
            Negotiated negotiated = FuseInit.negotiate(fuse, INIT);
            FuseMount.setReadAhead(spec.mountPoint(), READ_AHEAD_KIBIBYTES);
            try (Keeper keeper = new Keeper(directory.custody())) {
                keeper.collect(Set.of(), Duration.ZERO);
                keeper.keep(spec.volumeId(), fuse.duplicate(), negotiated.encode());
                LOG.info("mounted volume={} mountPoint={}", spec.volume(), spec.mountPoint());
                return supervise(() -> keeper.wasServed(spec.volumeId()));
            }
        } finally {
            unmount();
        }
    }

    /** As mountinfo shows it. */
    private String source() {
        return "larder:" + spec.volume();
    }

    private int supervise(BooleanSupplier served) throws IOException {
        while (true) {
            agent = agents.start();
            LOG.info("agent started pid={}", agent.pid());
            int exit = waitFor(agent);
            LOG.info("agent ended pid={} exit={}", agent.pid(), exit);
            if (exit == 0 || stopping) {
                return 0;
            }
            if (exit == AgentProcess.EXIT_REFUSED && !served.getAsBoolean()) {
                return 1;
            }
            if (!mounted()) {
                return 0;
            }
            pause(agents.delayAfterDeath());
        }
    }

    private boolean mounted() {
        Mounts.MountPoint at = Mounts.at(spec.mountPoint());
        return at != null && at.source().equals(source());
    }

    /** The agent unmounts when it ends as asked; this is for all other ends, so that nobody hangs on a dead mount. */
    private void unmount() {
        if (mounted()) {
            try {
                Mounts.unmount(spec.mountPoint(), Mounts.MNT_DETACH);
            } catch (LinuxException e) {
                LOG.warn("unmounting {} failed: {}", spec.mountPoint(), e.getMessage());
            }
        }
    }

    /** SIGTERM: the agent gets one too, and the time to upload what is dirty. */
    private void stop() {
        stopping = true;
        Process running = agent;
        if (running == null) {
            return;
        }
        running.destroy();
        try {
            if (!running.waitFor(AGENT_STOP.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.error("agent pid={} did not end within {} s of being asked", running.pid(), AGENT_STOP.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // The main thread may not get to it: the process ends when this returns.
        unmount();
    }

    private static int waitFor(Process process) {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the supervisor's main thread is never interrupted", e);
        }
    }

    private static void pause(Duration delay) {
        try {
            TimeUnit.MILLISECONDS.sleep(delay.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
