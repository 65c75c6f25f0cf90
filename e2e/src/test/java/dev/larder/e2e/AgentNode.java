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
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A node without Kubernetes: this process keeps the descriptors, as csi-node does; agents are processes. */
final class AgentNode implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(1);

    private final Larder larder = Larder.create();
    private final Map<String, Volume> volumes = new LinkedHashMap<>();
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
        assertEquals(Set.of(), keeper.collect(ids(), DEADLINE), "dead mounts");
    }

    /** As a rollout does it: the old one ends when an agent that stays has everything, then the new one starts. */
    void replaceKeeper() {
        assertEquals(true, keeper.awaitRelieved(DEADLINE), "the keeper is relieved");
        keeper.close();
        startKeeper();
    }

    /** A volume that several nodes may mount. */
    record Volume(UUID id, VolumeDatabase database, Path objects) {}

    /** Makes a volume's database. */
    Volume make(String name) throws IOException {
        UUID id = UUID.randomUUID();
        VolumeDatabase database =
                new SchemaMigration(login()).provision(new VolumeRow(id, name, 0, 0, Duration.ZERO, 0, 0, 0755), "e2e");
        return new Volume(
                id, database, Files.createDirectories(home().resolve("objects").resolve(name)));
    }

    private ServerLogin login() {
        return larder.embedded().ensureRunning(DEADLINE);
    }

    /** Into the volume's database, which this node made. */
    Connection superuser(Volume volume) throws SQLException {
        ServerLogin login = login();
        return DriverManager.getConnection(volume.database().url(), login.user(), login.password());
    }

    private Set<UUID> ids() {
        return volumes.values().stream().map(Volume::id).collect(Collectors.toSet());
    }

    /** A new volume that nodes share. */
    void mount(String name) throws IOException {
        mount(name, make(name), false);
    }

    /** Writes the volume's record, mounts it, answers INIT. */
    void mount(String name, Volume volume, boolean exclusive) throws IOException {
        Path record = run().resolve("volumes").resolve(volume.id().toString());
        Files.createDirectories(
                record, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        VolumeDatabase database = volume.database();
        Path password = Files.writeString(record.resolve("password"), database.password());
        MountSpec spec = new MountSpec(
                MountSpec.VERSION,
                name,
                volume.id(),
                mountPoint(name),
                record,
                new MountSpec.Database(database.url(), database.user(), password),
                new MountSpec.Store(new MountSpec.Directory(volume.objects()), null, null),
                null,
                "none",
                "closeToOpen",
                "onFsync",
                false,
                exclusive,
                60);
        ControlProtocol.json().writeValue(spec.file().toFile(), spec);
        Files.createDirectories(mountPoint(name));
        Descriptor fuse = FuseMount.mount(mountPoint(name), "larder:" + volume.id(), FuseMount.Options.DEFAULT);
        keeper.keep(volume.id(), fuse, FuseInit.negotiate(fuse, DEADLINE).encode());
        volumes.put(name, volume);
    }

    void unmount(String name) {
        FuseMount.unmount(mountPoint(name), false);
        assertNull(keeper.drop(volumes.remove(name).id(), DEADLINE));
    }

    void awaitServed() {
        volumes.forEach((name, volume) -> {
            Keeper.Answer answer = awaitAnswer(name);
            assertEquals(Outcome.SERVED, answer.outcome(), () -> name + ": " + answer.text() + "\n" + logs());
        });
    }

    Keeper.Answer awaitAnswer(String name) {
        return keeper.awaitServed(volumes.get(name).id(), DEADLINE);
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
        private static final int SIGSTOP = 19;
        private static final int SIGCONT = 18;

        void terminate() {
            process.destroy();
        }

        /** As a node does that the network has lost, from the others' view. */
        void pause() {
            Processes.kill((int) process.pid(), SIGSTOP);
        }

        void resume() {
            Processes.kill((int) process.pid(), SIGCONT);
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
