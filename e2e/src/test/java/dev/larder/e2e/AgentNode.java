package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.larder.linux.Descriptor;
import dev.larder.linux.Mounts;
import dev.larder.linux.Processes;
import dev.larder.linux.fuse.FuseInit;
import dev.larder.linux.fuse.FuseMount;
import dev.larder.protocol.ControlProtocol;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.custody.Keeper;
import dev.larder.protocol.custody.Keeper.Outcome;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.ServerLogin;
import dev.larder.schema.VolumeDatabase;
import dev.larder.schema.VolumeRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A node without Kubernetes: this process keeps the descriptors, as csi-node does; agents are processes. */
final class AgentNode implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(1);

    private final Larder larder = Larder.create();
    private final Map<String, UUID> volumes = new LinkedHashMap<>();
    private final List<Agent> agents = new ArrayList<>();
    private Keeper keeper;

    private AgentNode() throws IOException {
        Files.createDirectories(run().resolve("volumes"));
        startKeeper();
    }

    static AgentNode create() throws IOException {
        return new AgentNode();
    }

    Path home() {
        return larder.home();
    }

    private Path run() {
        return home().resolve("run");
    }

    Path mountPoint(String name) {
        return home().resolve("mounts").resolve(name);
    }

    private void startKeeper() {
        keeper = new Keeper(run().resolve("custody.sock"));
        assertEquals(Set.of(), keeper.collect(Set.copyOf(volumes.values()), DEADLINE), "dead mounts");
    }

    /** As a rollout does it: the old one ends when an agent that stays has everything, then the new one starts. */
    void replaceKeeper() {
        assertEquals(true, keeper.awaitRelieved(DEADLINE), "the keeper is relieved");
        keeper.close();
        startKeeper();
    }

    /** Makes a volume's database and record, mounts it, answers INIT. */
    void mount(String name) throws IOException {
        UUID volume = UUID.randomUUID();
        Path record = run().resolve("volumes").resolve(volume.toString());
        Files.createDirectories(
                record, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        ServerLogin login = larder.embedded().ensureRunning(DEADLINE);
        VolumeDatabase database = new SchemaMigration(login)
                .provision(new VolumeRow(volume, name, 0, 0, Duration.ZERO, 0, 0, 0755), "e2e");
        Path password = Files.writeString(record.resolve("password"), database.password());
        Path objects = Files.createDirectories(home().resolve("objects").resolve(name));
        MountSpec spec = new MountSpec(
                MountSpec.VERSION,
                name,
                volume,
                mountPoint(name),
                record,
                new MountSpec.Database(database.url(), database.user(), password),
                new MountSpec.Store(new MountSpec.Directory(objects), null, null),
                null,
                "none",
                "closeToOpen",
                "onFsync",
                false,
                60);
        ControlProtocol.json().writeValue(spec.file().toFile(), spec);
        Files.createDirectories(mountPoint(name));
        Descriptor fuse = FuseMount.mount(mountPoint(name), "larder:" + volume, FuseMount.Options.DEFAULT);
        keeper.keep(volume, fuse, FuseInit.negotiate(fuse, DEADLINE).encode());
        volumes.put(name, volume);
    }

    void unmount(String name) {
        FuseMount.unmount(mountPoint(name), false);
        assertNull(keeper.drop(volumes.remove(name), DEADLINE));
    }

    void awaitServed() {
        volumes.forEach((name, volume) -> {
            Keeper.Answer answer = keeper.awaitServed(volume, DEADLINE);
            assertEquals(Outcome.SERVED, answer.outcome(), () -> name + ": " + answer.text() + "\n" + logs());
        });
    }

    /** Waits until so many agents are connected and hold everything. */
    void awaitAgents(int count) throws InterruptedException {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (keeper.health().staying() < count) {
            if (System.nanoTime() > end) {
                throw new AssertionError(keeper.health() + "\n" + logs());
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    Agent startAgent(String name) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.larder.agent.NodeAgentMain",
                        "--node-name=" + name,
                        "--run-dir=" + run(),
                        "--cache-dir=" + home().resolve("cache"),
                        "--cache-capacity=1Gi",
                        "--health-port=0")
                .redirectErrorStream(true)
                .redirectOutput(home().resolve("agent-" + name + ".log").toFile())
                .start();
        Agent agent = new Agent(process);
        agents.add(agent);
        return agent;
    }

    record Agent(Process process) {
        void terminate() {
            process.destroy();
        }

        void kill() throws InterruptedException {
            Processes.kill((int) process.pid(), Processes.SIGKILL);
            process.waitFor();
        }

        int awaitExit(Duration deadline) throws InterruptedException {
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("agent pid " + process.pid() + " does not end");
            }
            return process.exitValue();
        }
    }

    /** The agents' logs, for a test that fails. */
    String logs() {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(home())) {
            for (Path log : files.filter(file -> file.toString().endsWith(".log"))
                    .sorted()
                    .toList()) {
                all.append("--- ").append(log.getFileName()).append('\n').append(Files.readString(log));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all.toString();
    }

    /** Mounts that are left are detached first: nothing may wait for an agent that is killed then. */
    @Override
    public void close() throws IOException {
        for (String name : volumes.keySet()) {
            Mounts.unmount(mountPoint(name), Mounts.MNT_DETACH | Mounts.MNT_FORCE);
        }
        for (Agent agent : agents) {
            agent.process()
                    .destroyForcibly()
                    .onExit()
                    .orTimeout(DEADLINE.toSeconds(), TimeUnit.SECONDS)
                    .join();
        }
        keeper.close();
        larder.close();
    }
}
