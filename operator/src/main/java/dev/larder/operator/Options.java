package dev.larder.operator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The operator's configuration, read once at the start. Each is a flag {@code --name=value} and an environment variable
 * {@code LARDER_NAME}; the flag wins. None is a secret.
 *
 * @param namespace of the release: the stores' Secrets are there, and the volumes' are made there
 * @param healthPort of /healthz, /readyz and /metrics; 0 = any free one
 * @param storageClass of managed claims; it must be expandable
 * @param purgeAfter how long the data of a deleted volume with deletionPolicy Delete is kept
 * @param refresh how often usage and drift are looked at
 * @param adoption how long nodes may need to take new credentials before the old ones are disabled
 * @param leaderElection whether several replicas may run
 * @param directories that an ObjectStore may name
 */
record Options(
        String namespace,
        int healthPort,
        String storageClass,
        Duration purgeAfter,
        Duration refresh,
        Duration adoption,
        boolean leaderElection,
        List<Path> directories) {

    /** One option: its name, its default (null = must be given), what it means. */
    enum Option {
        NAMESPACE(null, "namespace of the release: stores' Secrets are there, and volumes' are made there"),
        HEALTH_PORT("8080", "port of /healthz, /readyz and /metrics"),
        STORAGE_CLASS("larder", "storage class of managed claims; it must allow expansion"),
        PURGE_AFTER("7d", "how long the data of a deleted volume with deletionPolicy: Delete is kept"),
        REFRESH("60s", "how often usage and drift are looked at"),
        ADOPTION("10m", "how long nodes may take to use new credentials before the old ones are disabled"),
        LEADER_ELECTION("true", "whether several replicas may run, of which one works"),
        DIRECTORIES("", "directories that an ObjectStore may name, separated by commas");

        private final String standard;
        private final String meaning;

        Option(String standard, String meaning) {
            this.standard = standard;
            this.meaning = meaning;
        }

        String flag() {
            return "--" + name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }

        String variable() {
            return "LARDER_" + name();
        }
    }

    Options {
        directories = List.copyOf(directories);
    }

    /** @throws IllegalArgumentException its message names the option and says what is wrong */
    static Options parse(List<String> arguments, Map<String, String> environment) {
        Map<Option, String> given = new HashMap<>();
        for (Option option : Option.values()) {
            String value = environment.getOrDefault(option.variable(), option.standard);
            if (value != null) {
                given.put(option, value);
            }
        }
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String flag = equals < 0 ? argument : argument.substring(0, equals);
            Option option = Arrays.stream(Option.values())
                    .filter(one -> one.flag().equals(flag))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no option " + flag + "; see --help"));
            if (equals < 0) {
                throw new IllegalArgumentException(flag + " needs a value: " + flag + "=VALUE");
            }
            given.put(option, argument.substring(equals + 1));
        }
        if (given.getOrDefault(Option.NAMESPACE, "").isEmpty()) {
            throw new IllegalArgumentException("--namespace is not given; see --help");
        }
        return new Options(
                given.get(Option.NAMESPACE),
                port(given.get(Option.HEALTH_PORT)),
                given.get(Option.STORAGE_CLASS),
                time(Option.PURGE_AFTER, given),
                time(Option.REFRESH, given),
                time(Option.ADOPTION, given),
                flag(Option.LEADER_ELECTION, given),
                directories(given.get(Option.DIRECTORIES)));
    }

    private static int port(String text) {
        if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) > 65_535) {
            throw new IllegalArgumentException("--health-port=" + text + " is no port");
        }
        return Integer.parseInt(text);
    }

    private static Duration time(Option option, Map<Option, String> given) {
        try {
            Duration duration =
                    dev.larder.crds.Retention.parse(given.get(option)).duration();
            if (duration.isZero()) {
                throw new IllegalArgumentException("zero");
            }
            return duration;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    option.flag() + "=" + given.get(option) + " is not a time such as 30s, 10m or 7d", e);
        }
    }

    private static boolean flag(Option option, Map<Option, String> given) {
        return switch (given.get(option)) {
            case "true" -> true;
            case "false" -> false;
            default ->
                throw new IllegalArgumentException(
                        option.flag() + "=" + given.get(option) + " is neither true nor false");
        };
    }

    private static List<Path> directories(String text) {
        List<Path> paths = Arrays.stream(text.split(","))
                .map(String::strip)
                .filter(path -> !path.isEmpty())
                .map(Path::of)
                .toList();
        for (Path path : paths) {
            if (!path.isAbsolute() || !path.equals(path.normalize())) {
                throw new IllegalArgumentException("--directories: " + path + " is not an absolute path without ..");
            }
        }
        return paths;
    }

    static String help() {
        return Arrays.stream(Option.values())
                .map(option -> "  %-20s %-24s %s%s"
                        .formatted(
                                option.flag() + "=",
                                option.variable(),
                                option.meaning,
                                option.standard == null
                                        ? ""
                                        : option.standard.isEmpty() ? " (none)" : " (" + option.standard + ")"))
                .collect(Collectors.joining("\n", "operator: makes what SharedVolumes ask for\n\n", "\n"));
    }
}
