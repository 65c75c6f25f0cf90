package dev.larder.schema;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PostgreSQL server that needs no installation, in one directory: programs, {@code data}, {@code run} (its socket),
 * {@code log}, {@code password} (0600), {@code port}. It listens on 127.0.0.1 only and outlives the process that
 * started it. Several processes may call at once: a lock file lets one at a time act. As root it runs as nobody.
 */
public final class EmbeddedPostgres {
    /** The server's superuser. */
    public static final String USER = "larder";

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);
    private static final String HOST = "127.0.0.1";
    private static final Duration PROGRAM_DEADLINE = Duration.ofMinutes(2);
    private static final long POLL_MS = 20;

    private final Path directory;
    private final int wantedPort;

    /** On a free port, chosen at the first start and kept. */
    public EmbeddedPostgres(Path directory) {
        this(directory, 0);
    }

    public EmbeddedPostgres(Path directory, int port) {
        this.directory = directory.toAbsolutePath().normalize();
        this.wantedPort = port;
    }

    /**
     * Installs and starts the server unless that is done already.
     *
     * @return the superuser's login
     * @throws PostgresException when it does not answer within the time; the message names the log
     */
    public ServerLogin ensureRunning(Duration within) {
        return locked(within, () -> {
            ServerAccount account = ServerAccount.current();
            account.requireWay(directory);
            if (!isRunning()) {
                start(account, within);
            }
            return new ServerLogin(
                    HOST, readPort(), USER, Files.readString(password()).strip());
        });
    }

    public boolean isRunning() {
        return postmaster().isPresent() && Postmaster.isReady(data());
    }

    /** Disconnects its clients and shuts it down cleanly. Nothing happens when it does not run. */
    public void stop(Duration within) {
        locked(within, () -> {
            if (postmaster().isPresent()) {
                ServerAccount account = ServerAccount.current();
                pgCtl(account, List.of("stop", "-D", data().toString(), "-m", "fast", "-w", "-t", seconds(within)));
            }
            return null;
        });
    }

    /** Kills it as a loss of power would: what was not flushed is lost. For tests. */
    public void crash() {
        Optional<ProcessHandle> postmaster = postmaster();
        if (postmaster.isEmpty()) {
            return;
        }
        List<ProcessHandle> victims = new ArrayList<>();
        victims.add(postmaster.get());
        postmaster.get().descendants().forEach(victims::add);
        victims.forEach(ProcessHandle::destroyForcibly);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (victims.stream().anyMatch(ProcessHandle::isAlive)) {
            pauseUntil(end, "PostgreSQL in " + directory + " survives being killed");
        }
    }

    private Path data() {
        return directory.resolve("data");
    }

    private Path log() {
        return directory.resolve("log");
    }

    private Path password() {
        return directory.resolve("password");
    }

    private int readPort() throws IOException {
        return Integer.parseInt(Files.readString(directory.resolve("port")).strip());
    }

    // ---- starting

    private void start(ServerAccount account, Duration within) throws IOException {
        long end = System.nanoTime() + within.toNanos();
        Path programs = ServerPrograms.unpack(directory);
        account.ownDirectory(log());
        account.ownDirectory(directory.resolve("run"));
        if (!Files.exists(data().resolve("PG_VERSION"))) {
            initialize(account, programs);
        }
        int port = ServerSettings.choosePort(directory.resolve("port"), wantedPort);
        ServerSettings.write(data(), directory.resolve("run"), log(), port, account);
        removeStalePid();
        // After a crash the old server's last processes may hold its shared memory for a moment: again until the end.
        for (String refused = launch(account, programs, end);
                refused != null;
                refused = launch(account, programs, end)) {
            pauseUntil(end, "PostgreSQL in " + directory + " does not start: " + refused + "; see " + log());
        }
        LOG.info("embedded PostgreSQL started directory={} port={}", directory, port);
    }

    private void initialize(ServerAccount account, Path programs) throws IOException {
        LOG.info("embedded PostgreSQL is made directory={}", directory);
        ServerPrograms.delete(data());
        byte[] random = new byte[24];
        new SecureRandom().nextBytes(random);
        String password = HexFormat.of().formatHex(random);
        Path handed = directory.resolve("run").resolve("initial-password");
        Files.deleteIfExists(handed);
        Path fresh = directory.resolve("data.partial");
        ServerPrograms.delete(fresh);
        try {
            writePrivate(handed, password);
            account.give(handed);
            account.ownDirectory(fresh);
            run(
                    account,
                    programs,
                    "initdb",
                    List.of(
                            "-D",
                            fresh.toString(),
                            "-U",
                            USER,
                            "-E",
                            "UTF8",
                            "--locale=C",
                            "-k",
                            "-A",
                            "scram-sha-256",
                            "--pwfile=" + handed,
                            "--no-instructions"));
            Files.writeString(
                    fresh.resolve("postgresql.conf"),
                    "\ninclude '" + ServerSettings.FILE + "'\n",
                    StandardOpenOption.APPEND);
            writePrivate(password(), password);
            Files.move(fresh, data(), StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(handed);
        }
    }

    private static void writePrivate(Path file, String text) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".partial");
        Files.deleteIfExists(temporary);
        Files.createFile(temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(temporary, text + "\n");
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** @return why it did not start, or null */
    private String launch(ServerAccount account, Path programs, long end) throws IOException {
        long left = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(end - System.nanoTime()));
        Path output = log().resolve("start.log");
        try {
            run(
                    account,
                    programs,
                    "pg_ctl",
                    List.of(
                            "start",
                            "-D",
                            data().toString(),
                            "-l",
                            output.toString(),
                            "-w",
                            "-t",
                            Long.toString(left)));
            return null;
        } catch (PostgresException e) {
            return e.getMessage();
        }
    }

    /** A crash leaves the pid file; after a reboot its number may belong to another program, which misleads PostgreSQL. */
    private void removeStalePid() throws IOException {
        if (postmaster().isEmpty()) {
            Files.deleteIfExists(data().resolve("postmaster.pid"));
        }
    }

    // ---- the running server

    private Optional<ProcessHandle> postmaster() {
        return Postmaster.of(data());
    }

    private void pgCtl(ServerAccount account, List<String> arguments) throws IOException {
        run(account, ServerPrograms.unpack(directory), "pg_ctl", arguments);
    }

    private void run(ServerAccount account, Path programs, String program, List<String> arguments) throws IOException {
        Path output = Files.createTempFile(directory, program, ".out");
        try {
            Process process = new ProcessBuilder(
                            account.command(programs.resolve("bin").resolve(program), arguments))
                    .directory(Path.of("/").toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(PROGRAM_DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new PostgresException(program + " did not finish within " + PROGRAM_DEADLINE);
            }
            if (process.exitValue() != 0) {
                throw new PostgresException(program + " failed: " + lastLines(output));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PostgresException("interrupted while " + program + " ran", e);
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private static String lastLines(Path output) throws IOException {
        try (Stream<String> lines = Files.lines(output, StandardCharsets.ISO_8859_1)) {
            List<String> all = lines.filter(line -> !line.isBlank()).toList();
            return String.join(" / ", all.subList(Math.max(0, all.size() - 3), all.size()));
        }
    }

    // ---- one at a time

    private interface Step<T> {
        T run() throws IOException;
    }

    private <T> T locked(Duration within, Step<T> step) {
        try {
            // Others may do the same at this moment; each of these calls is harmless when it is done already.
            if (!Files.isDirectory(directory)) {
                Files.createDirectories(directory);
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
            synchronized (EmbeddedPostgres.class) {
                try (FileChannel channel = FileChannel.open(
                                directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                        FileLock held = lock(channel, within)) {
                    assert held.isValid();
                    return step.run();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the embedded PostgreSQL in " + directory + ": " + e.getMessage(), e);
        }
    }

    private FileLock lock(FileChannel channel, Duration within) throws IOException {
        long end = System.nanoTime() + within.toNanos();
        FileLock lock = channel.tryLock();
        while (lock == null) {
            pauseUntil(
                    end, "another process has been starting or stopping PostgreSQL in " + directory + " for " + within);
            lock = channel.tryLock();
        }
        return lock;
    }

    private static void pauseUntil(long end, String otherwise) {
        if (System.nanoTime() - end > 0) {
            throw new PostgresException(otherwise);
        }
        try {
            Thread.sleep(POLL_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PostgresException("interrupted while waiting for PostgreSQL", e);
        }
    }

    private static String seconds(Duration duration) {
        return Long.toString(Math.max(1, duration.toSeconds()));
    }
}
