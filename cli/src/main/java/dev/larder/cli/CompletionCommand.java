package dev.larder.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "completion",
        description = "Prints a script that completes commands and options on the Tab key.",
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:printed", "2:unknown shell"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  source <(larder completion bash)",
            "  larder completion zsh > ~/.larder-completion && source ~/.larder-completion"
        })
final class CompletionCommand implements Runnable {
    enum Shell {
        bash,
        zsh
    }

    @ParentCommand
    private Larder larder;

    @Parameters(paramLabel = "SHELL", defaultValue = "bash", description = "${COMPLETION-CANDIDATES}")
    private Shell shell;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        if (shell == Shell.zsh) {
            larder.environment().out().println("autoload -U +X bashcompinit && bashcompinit");
        }
        larder.environment()
                .out()
                .println(AutoComplete.bash("larder", spec.root().commandLine()));
    }
}
