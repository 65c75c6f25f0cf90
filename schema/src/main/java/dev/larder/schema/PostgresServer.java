package dev.larder.schema;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A PostgreSQL server in the foreground, on a directory of its own: {@code data}, and {@code lock}, which keeps a second
 * server away. The database is made in {@code data.partial} and renamed, so that a death on the way leaves nothing half
 * made. The superuser's password is set anew at each start: the file is the truth, also on a volume that an earlier
 * release left behind.
 */
final class PostgresServer implements AutoCloseable {
    private static final Duration PREPARATION = Duration.ofMinutes(10);

    private final PostgresServerOptions options;
    private final ServerAccount account;
    private final Path programs;
    private final FileChannel lockFile;
    private volatile boolean stopping;
    private Process server;

    private PostgresServer(PostgresServerOptions options, ServerAccount account, Path programs, FileChannel lockFile) {
        this.options = options;
        this.account = account;
        this.programs = programs;
        this.lockFile = lockFile;
    }

    /**
     * Makes the database unless it is there, writes its settings, sets the password.
     *
     * @throws PostgresException naming what is in the way
     */
    static PostgresServer prepare(PostgresServerOptions options) throws IOException, InterruptedException {
        ServerAccount account = ServerAccount.current();
        requireWritable(options.data());
        account.requireWay(options.data());
        FileChannel lockFile = lock(options.data());
        try {
            Path programs = ServerPrograms.unpack(options.data());
            PostgresServer server = new PostgresServer(options, account, programs, lockFile);
            server.endOrphan();
            server.initialize();
            server.configure();
            server.setPassword();
            return server;
        } catch (IOException | InterruptedException | RuntimeException e) {
            lockFile.close();
            throw e;
        }
    }

    private static void requireWritable(Path directory) throws IOException {
        Files.createDirectories(directory);
        if (!Files.isWritable(directory)) {
            throw new PostgresException("postgres: this account (uid "
                    + Files.getAttribute(Path.of("/proc/self"), "unix:uid") + ") may not write to " + directory
                    + "; change the volume's owner, or let the chart do it (postgres.storage.prepare)");
        }
    }

    private static FileChannel lock(Path directory) throws IOException {
        FileChannel channel =
                FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.tryLock();
        if (held == null) {
            channel.close();
            throw new PostgresException("postgres: another server uses " + directory + "; end it first");
        }
        return channel;
    }

    private Path data() {
        return options.data().resolve("data");
    }

    /** A server whose parent was killed serves on outside of a container; its lock went with the parent. */
    private void endOrphan() {
        if (Postmaster.of(data()).isPresent()) {
            System.err.println("larder: postgres: ending the server that an earlier process left directory=" + data());
            stop(options.stopTimeout());
            stopping = false;
            if (Postmaster.of(data()).isPresent()) {
                throw new PostgresException(
                        "postgres: another server uses " + data() + " and does not end; end it first");
            }
        }
    }

    private void initialize() throws IOException, InterruptedException {
        if (Files.exists(data().resolve("PG_VERSION"))) {
            return;
        }
        Path fresh = options.data().resolve("data.partial");
        ServerPrograms.delete(fresh);
        account.ownDirectory(fresh);
        // Its password is random and known to nobody: the real one is set before the server listens.
        runToEnd(
                "initdb",
                List.of(
                        "-D",
                        fresh.toString(),
                        "-U",
                        EmbeddedPostgres.USER,
                        "-E",
                        "UTF8",
                        "--locale=C",
                        "-k",
                        "--auth=reject",
                        "--no-instructions"),
                "");
        Files.move(fresh, data(), StandardCopyOption.ATOMIC_MOVE);
        System.err.println("larder: postgres: database made directory=" + data());
    }

    /** Written anew at each start, whole: what stands in the directory is never older than the program. */
    private void configure() throws IOException {
        write(data().resolve("postgresql.conf"), ServerSettings.serverText(options));
        write(data().resolve("pg_hba.conf"), (options.tls() ? "hostssl" : "host") + " all all all scram-sha-256\n");
        write(data().resolve("postgresql.auto.conf"), "");
        // Its server is dead; in a new container the number may be another process's, which misleads PostgreSQL.
        Files.deleteIfExists(data().resolve("postmaster.pid"));
    }

    private void write(Path file, String text) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".partial");
        Files.deleteIfExists(temporary);
        Files.createFile(temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(temporary, text);
        account.give(temporary);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** In single-user mode, over standard input: in no argument list and no log. */
    private void setPassword() throws IOException, InterruptedException {
        String password = Files.readString(options.passwordFile()).strip();
        if (!password.matches("[\\x21-\\x7e]{8,200}")) {
            throw new PostgresException("postgres: the password in " + options.passwordFile()
                    + " must be 8 to 200 printable ASCII characters in one line");
        }
        String statement = "ALTER ROLE " + EmbeddedPostgres.USER + " PASSWORD '" + password.replace("'", "''") + "'\n";
        runToEnd("postgres", List.of("--single", "-D", data().toString(), "postgres"), statement);
    }

    /** Starts the server; it listens a moment later. */
    void start() throws IOException {
        server = new ProcessBuilder(command("postgres", List.of("-D", data().toString())))
                .directory(Path.of("/").toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** @return 0 when it was stopped as asked, else its own exit code, never 0 */
    int awaitEnd() throws InterruptedException {
        int exit = server.waitFor();
        if (stopping) {
            return exit;
        }
        System.err.println("larder: postgres: the server ended exit=" + exit);
        return exit == 0 ? 1 : exit;
    }

    /** Ends its clients' connections and shuts it down cleanly ("fast"). */
    void stop(Duration within) {
        stopping = true;
        try {
            runToEnd(
                    "pg_ctl",
                    List.of(
                            "stop",
                            "-D",
                            data().toString(),
                            "-m",
                            "fast",
                            "-w",
                            "-t",
                            Long.toString(within.toSeconds())),
                    "");
        } catch (IOException | PostgresException e) {
            System.err.println("larder: postgres: not stopped cleanly, it recovers at its next start: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private List<String> command(String program, List<String> arguments) {
        return account.command(programs.resolve("bin").resolve(program), arguments);
    }

    private void runToEnd(String program, List<String> arguments, String input)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile(options.data(), program, ".out");
        try {
            Process process = new ProcessBuilder(command(program, arguments))
                    .directory(Path.of("/").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            try (var standardInput = process.outputWriter(StandardCharsets.US_ASCII)) {
                standardInput.write(input);
            }
            if (!process.waitFor(PREPARATION.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new PostgresException("postgres: " + program + " did not finish within " + PREPARATION);
            }
            // In single-user mode a refused statement is an exit code of 0.
            if (process.exitValue() != 0
                    || Files.readString(output, StandardCharsets.ISO_8859_1).contains("ERROR:")) {
                throw new PostgresException("postgres: " + program + " failed: " + lastLines(output));
            }
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private static String lastLines(Path output) throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(output, StandardCharsets.ISO_8859_1));
        lines.removeIf(String::isBlank);
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
    }

    /** Gives the directory free; the server has ended. */
    @Override
    public void close() throws IOException {
        lockFile.close();
    }
}
