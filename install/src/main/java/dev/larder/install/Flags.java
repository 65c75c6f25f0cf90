package dev.larder.install;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Flags {@code --name=value} of a hook; all of them must be given. */
final class Flags {
    private Flags() {}

    /**
     * @param known meaning by name
     * @throws InstallException naming what is unknown or missing
     */
    static Map<String, String> parse(String program, List<String> arguments, Map<String, String> known) {
        Map<String, String> given = new TreeMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String name = argument.startsWith("--") && equals > 0 ? argument.substring(2, equals) : "";
            if (!known.containsKey(name)) {
                throw new InstallException(program + ": unknown argument " + argument + ". " + help(known));
            }
            given.put(name, argument.substring(equals + 1));
        }
        for (String name : known.keySet()) {
            if (given.getOrDefault(name, "").isBlank()) {
                throw new InstallException(program + ": --" + name + " is missing. " + help(known));
            }
        }
        return given;
    }

    private static String help(Map<String, String> known) {
        StringBuilder text = new StringBuilder("Arguments:");
        new TreeMap<>(known).forEach((name, meaning) -> text.append(" --" + name + "=" + meaning));
        return text.toString();
    }
}
