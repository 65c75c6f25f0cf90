package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher in a scratch repository, with a JDK and a Maven that only note how they were called. */
class LauncherTest {
    private static final List<String> MODULES = List.of("linux", "schema", "crds", "volume", "node-agent", "cli");

    @TempDir
    private Path directory;

    private Path repository;
    private Path jdk;

    private record Run(int exit, String out, String err) {}

    @BeforeEach
    void scratchRepository() throws IOException {
        repository = Files.createDirectory(directory.resolve("repository"));
        for (String module : MODULES) {
            Files.createDirectory(repository.resolve(module));
        }
        Files.writeString(repository.resolve("pom.xml"), "<project/>");
        // Only the JDKs of this test can be found.
        String launcher = Files.readString(Path.of("../larder"))
                .replace("/usr/lib/jvm/*", directory + "/jvm/*")
                .replace("/opt/*", directory + "/opt/*");
        script(repository.resolve("larder"), launcher);
        jdk = Files.createDirectories(directory.resolve("jdk/bin")).getParent();
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
        script(jdk.resolve("bin/java"), "#!/bin/sh\necho \"java $*\"\n");
        script(jdk.resolve("bin/javac"), "#!/bin/sh\n");
        Path tools = Files.createDirectory(directory.resolve("tools"));
        script(tools.resolve("mvn"), """
                #!/bin/sh
                echo built >>"%s/builds"
                mkdir -p "%s/cli/target/lib" && touch "%s/cli/target/built"
                """.formatted(directory, repository, repository));
        for (String tool : List.of(
                "sh",
                "readlink",
                "dirname",
                "sed",
                "find",
                "head",
                "date",
                "mkdir",
                "flock",
                "sleep",
                "rm",
                "mv",
                "tail",
                "grep",
                "touch")) {
            Files.createSymbolicLink(tools.resolve(tool), program(tool));
        }
    }

    private static Path program(String name) {
        return Stream.of("/usr/bin", "/bin")
                .map(place -> Path.of(place, name))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow();
    }

    private static void script(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Run run(Path launcher, Map<String, String> variables, String... arguments) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(Stream.concat(Stream.of(launcher.toString()), Stream.of(arguments))
                .toList());
        builder.environment().clear();
        builder.environment().putAll(variables);
        builder.environment().put("PATH", directory.resolve("tools").toString());
        builder.environment().put("HOME", directory.toString());
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        Process process =
                builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "the launcher ends");
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private Run run(String... arguments) throws Exception {
        return run(repository.resolve("larder"), Map.of("JAVA_HOME", jdk.toString()), arguments);
    }

    private long builds() throws IOException {
        return Files.readAllLines(directory.resolve("builds")).size();
    }

    @Test
    void withoutAJdkItSaysWhereItLookedAndWhatToDo() throws Exception {
        Run run = run(repository.resolve("larder"), Map.of(), "status");
        assertEquals(1, run.exit());
        assertTrue(run.err().contains("larder: java: no JDK 25 or newer"), run.err());
        assertTrue(run.err().contains("Try: export JAVA_HOME="), run.err());
    }

    @Test
    void anOldJdkIsNotTaken() throws Exception {
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"21.0.4\"\n");
        assertEquals(1, run("--print-java-home").exit());
    }

    @Test
    void printsTheJdkAndBuildsNothing() throws Exception {
        Run run = run("--print-java-home");
        assertEquals(jdk + "\n", run.out());
        assertTrue(Files.notExists(directory.resolve("builds")), "nothing is built");
    }

    @Test
    void findsAJdkWithoutJavaHome() throws Exception {
        Path found = Files.createDirectory(directory.resolve("jvm")).resolve("jdk-25");
        Files.move(jdk, found);
        assertEquals(
                found + "\n",
                run(repository.resolve("larder"), Map.of(), "--print-java-home").out());
    }

    @Test
    void buildsOnceAndHandsTheArgumentsOn() throws Exception {
        Run first = run("status", "-o", "json");
        assertEquals(0, first.exit(), first.err());
        assertTrue(first.out().endsWith("dev.larder.cli.LarderMain status -o json\n"), first.out());
        assertTrue(first.err().contains("building larder"), first.err());
        Run second = run("status");
        assertEquals("", second.err());
        assertEquals(1, builds());
    }

    @Test
    void aNewerSourceIsBuiltAndAnOlderRecordingIsForgotten() throws Exception {
        run("status");
        Path recording = Files.writeString(repository.resolve("cli/target/agent.aot"), "of an old build");
        Files.setLastModifiedTime(recording, java.nio.file.attribute.FileTime.fromMillis(0));
        Path stamp = repository.resolve("cli/target/built");
        Files.setLastModifiedTime(
                stamp,
                java.nio.file.attribute.FileTime.fromMillis(
                        Files.getLastModifiedTime(stamp).toMillis() - 60_000));
        Files.writeString(repository.resolve("volume/New.java"), "class New {}");
        run("status");
        assertEquals(2, builds());
        assertTrue(Files.notExists(recording), "the recording is gone");
    }

    @Test
    void worksThroughASymbolicLink() throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("larder-link"), repository.resolve("larder"));
        Run run = run(link, Map.of("JAVA_HOME", jdk.toString()), "version");
        assertEquals(0, run.exit(), run.err());
        assertTrue(run.out().contains(repository + "/cli/target/larder-cli.jar"), run.out());
    }

    @Test
    void aFailedBuildNamesItsLog() throws Exception {
        script(directory.resolve("tools/mvn"), "#!/bin/sh\necho '[ERROR] no such thing'\nexit 1\n");
        Run run = run("status");
        assertEquals(1, run.exit());
        assertTrue(run.err().contains("larder: build: failed: [ERROR] no such thing. Try: the log"), run.err());
    }
}
