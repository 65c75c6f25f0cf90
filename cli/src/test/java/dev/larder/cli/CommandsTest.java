package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.protocol.ControlProtocol;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** The command as a user types it: help, errors, exit codes. Nothing is mounted here. */
class CommandsTest {
    private static final String VOLUME =
            "apiVersion: larder.dev/v1alpha1\nkind: SharedVolume\nmetadata: {name: v}\nspec: {}\n";

    @TempDir
    private Path directory;

    private CommandLineRun run(String... arguments) {
        return CommandLineRun.of(directory.resolve("state"), arguments);
    }

    static Stream<List<String>> commands() {
        List<List<String>> all = new ArrayList<>();
        collect(Larder.commandLine(Environment.ofProcess()), List.of(), all);
        return all.stream();
    }

    private static void collect(CommandLine command, List<String> path, List<List<String>> all) {
        all.add(path);
        command.getSubcommands().forEach((name, below) -> {
            List<String> longer = new ArrayList<>(path);
            longer.add(name);
            collect(below, longer, all);
        });
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasHelpWithExamplesAndExitCodes(List<String> command) {
        List<String> arguments = new ArrayList<>(command);
        arguments.add("--help");
        CommandLineRun help = run(arguments.toArray(String[]::new));
        assertEquals(0, help.exit());
        assertTrue(help.out().contains("Usage: larder"), help.out());
        assertTrue(help.out().contains("Examples:\n  "), help.out());
        assertTrue(help.out().contains("Exit codes:\n  0   "), help.out());
        assertTrue(help.out().contains("--state-dir"), help.out());
        assertEquals("", help.err());
    }

    @Test
    void wrongArgumentsAreUsageErrors() {
        refused(2, "a command is missing. Try: larder --help");
        refused(2, "Try: larder mount --help", "mount");
        refused(2, "Unknown option: '--readonly'", "mount", "--readonly", "m.yaml", "/x");
        refused(2, "Unmatched argument at index 0: 'mont'", "mont");
        refused(2, "Invalid value for option '-o'", "status", "-o", "xml");
        refused(2, "list, restore or purge is missing", "trash");
        refused(2, "Missing required option: '--older-than", "trash", "purge");
        refused(2, "--limit: is not above zero", "trash", "list", "--limit", "0");
        refused(2, "'1w' is not a time", "gc", "--age", "1w");
        refused(2, "which volume: nothing is mounted", "fsck");
        refused(2, "'big' is not a quantity", "bench", "--size", "big", directory.toString());
    }

    @Test
    void aRefusedManifestNamesItsLines() throws IOException {
        Path manifest = Files.writeString(directory.resolve("m.yaml"), VOLUME.replace("{}", "{capacty: 1Gi}"));
        refused(
                2,
                manifest + ":4: unknown field spec.capacty: did you mean capacity?",
                "mount",
                manifest.toString(),
                "/x");
        refused(2, "there is no such file", "mount", directory.resolve("none").toString(), "/x");
    }

    @Test
    void aMountPointThatCannotBeUsedIsRefusedBeforeAnythingIsStarted() throws IOException {
        String manifest = Files.writeString(directory.resolve("m.yaml"), VOLUME).toString();
        Path missing = directory.toRealPath().resolve("missing");
        refused(1, "does not exist. Try: mkdir -p " + missing, "mount", manifest, missing.toString());
        refused(1, "is not a directory", "mount", manifest, manifest);
        refused(
                1,
                "is not empty",
                "mount",
                manifest,
                directory.toString(),
                "--state-dir=" + directory.resolveSibling("s"));
        refused(1, "Larder keeps its own files there", "mount", manifest, directory.toString());
        Path inside = Files.createDirectories(directory.resolve("state/inside"));
        refused(1, "Larder keeps its own files there", "mount", manifest, inside.toString());
        refused(1, "is busy: proc (proc) is mounted there. Try: umount /proc", "mount", manifest, "/proc");
        assertFalse(Files.exists(directory.resolve("state/postgres")), "a server was started");
        deleteTree(directory.resolveSibling("s"));
    }

    @Test
    void umountOfWhatIsNotMountedIsNoError() throws IOException {
        CommandLineRun run = run("umount", directory.toString());
        assertEquals(0, run.exit());
        assertTrue(run.err().contains("nothing is mounted on"), run.err());
        refused(1, "is no mount of this state directory but proc (proc)", "umount", "/proc");
    }

    @Test
    void statusOfNothingIsAnEmptyList() {
        assertEquals("[ ]\n", run("status", "-o", "json").out());
        assertEquals("[]\n", run("status", "-o", "yaml").out());
        assertTrue(
                run("status").out().startsWith("VOLUME  MOUNT POINT"),
                () -> run("status").out());
        refused(
                1,
                "is not in a mounted volume, nor the name of one. Try: larder status",
                "status",
                directory.toString());
        refused(1, "is not in a mounted volume", "cache", directory.toString());
        refused(2, "nothing is mounted", "warmup", directory.resolve("nothing").toString());
    }

    @Test
    void anUnmountedVolumeThatIsNotKnownIsNotMadeByLookingAtIt() throws IOException {
        String manifest = Files.writeString(directory.resolve("m.yaml"), VOLUME).toString();
        refused(1, "volume v: was never mounted with the state directory", "du", manifest);
        assertFalse(Files.exists(directory.resolve("state")), "something was made");
    }

    @Test
    void versionAndCompletionArePrinted() throws IOException {
        JsonNode version =
                ControlProtocol.json().readTree(run("version", "-o", "json").out());
        assertTrue(version.path("version").asText().matches("[0-9]+\\..*"), version::toString);
        assertTrue(run("--version").out().startsWith("larder "));
        String script = run("completion", "bash").out();
        assertTrue(script.contains("complete -F _complete_larder"), script);
        assertTrue(script.contains("umount"), script);
        assertTrue(run("completion", "zsh").out().startsWith("autoload -U +X bashcompinit"));
        refused(2, "Invalid value for positional parameter", "completion", "fish");
    }

    @Test
    void benchMeasuresADirectoryAndLeavesNothing() throws IOException {
        Path measured = Files.createDirectory(directory.resolve("measured"));
        CommandLineRun run = run("bench", "--size", "2Mi", "--files", "20", "-o", "json", measured.toString());
        assertEquals(0, run.exit(), run.err());
        JsonNode rows = ControlProtocol.json().readTree(run.out());
        assertEquals(6, rows.size());
        assertEquals(2 << 20, rows.get(5).path("bytes").asLong());
        try (Stream<Path> left = Files.list(measured)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void stackTracesAreShownOnRequestOnly() {
        assertFalse(run("status", directory.toString()).err().contains("\tat "));
        assertTrue(run("--debug", "status", directory.toString()).err().contains("\tat "));
    }

    private void refused(int exit, String reason, String... arguments) {
        CommandLineRun run = run(arguments);
        assertEquals(exit, run.exit(), run.err());
        assertTrue(run.err().contains(reason), run.err());
        assertFalse(run.err().contains("\tat "), run.err());
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
