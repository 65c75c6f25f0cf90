package dev.larder.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The image's entry script, run by busybox's shell as in the image, with a child that is killed for real. In place of the
 * JVM stands a program that notes its process, arguments and signals.
 */
final class EntryScriptTest {
    private static final Path SCRIPTS = Path.of("src/main/root");
    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** Notes "start PID arguments" and "TERM"; ends with the code in the file "code" when that is there. */
    private static final String CHILD = """
            #!/bin/sh
            home=${0%/jre/bin/java}
            trap 'echo TERM >>"$home/events"; exit 143' TERM
            echo "start $$ $*" >>"$home/events"
            while [ ! -e "$home/code" ]; do sleep 0.05; done
            exit "$(cat "$home/code")"
            """;

    @TempDir
    Path home;

    private Process launcher;

    @BeforeEach
    void layOut() throws IOException {
        try (Stream<Path> tree = Files.walk(SCRIPTS)) {
            for (Path from : tree.filter(Files::isRegularFile).toList()) {
                Path to = home.resolve(SCRIPTS.relativize(from).toString());
                Files.createDirectories(to.getParent());
                Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        Files.writeString(home.resolve("etc/class-path"), "@home@/lib/a.jar:@home@/lib/b.jar\n");
        Path java = home.resolve("jre/bin/java");
        Files.createDirectories(java.getParent());
        Files.writeString(java, CHILD);
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void endAll() throws InterruptedException {
        if (launcher != null && launcher.isAlive()) {
            List<ProcessHandle> all = new ArrayList<>(launcher.descendants().toList());
            launcher.destroyForcibly().waitFor();
            all.forEach(ProcessHandle::destroyForcibly);
        }
    }

    private void run(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("busybox", "sh", home.resolve("bin/larder-entry").toString()));
        command.addAll(Arrays.asList(arguments));
        launcher = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("output").toFile())
                .start();
    }

    private List<String> events(String kind) throws IOException {
        Path file = home.resolve("events");
        return Files.exists(file)
                ? Files.readAllLines(file).stream()
                        .filter(line -> line.startsWith(kind))
                        .toList()
                : List.of();
    }

    /** The pid of the n-th start, waited for. */
    private ProcessHandle child(int number) throws Exception {
        long end = System.nanoTime() + DEADLINE_NANOS;
        while (events("start").size() < number) {
            assertTrue(System.nanoTime() < end, () -> "no start " + number + ": " + output());
            assertTrue(launcher.isAlive(), this::output);
            Thread.sleep(20);
        }
        return ProcessHandle.of(Long.parseLong(events("start").get(number - 1).split(" ", 3)[1]))
                .orElseThrow();
    }

    private String output() {
        try {
            return Files.readString(home.resolve("output"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    private int exit() throws InterruptedException {
        assertTrue(launcher.waitFor(60, TimeUnit.SECONDS), this::output);
        return launcher.exitValue();
    }

    @Test
    void aKilledChildIsStartedAgainAndTheTermReachesTheNext() throws Exception {
        run("node-agent", "--node-name=n1", "--cache-dir=/a b");
        ProcessHandle first = child(1);
        first.destroyForcibly();
        ProcessHandle second = child(2);
        assertNotEquals(first.pid(), second.pid());
        assertTrue(events("start").get(1).endsWith(" dev.larder.agent.NodeAgentMain --node-name=n1 --cache-dir=/a b"));
        second.destroyForcibly();
        // The third comes after a second: this one died young as well.
        child(3);
        assertTrue(output().contains("node-agent died exit=137, starting again in 1 s"), this::output);
        launcher.destroy();
        assertEquals(143, exit());
        assertEquals(List.of("TERM"), events("TERM"));
        assertEquals(3, events("start").size());
    }

    @Test
    void aTermBetweenTwoStartsEndsIt() throws Exception {
        Files.writeString(home.resolve("code"), "1");
        run("csi-node");
        long end = System.nanoTime() + DEADLINE_NANOS;
        while (!output().contains("starting again in 4 s")) {
            assertTrue(System.nanoTime() < end, this::output);
            Thread.sleep(20);
        }
        launcher.destroy();
        assertEquals(0, exit());
        assertEquals(4, events("start").size());
    }

    @Test
    void endsAsAskedAndRefusalsAreNotTriedAgain() throws Exception {
        for (int code : new int[] {0, 3}) {
            Files.writeString(home.resolve("code"), Integer.toString(code));
            run("node-agent");
            assertEquals(code, exit(), this::output);
        }
        assertEquals(2, events("start").size());
    }

    @Test
    void otherProgramsTakeTheShellsPlace() throws Exception {
        run("operator", "--namespace=x");
        ProcessHandle child = child(1);
        assertEquals(launcher.pid(), child.pid());
        String command = events("start").getFirst();
        assertTrue(command.contains("-Xmx112m"), command);
        assertTrue(
                command.contains("-cp " + home + "/lib/a.jar:" + home + "/lib/b.jar dev.larder.operator.OperatorMain"));
        assertFalse(command.contains("AOTCache"), command);
        launcher.destroy();
        assertEquals(143, exit());
    }

    @Test
    void anUnknownNameListsTheKnown() throws Exception {
        run("agent");
        assertEquals(3, exit());
        assertTrue(output().contains("no program 'agent'. Known: operator csi-controller csi-node"), this::output);
    }

    @Test
    void everyEntryPointIsInTheTableOnce() throws IOException {
        List<String> names = Files.readAllLines(SCRIPTS.resolve("etc/entry-points")).stream()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split(" ", 2)[0])
                .toList();
        assertEquals(names.stream().distinct().toList(), names);
        assertTrue(names.containsAll(
                List.of("operator", "csi-controller", "csi-node", "node-agent", "postgres", "larder")));
    }
}
