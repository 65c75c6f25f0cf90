package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.ServerLogin;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One user of the {@code larder} command, with a state directory, manifests and mount points of its own. */
final class Larder implements AutoCloseable {
    /** The repository's root: e2e's parent, where the launcher stands. */
    static final Path ROOT = Path.of("").toAbsolutePath().getParent();

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path home;
    private final List<Path> mounts = new ArrayList<>();
    private final Set<Path> attempted = new TreeSet<>();

    private Larder(Path home) {
        this.home = home;
    }

    /** A short path, as AF_UNIX names are at most 108 bytes; open for the database's own user to pass through. */
    static Larder create() throws IOException {
        Path home = Files.createTempDirectory("ldr");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Larder(home);
    }

    Path home() {
        return home;
    }

    Path state() {
        return home.resolve("state");
    }

    Command.Result run(String... arguments) {
        return run(Duration.ofMinutes(4), arguments);
    }

    Command.Result run(Duration deadline, String... arguments) {
        String[] command = new String[arguments.length + 1];
        command[0] = ROOT.resolve("larder").toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        return Command.run(home, Map.of("LARDER_STATE_DIR", state().toString()), deadline, command);
    }

    /** Writes a manifest beside the state directory. */
    Path manifest(String name, String yaml) throws IOException {
        Path file = home.resolve(name + ".yaml");
        Files.writeString(file, yaml);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    /** A volume of the embedded database and a directory store. */
    Path manifest(String name) throws IOException {
        return manifest(name, """
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata:
                  name: %s
                spec: {}
                """.formatted(name));
    }

    /**
     * The volume "team" that several machines mount: a PostgreSQL server of its own and a directory that all see.
     *
     * @param port that leads to the server
     * @param more lines of the volume's spec
     */
    static String sharedYaml(int port, ServerLogin login, Path objects, String... more) {
        return sharedYaml("postgresql://127.0.0.1:" + port + "/postgres", login, objects, more);
    }

    static String sharedYaml(String url, ServerLogin login, Path objects, String... more) {
        String spec = Stream.of(more).map(line -> "  " + line + "\n").collect(Collectors.joining());
        return """
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata:
                  name: team
                spec:
                  metadataStore: server
                  objectStore: directory
                  trash: "0"
                %s---
                apiVersion: larder.dev/v1alpha1
                kind: MetadataStore
                metadata:
                  name: server
                spec:
                  postgres:
                    url: %s
                    secretRef:
                      name: admin
                ---
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata:
                  name: directory
                spec:
                  directory:
                    path: %s
                    shared: true
                ---
                apiVersion: v1
                kind: Secret
                metadata:
                  name: admin
                stringData:
                  username: %s
                  password: %s
                """.formatted(spec, url, objects, login.user(), login.password());
    }

    /** Mounts on a new directory. */
    Path mount(Path manifest, String directory, String... options) throws IOException {
        Path mountPoint = home.resolve(directory);
        Files.createDirectories(mountPoint);
        List<String> arguments = new ArrayList<>(List.of("mount", manifest.toString(), mountPoint.toString()));
        arguments.addAll(Arrays.asList(options));
        attempted.add(mountPoint);
        run(arguments.toArray(String[]::new)).ok();
        mounts.add(mountPoint);
        return mountPoint;
    }

    void umount(Path mountPoint) {
        run("umount", mountPoint.toString()).ok();
        mounts.remove(mountPoint);
    }

    /** The entry of a mount point in {@code status -o json}. */
    JsonNode status(Path mountPoint) throws IOException {
        JsonNode all = JSON.readTree(run("status", "-o", "json").ok().out());
        for (JsonNode one : all) {
            if (one.path("mountPoint").asText().equals(mountPoint.toString())) {
                return one;
            }
        }
        throw new AssertionError(mountPoint + " is not in " + all);
    }

    /** What this state directory keeps of a volume: record, password, objects. */
    Path volume(String name) {
        return state().resolve("volumes").resolve(name);
    }

    /** The database server that this state directory's volumes use by default. */
    EmbeddedPostgres embedded() {
        return new EmbeddedPostgres(state().resolve("postgres"));
    }

    /** Kills the agent as the kernel's out-of-memory killer would, and waits for its successor. */
    void killAgent(Path mountPoint) throws Exception {
        long victim = status(mountPoint).path("agentPid").asLong();
        kill(victim);
        SurvivalTest.await(() -> successor(mountPoint, victim), "a successor of agent " + victim + " serves");
    }

    private boolean successor(Path mountPoint, long victim) throws IOException {
        Command.Result status = run("status", "-o", "json");
        if (status.exit() != 0) {
            return false;
        }
        for (JsonNode one : JSON.readTree(status.out())) {
            long agent = one.path("agentPid").asLong();
            if (one.path("mountPoint").asText().equals(mountPoint.toString())) {
                return agent > 0 && agent != victim;
            }
        }
        return false;
    }

    /** Kills supervisor and agent: nobody serves the mount any more. */
    void killForGood(Path mountPoint) throws Exception {
        JsonNode status = status(mountPoint);
        kill(status.path("supervisorPid").asLong());
        kill(status.path("agentPid").asLong());
        mounts.remove(mountPoint);
    }

    /** Kills the agent and the embedded database in one moment, with the supervisor or without it. */
    void killWithDatabase(Path mountPoint, boolean supervisor) throws Exception {
        JsonNode status = status(mountPoint);
        List<Long> victims = new ArrayList<>();
        if (supervisor) {
            victims.add(status.path("supervisorPid").asLong());
        }
        victims.add(status.path("agentPid").asLong());
        victims.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
        embedded().crash();
    }

    private static void kill(long pid) throws Exception {
        ProcessHandle process = ProcessHandle.of(pid).orElseThrow(() -> new AssertionError("no process " + pid));
        process.destroyForcibly();
        process.onExit().get(30, TimeUnit.SECONDS);
    }

    /** Asks the agent of a mount what no command of {@code larder} asks. */
    JsonNode control(Path mountPoint, String command) throws IOException {
        Path socket = record(mountPoint).resolve("control.sock");
        try (SocketChannel agent = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            agent.write(StandardCharsets.UTF_8.encode("{\"command\":\"" + command + "\"}\n"));
            BufferedReader answers =
                    new BufferedReader(new InputStreamReader(Channels.newInputStream(agent), StandardCharsets.UTF_8));
            for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                JsonNode answer = JSON.readTree(line);
                if (answer.has("result")) {
                    return answer.path("result");
                }
                assertFalse(answer.has("error"), answer::toString);
            }
            throw new AssertionError("the agent hung up on " + command);
        }
    }

    private Path record(Path mountPoint) throws IOException {
        try (Stream<Path> records = Files.list(state().resolve("mounts"))) {
            for (Path record : records.toList()) {
                Path spec = record.resolve("spec.json");
                if (Files.exists(spec)
                        && mountPoint
                                .toString()
                                .equals(JSON.readTree(spec.toFile())
                                        .path("mountPoint")
                                        .asText())) {
                    return record;
                }
            }
        }
        throw new AssertionError("no record of " + mountPoint);
    }

    JsonNode json(Command.Result result) throws IOException {
        return JSON.readTree(result.out());
    }

    /** Drops the cache of a volume that is not mounted. */
    void dropCache(String volume) throws IOException {
        deleteTree(state().resolve("cache").resolve(volume));
    }

    @Override
    public void close() throws IOException {
        AssertionError failed = null;
        for (Path mount : List.copyOf(mounts)) {
            try {
                umount(mount);
            } catch (AssertionError e) {
                failed = e;
                Command.run(home, "umount", "-l", mount.toString());
            }
        }
        endLeftovers();
        if (failed != null) {
            throw failed;
        }
        deleteTree(home);
    }

    /** After a failure processes may be left; those of this user name its own directory. */
    private void endLeftovers() throws IOException {
        String own = home + "/";
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            Path arguments = Path.of("/proc", Long.toString(process.pid()), "cmdline");
            try {
                if (process.pid() != ProcessHandle.current().pid()
                        && Files.readString(arguments, StandardCharsets.ISO_8859_1)
                                .contains(own)) {
                    process.destroyForcibly();
                    process.onExit().get(30, TimeUnit.SECONDS);
                }
            } catch (NoSuchFileException e) {
                // It has ended meanwhile.
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new IOException("process " + process.pid() + " does not end", e);
            }
        }
        for (Path mount : attempted) {
            if (Files.readString(Path.of("/proc/self/mountinfo")).contains(" " + mount + " ")) {
                Command.run(home, "umount", "-l", mount.toString());
            }
        }
    }

    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException failure) {
                try {
                    Files.delete(directory);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
