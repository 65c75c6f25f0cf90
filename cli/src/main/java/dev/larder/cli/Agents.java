package dev.larder.cli;

import dev.larder.agent.api.Answers;
import dev.larder.agent.api.ControlProtocol.Command;
import dev.larder.agent.api.ControlProtocol.Progress;
import dev.larder.agent.api.MountSpec;
import dev.larder.agent.api.MountStatus;
import dev.larder.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Starts, asks and ends the processes that serve mounts. */
final class Agents {
    private static final String SUPERVISOR = "dev.larder.agent.SupervisorMain";
    private static final Duration START = Duration.ofMinutes(2);
    private static final Duration END = Duration.ofMinutes(1);
    private static final Duration ANSWER = Duration.ofSeconds(5);
    /** While it uploads, an agent reports progress at least this often. */
    static final Duration WORK = Duration.ofMinutes(3);

    private final Larder larder;
    private final MountRecords records;

    Agents(Larder larder) {
        this.larder = larder;
        this.records = new MountRecords(larder.state());
    }

    /** Starts a supervisor for what was provisioned and returns when the mount answers. */
    MountStatus start(MountSpec spec) {
        String what = spec.mountPoint() == null ? "volume " + spec.volume() : "mount " + spec.mountPoint();
        try {
            records.write(spec);
            Files.deleteIfExists(spec.controlSocket());
            Process supervisor = launch(spec);
            try (ProgressLine progress = larder.progress()) {
                MountStatus status = awaitAnswer(spec, supervisor, progress);
                if (status != null) {
                    return status;
                }
            }
            boolean ended = !supervisor.isAlive();
            supervisor.destroy();
            if (!supervisor.waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
                supervisor.destroyForcibly();
            }
            records.forget(spec);
            throw CommandFailure.failed(
                    what,
                    ended ? lastError(spec) : "does not answer after " + START.toSeconds() + " s: " + lastError(spec),
                    "the logs in " + spec.recordDirectory());
        } catch (IOException e) {
            throw CommandFailure.failed(what, StateDirectory.reason(e), "the logs in " + spec.recordDirectory());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed(what, "interrupted", null);
        }
    }

    private MountStatus awaitAnswer(MountSpec spec, Process supervisor, ProgressLine progress) {
        long began = System.nanoTime();
        while (System.nanoTime() - began < START.toNanos() && supervisor.isAlive()) {
            if (spec.mountPoint() == null || MountRecords.isMounted(spec)) {
                MountStatus status = status(spec);
                if (status != null) {
                    return status;
                }
            }
            if (System.nanoTime() - began > TimeUnit.SECONDS.toNanos(1)) {
                progress.show(new Progress("starting the agent", 0, 0, ""));
            }
            Waiting.pause();
        }
        return null;
    }

    private Process launch(MountSpec spec) throws IOException {
        Environment environment = larder.environment();
        List<String> command = new ArrayList<>(List.of(
                "setsid",
                Path.of(environment.javaHome(), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xms8m",
                "-Xmx32m",
                "-Xss512k"));
        if (environment.aotCache() != null) {
            command.add("-D" + Environment.AOT_PROPERTY + "=" + environment.aotCache());
        }
        if (environment.aotRecord() != null) {
            command.add("-D" + Environment.RECORD_PROPERTY + "=" + environment.aotRecord());
        }
        command.addAll(
                List.of("-cp", environment.classPath(), SUPERVISOR, spec.file().toString()));
        ProcessBuilder.Redirect log =
                ProcessBuilder.Redirect.to(spec.supervisorLog().toFile());
        return new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true)
                .redirectOutput(log)
                .start();
    }

    /** The last line of the supervisor's log that is no part of a stack trace. */
    private static String lastError(MountSpec spec) throws IOException {
        if (!Files.exists(spec.supervisorLog())) {
            return "the supervisor could not be started";
        }
        List<String> lines =
                Files.readAllLines(spec.supervisorLog(), java.nio.charset.StandardCharsets.ISO_8859_1).stream()
                        .filter(line -> !line.isBlank() && !line.startsWith("\t") && !line.startsWith("WARNING:"))
                        .toList();
        return lines.isEmpty() ? "the supervisor ended without a word" : lines.getLast();
    }

    /** null when no agent answers. */
    MountStatus status(MountSpec spec) {
        try (AgentClient client = AgentClient.connect(spec.controlSocket())) {
            return client.ask(Command.STATUS, Map.of(), MountStatus.class, ANSWER, progress -> {});
        } catch (IOException | AgentClient.AgentFailure e) {
            return null;
        }
    }

    <T> T ask(MountSpec spec, Command command, Map<String, ?> arguments, Class<T> result) {
        String what = command.word() + " of volume " + spec.volume();
        try (AgentClient client = AgentClient.connect(spec.controlSocket());
                ProgressLine progress = larder.progress()) {
            return client.ask(command, arguments, result, WORK, progress::show);
        } catch (AgentClient.AgentFailure e) {
            throw CommandFailure.failed(what, e, e.hint());
        } catch (IOException e) {
            throw CommandFailure.failed(what, "no agent answers: " + e.getMessage(), "the log " + spec.agentLog());
        }
    }

    /** Flushes, unmounts and waits until every process of the mount is gone. */
    Answers.Flush shutdown(MountSpec spec) {
        MountStatus before = status(spec);
        if (before == null) {
            return detach(spec);
        }
        Answers.Flush flushed = ask(spec, Command.SHUTDOWN, Map.of(), Answers.Flush.class);
        boolean gone = Waiting.until(
                END,
                () -> !MountRecords.isMounted(spec) && !isAlive(before.agentPid()) && !isAlive(before.supervisorPid()));
        if (!gone) {
            throw CommandFailure.failed(
                    "umount " + spec.mountPoint(), "its processes do not end", "the logs in " + spec.recordDirectory());
        }
        records.forget(spec);
        return flushed;
    }

    /** Nobody serves the mount: what was written stays in the cache's journal for the next mount. */
    private Answers.Flush detach(MountSpec spec) {
        if (MountRecords.isMounted(spec)) {
            Mounts.unmount(spec.mountPoint(), Mounts.MNT_DETACH);
            larder.say("no agent answered for " + spec.mountPoint() + ": detached; the next mount goes on from "
                    + spec.cache().directory());
        }
        records.forget(spec);
        return new Answers.Flush(0, 0);
    }

    private static boolean isAlive(long pid) {
        return pid > 0 && ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    MountRecords records() {
        return records;
    }

    /** Stops an embedded server that no live mount uses any more. */
    void stopUnusedServer(MountSpec gone) {
        VolumeRecord record = VolumeRecord.read(larder.state().volume(gone.volume()));
        Path server = record == null ? null : MetadataServer.embeddedOf(record);
        if (server == null) {
            return;
        }
        for (MountSpec live : records.live()) {
            VolumeRecord other = VolumeRecord.read(larder.state().volume(live.volume()));
            if (other != null && record.server().equals(other.server())) {
                return;
            }
        }
        MetadataServer.stop(server);
        larder.say("stopped the embedded PostgreSQL in " + server);
    }
}
