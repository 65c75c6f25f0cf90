package dev.larder.cli;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/**
 * Makes the agent's AOT cache: an agent records its run while a scratch volume is used, then the JVM makes the cache of
 * the recording. The first mount of a new build starts it in the background; no mount waits for it or fails with it.
 */
@Command(
        name = "train",
        hidden = true,
        description = "Makes the file that lets agents start faster. The first mount does this in the background.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:made, or another command is at it", "1:failed; agents start without it"},
        footerHeading = "%nExamples:%n",
        footer = "  larder train cli/target/agent.aot")
final class TrainCommand implements Callable<Integer> {
    private static final Duration CREATE = Duration.ofMinutes(5);
    private static final String MANIFEST = """
            apiVersion: larder.dev/v1alpha1
            kind: SharedVolume
            metadata:
              name: training
            spec:
              cache:
                capacity: 256Mi
            """;

    @ParentCommand
    private Larder larder;

    @Parameters(paramLabel = "FILE", description = "The cache to make.")
    private Path file;

    /** Starts the command in the background when this build's cache is not there yet; says nothing and never fails. */
    static void startWhenMissing(Environment environment) {
        if (environment.aotCache() == null || Files.exists(Path.of(environment.aotCache()))) {
            return;
        }
        Path cache = Path.of(environment.aotCache());
        List<String> command = List.of(
                "setsid",
                "nice",
                "-n",
                "19",
                Path.of(environment.javaHome(), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                environment.classPath(),
                "dev.larder.cli.LarderMain",
                "train",
                cache.toString());
        try {
            new ProcessBuilder(command)
                    .directory(Path.of("/").toFile())
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log(cache).toFile())
                    .start();
        } catch (IOException e) {
            // Agents start without it: a directory that this user cannot write, a machine without setsid.
            return;
        }
    }

    private static Path log(Path cache) {
        return cache.resolveSibling(cache.getFileName() + ".log");
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path cache = file.toAbsolutePath().normalize();
        Path lock = cache.resolveSibling(cache.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = channel.tryLock()) {
            if (held == null) {
                larder.say("another command is making " + cache);
                return ExitCodes.OK;
            }
            make(cache);
        }
        return ExitCodes.OK;
    }

    private void make(Path cache) throws IOException, InterruptedException {
        // The database's server, another user, must pass through it.
        Path scratch = Files.createTempDirectory("larder-train");
        Files.setPosixFilePermissions(scratch, PosixFilePermissions.fromString("rwx--x--x"));
        Path fresh = cache.resolveSibling(cache.getFileName() + ".fresh");
        try {
            Path record = scratch.resolve("agent.aotconf");
            use(scratch, record);
            create(record, fresh);
        } catch (CommandFailure | IOException e) {
            // Not tried again before the next build.
            Files.deleteIfExists(fresh);
            Files.createFile(fresh);
            throw e;
        } finally {
            Files.move(fresh, cache, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            delete(scratch);
        }
    }

    private void use(Path scratch, Path record) throws IOException {
        Path manifest = Files.writeString(scratch.resolve("training.yaml"), MANIFEST);
        Path mountPoint = Files.createDirectory(scratch.resolve("mount"));
        Environment recording = larder.environment().recording(record);
        String state = "--state-dir=" + scratch.resolve("state");
        succeed(recording, "mount", state, manifest.toString(), mountPoint.toString());
        try {
            Training.run(mountPoint);
        } finally {
            succeed(recording, "umount", state, mountPoint.toString());
        }
    }

    private static void succeed(Environment recording, String... arguments) {
        if (Larder.run(recording, arguments) != ExitCodes.OK) {
            throw CommandFailure.failed("train", arguments[0] + " of the scratch volume failed", null);
        }
    }

    private void create(Path record, Path fresh) throws IOException, InterruptedException {
        Environment environment = larder.environment();
        List<String> command = new ArrayList<>(List.of(
                Path.of(environment.javaHome(), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:AOTMode=create",
                "-XX:AOTConfiguration=" + record,
                "-XX:AOTCache=" + fresh,
                "-Xlog:aot=error,cds=error",
                "-cp",
                environment.classPath()));
        Process java = new ProcessBuilder(command).inheritIO().start();
        if (!java.waitFor(CREATE.toSeconds(), TimeUnit.SECONDS)) {
            java.destroyForcibly().waitFor();
            throw CommandFailure.failed(
                    "train", "the JVM did not make the cache in " + CREATE.toMinutes() + " min", null);
        }
        if (java.exitValue() != 0 || !Files.exists(fresh)) {
            throw CommandFailure.failed("train", "the JVM refused to make the cache", null);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path one : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(one);
            }
        }
    }
}
