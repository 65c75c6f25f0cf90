package dev.larder.cli;

import dev.larder.crds.InvalidManifestException;
import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlProtocol;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "trash",
        description = "Lists, brings back and gives up removed files.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed; the reason is on the error stream", "2:wrong arguments"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  larder trash list /mnt/larder",
            "  larder trash restore /mnt/larder 1234",
            "  larder trash purge --older-than 12h examples/local.yaml"
        })
final class TrashCommand implements Runnable {
    private static final String TARGET = "A mount point, a mounted volume's name, or a manifest.";

    @ParentCommand
    private Larder larder;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "list, restore or purge is missing");
    }

    @Command(
            name = "list",
            description = "Lists removed files that can be brought back, the last removed first.",
            mixinStandardHelpOptions = true,
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:shown", "1:failed; the reason is on the error stream", "2:wrong arguments"},
            footerHeading = "%nExamples:%n",
            footer = {"  larder trash list /mnt/larder", "  larder trash list --path /photos -o json my-volume.yaml"})
    int list(
            @Parameters(paramLabel = "VOLUME", arity = "0..1", description = TARGET) Path target,
            @Option(
                            names = "--path",
                            paramLabel = "PATH",
                            defaultValue = "/",
                            description = "Only what was below this path of the volume. Default: ${DEFAULT-VALUE}")
                    String path,
            @Option(
                            names = "--limit",
                            paramLabel = "COUNT",
                            defaultValue = "1000",
                            description = "At most so many. Default: ${DEFAULT-VALUE}")
                    int limit,
            @Option(
                            names = "-o",
                            paramLabel = "FORMAT",
                            defaultValue = "table",
                            description = "${COMPLETION-CANDIDATES}")
                    OutputFormat format)
            throws InvalidManifestException {
        if (limit <= 0) {
            throw CommandFailure.usage("--limit", "is not above zero", "--limit=1000");
        }
        PagedOutput<Answers.TrashEntry> output =
                new PagedOutput<>(larder.environment().out(), format, TrashCommand::table);
        try (VolumeTarget volume = VolumeTarget.any(larder, target)) {
            list(volume, path, limit, output);
        }
        return ExitCodes.OK;
    }

    /** A page of the trash is printed before the next is asked for. */
    private static void list(VolumeTarget volume, String path, int limit, PagedOutput<Answers.TrashEntry> output) {
        int left = limit;
        String next = "";
        while (next != null && left > 0) {
            Answers.Trash page = volume.ask(
                    ControlProtocol.Command.TRASH_LIST, Map.of("prefix", path, "after", next), Answers.Trash.class);
            List<Answers.TrashEntry> entries =
                    page.entries().subList(0, Math.min(left, page.entries().size()));
            output.page(entries);
            left -= entries.size();
            next = page.next();
        }
        output.end();
    }

    private static Table table(List<Answers.TrashEntry> entries) {
        Table table = new Table(">INODE", "REMOVED", ">SIZE", "PATH");
        for (Answers.TrashEntry one : entries) {
            table.row(
                    one.inode(),
                    one.deleted(),
                    one.directory() ? "directory" : Units.bytes(one.sizeBytes()),
                    one.path());
        }
        return table;
    }

    @Command(
            name = "restore",
            description = "Brings removed files back under their old names, with the removed directories above them.",
            mixinStandardHelpOptions = true,
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:brought back", "1:failed; the reason is on the error stream", "2:wrong arguments"},
            footerHeading = "%nExamples:%n",
            footer = "  larder trash restore /mnt/larder 1234 1235")
    int restore(
            @Parameters(index = "0", paramLabel = "VOLUME", description = TARGET) Path target,
            @Parameters(
                            index = "1..*",
                            arity = "1..*",
                            paramLabel = "INODE",
                            description = "Numbers that `larder trash list` shows.")
                    List<Long> inodes,
            @Option(
                            names = "-o",
                            paramLabel = "FORMAT",
                            defaultValue = "table",
                            description = "${COMPLETION-CANDIDATES}")
                    OutputFormat format)
            throws InvalidManifestException {
        Answers.Restored result =
                ask(target, ControlProtocol.Command.TRASH_RESTORE, Map.of("inodes", inodes), Answers.Restored.class);
        format.print(larder.environment().out(), result, () -> {
            Table table = new Table("RESTORED");
            result.paths().forEach(table::row);
            return table;
        });
        return ExitCodes.OK;
    }

    @Command(
            name = "purge",
            description = "Gives up removed files for good; `larder gc` then frees their objects.",
            mixinStandardHelpOptions = true,
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:done", "1:failed; the reason is on the error stream", "2:wrong arguments"},
            footerHeading = "%nExamples:%n",
            footer = "  larder trash purge --older-than 12h /mnt/larder")
    int purge(
            @Parameters(paramLabel = "VOLUME", arity = "0..1", description = TARGET) Path target,
            @Option(
                            names = "--older-than",
                            paramLabel = "TIME",
                            required = true,
                            description = "Only what was removed so long ago, such as 12h; 0 = everything.")
                    String age,
            @Option(
                            names = "-o",
                            paramLabel = "FORMAT",
                            defaultValue = "table",
                            description = "${COMPLETION-CANDIDATES}")
                    OutputFormat format)
            throws InvalidManifestException {
        Answers.Purged result = ask(
                target,
                ControlProtocol.Command.TRASH_PURGE,
                Map.of("olderThanSeconds", Times.seconds("--older-than", age)),
                Answers.Purged.class);
        format.print(larder.environment().out(), result, () -> new Table(">PURGED").row(result.entries()));
        return ExitCodes.OK;
    }

    private <T> T ask(Path target, ControlProtocol.Command command, Map<String, ?> arguments, Class<T> result)
            throws InvalidManifestException {
        try (VolumeTarget volume = VolumeTarget.any(larder, target)) {
            return volume.ask(command, arguments, result);
        }
    }
}
