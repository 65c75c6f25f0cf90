package dev.larder.cli;

import dev.larder.crds.InvalidManifestException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The top command: its options hold for every command below. */
@Command(
        name = "larder",
        description = "Mounts and administers shared, cached POSIX volumes on this machine.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            MountCommand.class,
            UmountCommand.class,
            StatusCommand.class,
            FsckCommand.class,
            GcCommand.class,
            DuCommand.class,
            WarmupCommand.class,
            CacheCommand.class,
            TrashCommand.class,
            ConfigCommand.class,
            BenchCommand.class,
            VersionCommand.class,
            TrainCommand.class,
            CompletionCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:failed; the reason is on the error stream",
            "2:wrong arguments or a refused manifest"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  larder mount examples/local.yaml /mnt/larder",
            "  larder status",
            "  larder umount /mnt/larder",
            "  larder COMMAND --help    for the options and examples of a command"
        })
final class Larder implements Runnable {
    @Option(
            names = "--state-dir",
            paramLabel = "DIRECTORY",
            scope = ScopeType.INHERIT,
            description = {
                "Where Larder keeps this machine's files. Default:",
                "$LARDER_STATE_DIR, else /var/lib/larder for root",
                "and ~/.local/state/larder for others."
            })
    private Path stateDirectory;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show stack traces of failures.")
    private boolean debug;

    @Spec
    private CommandSpec spec;

    private final Environment environment;

    Larder(Environment environment) {
        this.environment = environment;
    }

    static CommandLine commandLine(Environment environment) {
        Larder larder = new Larder(environment);
        CommandLine line = new CommandLine(larder);
        line.setOut(new PrintWriter(environment.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(environment.err(), true, StandardCharsets.UTF_8));
        line.setUsageHelpAutoWidth(environment.terminal());
        line.setExecutionExceptionHandler((failure, command, parsed) -> larder.report(failure));
        line.setParameterExceptionHandler((wrong, arguments) -> larder.reportUsage(wrong));
        return line;
    }

    static int run(Environment environment, String... arguments) {
        return commandLine(environment).execute(arguments);
    }

    private int report(Exception failure) {
        if (debug) {
            failure.printStackTrace(environment.err());
        }
        return switch (failure) {
            case CommandFailure known -> {
                environment.err().println(known.line());
                yield known.exitCode();
            }
            case InvalidManifestException refused -> {
                environment.err().println(refused.getMessage());
                environment
                        .err()
                        .println("larder: the manifest is refused. Try: larder mount --help, and the examples folder");
                yield ExitCodes.USAGE;
            }
            default -> {
                String cause = failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
                environment
                        .err()
                        .println("larder: " + cause.lines().findFirst().orElse("failed")
                                + ". Try: the same command with --debug");
                yield ExitCodes.FAILED;
            }
        };
    }

    private int reportUsage(ParameterException wrong) {
        CommandLine command = wrong.getCommandLine();
        environment
                .err()
                .println("larder: " + wrong.getMessage() + ". Try: "
                        + command.getCommandSpec().qualifiedName() + " --help");
        CommandLine.UnmatchedArgumentException.printSuggestions(wrong, command.getErr());
        return ExitCodes.USAGE;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    Environment environment() {
        return environment;
    }

    StateDirectory state() {
        return environment.stateDirectory(stateDirectory);
    }

    ProgressLine progress() {
        return new ProgressLine(environment.err(), environment.terminal());
    }

    /** A note for the person, not for scripts. */
    void say(String line) {
        environment.err().println(line);
    }
}
