package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** docs/cli.md is what {@code --help} says. {@code -Dlarder.docs=write} writes the page anew. */
class CommandPageTest {
    private static final Path PAGE = Path.of("../docs/cli.md");

    private static final String HEAD = """
            # The commands

            <!-- Made from the help of the commands by CommandPageTest; do not edit. -->
            """;

    @Test
    void thePageIsWhatHelpSays() throws IOException {
        StringBuilder page = new StringBuilder(HEAD);
        add(page, Larder.commandLine(Environment.ofProcess()));
        if ("write".equals(System.getProperty("larder.docs"))) {
            Files.writeString(PAGE, page);
        }
        assertEquals(page.toString(), Files.readString(PAGE), "stale: run this test with -Dlarder.docs=write");
    }

    private static void add(StringBuilder page, CommandLine command) {
        if (command.getCommandSpec().usageMessage().hidden()) {
            return;
        }
        command.setUsageHelpAutoWidth(false);
        command.setUsageHelpWidth(80);
        page.append("\n## ").append(command.getCommandSpec().qualifiedName()).append("\n\n```\n");
        page.append(command.getUsageMessage(Ansi.OFF).stripTrailing()).append("\n```\n");
        command.getSubcommands().values().forEach(below -> add(page, below));
    }
}
