package dev.larder.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "version",
        description = "Shows the version of Larder, Java and the kernel.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = "0:always",
        footerHeading = "%nExamples:%n",
        footer = "  larder version -o json")
final class VersionCommand implements Runnable {
    @ParentCommand
    private Larder larder;

    @Option(names = "-o", paramLabel = "FORMAT", defaultValue = "table", description = "${COMPLETION-CANDIDATES}")
    private OutputFormat format;

    @Override
    public void run() {
        Version.Build build = Version.current();
        format.print(
                larder.environment().out(),
                build,
                () -> new Table("LARDER", "JAVA", "KERNEL").row(build.version(), build.java(), build.kernel()));
    }
}
