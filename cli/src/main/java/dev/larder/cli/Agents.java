package dev.larder.cli;

import dev.larder.linux.Mounts;
import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlClient;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.ControlProtocol.Progress;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.MountStatus;
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
    private static final Duration SLOW = Duration.ofMinutes(1);
    /** Longer than the supervisor gives an agent that it has asked to end. */
    private static final Duration TERMINATE = Duration.ofMinutes(4);
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
        try (ControlClient client = ControlClient.connect(spec.controlSocket())) {
            return client.ask(Command.STATUS, Map.of(), MountStatus.class, ANSWER, progress -> {});
        } catch (IOException | ControlClient.AgentFailure e) {
            return null;
        }
    }

    <T> T ask(MountSpec spec, Command command, Map<String, ?> arguments, Class<T> result) {
        String what = command.word() + " of volume " + spec.volume();
        try (ControlClient client = ControlClient.connect(spec.controlSocket());
                ProgressLine progress = larder.progress()) {
            return client.ask(command, arguments, result, WORK, progress::show);
        } catch (ControlClient.AgentFailure e) {
            throw CommandFailure.failed(what, e, e.hint());
        } catch (IOException e) {
            throw CommandFailure.failed(what, "no agent answers: " + e.getMessage(), "the log " + spec.agentLog());
        }
    }

    /**
     * Flushes, unmounts and waits until every process of the mount is gone. A mount whose processes are dead is detached.
     *
     * @param force a mount that is in use, or whose living agent does not answer, is taken away too; what was not uploaded
     *     by then stays in the cache for the next mount
     */
    Answers.Flush shutdown(MountSpec spec, boolean force) {
        if (!answersWhileAlive(spec)) {
            return takeAway(spec, force);
        }
        Answers.Flush flushed;
        try {
            flushed = ask(spec, Command.SHUTDOWN, Map.of(), Answers.Flush.class);
        } catch (CommandFailure refused) {
            if (!force) {
                throw refused;
            }
            larder.say(refused.getMessage() + ": taken away all the same");
            terminate(spec);
            return new Answers.Flush(0, 0);
        }
        awaitGone(spec, END);
        return flushed;
    }

    /** The end of a mount whose agent does not answer; refused without {@code force} while its processes live. */
    Answers.Flush takeAway(MountSpec spec, boolean force) {
        List<ProcessHandle> living = MountRecords.processes(spec);
        if (!living.isEmpty()) {
            end(spec, living, force);
        }
        return detach(spec);
    }

    /** An agent that is slow is asked again as long as its process, or the one that starts its successor, lives. */
    boolean answersWhileAlive(MountSpec spec) {
        try (ProgressLine progress = larder.progress()) {
            long end = System.nanoTime() + SLOW.toNanos();
            while (status(spec) == null) {
                if (MountRecords.processes(spec).isEmpty() || System.nanoTime() > end) {
                    return false;
                }
                progress.show(new Progress("waiting for the agent, which is alive but does not answer", 0, 0, ""));
                Waiting.pause();
            }
            return true;
        }
    }

    private static void end(MountSpec spec, List<ProcessHandle> living, boolean force) {
        if (!force) {
            throw CommandFailure.failed(
                    name(spec),
                    "its agent is alive (process " + living.getLast().pid() + ") but has not answered for "
                            + SLOW.toSeconds() + " s, so what was written may not be uploaded yet",
                    "again later, or larder umount --force, after which it is in the cache for the next mount; the log is "
                            + spec.agentLog());
        }
        living.forEach(ProcessHandle::destroyForcibly);
        if (!Waiting.until(END, () -> living.stream().noneMatch(ProcessHandle::isAlive))) {
            throw CommandFailure.failed(name(spec), "its processes do not end, although they were killed", null);
        }
    }

    /** The agent uploads, then unmounts from under who uses the mount. */
    private void terminate(MountSpec spec) {
        MountRecords.processes(spec).stream().findFirst().ifPresent(ProcessHandle::destroy);
        awaitGone(spec, TERMINATE);
    }

    private void awaitGone(MountSpec spec, Duration deadline) {
        if (!Waiting.until(
                deadline,
                () -> !MountRecords.isMounted(spec)
                        && MountRecords.processes(spec).isEmpty())) {
            throw CommandFailure.failed(
                    name(spec), "its processes do not end", "the logs in " + spec.recordDirectory());
        }
        records.forget(spec);
    }

    private static String name(MountSpec spec) {
        return spec.mountPoint() == null ? "volume " + spec.volume() : "umount " + spec.mountPoint();
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

    MountRecords records() {
        return records;
    }

    /** Stops an embedded server that no live mount uses any more. */
    void stopUnusedServer(String volume) {
        VolumeRecord record = VolumeRecord.read(larder.state().volume(volume));
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
