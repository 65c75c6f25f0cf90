package dev.larder.schema;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The settings of {@link PostgresServerMain}. Each is a flag {@code --name=value}, or an environment variable: its name
 * in capitals with {@code LARDER_} in front. A flag wins.
 *
 * @param data directory of the server's files, made when it is missing; only this account may enter it
 * @param passwordFile holds the superuser's password, one line
 * @param certificate PEM file of the server's certificate and chain; null: no TLS
 * @param key PEM file of the certificate's private key
 * @param sharedBuffers as PostgreSQL writes sizes: 128MB
 */
record PostgresServerOptions(
        Path data,
        Path passwordFile,
        String listen,
        int port,
        int maxConnections,
        String sharedBuffers,
        Path certificate,
        Path key,
        Duration stopTimeout) {

    /** What one setting is called, what it is without being given, and what it means; in the order of the help. */
    private record Setting(String name, String fallback, String meaning) {}

    private static final List<Setting> SETTINGS = List.of(
            new Setting("data", "/var/lib/larder/postgres", "directory of the server's files; made when it is empty"),
            new Setting("password-file", "", "file with the password of the superuser " + EmbeddedPostgres.USER),
            new Setting("listen", "*", "addresses to listen on, separated by commas; * is all"),
            new Setting("port", "5432", "TCP port"),
            new Setting("max-connections", "200", "most connections at once, 10 to 10000"),
            new Setting("shared-buffers", "128MB", "memory for pages of the database, such as 128MB or 1GB"),
            new Setting("tls-certificate", "", "PEM file of the server's certificate; empty: no TLS"),
            new Setting("tls-key", "", "PEM file of its private key"),
            new Setting("stop-timeout", "60", "seconds to wait for the server's end after SIGTERM, 1 to 3600"));

    /** @throws PostgresException naming the setting and what it must be */
    static PostgresServerOptions parse(List<String> arguments, Map<String, String> environment) {
        Map<String, String> given = flags(arguments);
        Map<String, String> values = new HashMap<>();
        for (Setting setting : SETTINGS) {
            String fromEnvironment = environment.getOrDefault(variable(setting.name()), setting.fallback());
            values.put(setting.name(), given.getOrDefault(setting.name(), fromEnvironment));
        }
        PostgresServerOptions options = new PostgresServerOptions(
                Path.of(required(values, "data")).toAbsolutePath().normalize(),
                Path.of(required(values, "password-file")),
                addresses(required(values, "listen")),
                number(values, "port", 1, 65_535),
                number(values, "max-connections", 10, 10_000),
                size(required(values, "shared-buffers")),
                file(values, "tls-certificate"),
                file(values, "tls-key"),
                Duration.ofSeconds(number(values, "stop-timeout", 1, 3600)));
        options.requireFiles();
        return options;
    }

    private static Map<String, String> flags(List<String> arguments) {
        Map<String, String> given = new HashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String name = argument.startsWith("--") && equals > 0 ? argument.substring(2, equals) : "";
            if (SETTINGS.stream().noneMatch(setting -> setting.name().equals(name))) {
                throw new PostgresException("postgres: unknown argument " + argument + "; --help lists them");
            }
            given.put(name, argument.substring(equals + 1));
        }
        return given;
    }

    private static String variable(String name) {
        return "LARDER_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
    }

    private static String required(Map<String, String> values, String name) {
        String value = values.get(name).strip();
        if (value.isEmpty()) {
            throw new PostgresException("postgres: --" + name + " (or " + variable(name) + ") is missing; see --help");
        }
        return value;
    }

    private static Path file(Map<String, String> values, String name) {
        String value = values.get(name).strip();
        return value.isEmpty() ? null : Path.of(value).toAbsolutePath().normalize();
    }

    private static int number(Map<String, String> values, String name, int least, int most) {
        String value = required(values, name);
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // refused below, as a number out of range is
        }
        throw new PostgresException(
                "postgres: --" + name + "=" + value + " is not a number from " + least + " to " + most);
    }

    /** What goes into the server's configuration in quotes must not end them. */
    private static String addresses(String value) {
        if (!value.matches("[0-9A-Za-z.:*_, -]+")) {
            throw new PostgresException("postgres: --listen=" + value + " is not a list of addresses; * is all");
        }
        return value;
    }

    private static String size(String value) {
        if (!value.matches("[1-9][0-9]{0,6}(kB|MB|GB)")) {
            throw new PostgresException("postgres: --shared-buffers=" + value + " is not a size such as 128MB");
        }
        return value;
    }

    private void requireFiles() {
        if ((certificate == null) != (key == null)) {
            throw new PostgresException("postgres: --tls-certificate and --tls-key are given together or not at all");
        }
        List<Path> files = new ArrayList<>();
        files.add(passwordFile);
        if (certificate != null) {
            files.add(certificate);
            files.add(key);
        }
        for (Path file : files) {
            if (!Files.isReadable(file)) {
                throw new PostgresException("postgres: the file " + file + " is missing or may not be read");
            }
        }
    }

    boolean tls() {
        return certificate != null;
    }

    static String help() {
        StringBuilder text = new StringBuilder("postgres: the quick start's metadata server\n\n");
        for (Setting setting : SETTINGS) {
            text.append("  --%-16s %s%s%n      %s%n"
                    .formatted(
                            setting.name(),
                            setting.meaning(),
                            setting.fallback().isEmpty() ? "" : " (default " + setting.fallback() + ")",
                            variable(setting.name())));
        }
        return text.toString();
    }
}
