package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Flags of a process. */
public final class Flags {
    private Flags() {}

    /** Names of all but help and version, after each was seen to have its environment variable, written in its help. */
    public static List<String> checked(Object options) {
        List<OptionSpec> flags = new CommandLine(options)
                .getCommandSpec().options().stream()
                        .filter(option -> !option.usageHelp() && !option.versionHelp())
                        .toList();
        for (OptionSpec flag : flags) {
            String name = flag.longestName();
            String variable =
                    "LARDER_" + name.substring(2).toUpperCase(Locale.ROOT).replace('-', '_');
            assertTrue(defaultOf(flag).startsWith("${env:" + variable), name);
            assertTrue(String.join(" ", flag.description()).contains(variable), name);
        }
        return flags.stream().map(OptionSpec::longestName).toList();
    }

    /** As it is written: picocli shows it with the variable's value in place. */
    private static String defaultOf(OptionSpec flag) {
        return ((Field) flag.userObject())
                .getAnnotation(CommandLine.Option.class)
                .defaultValue();
    }
}
