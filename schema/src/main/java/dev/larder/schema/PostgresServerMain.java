package dev.larder.schema;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * Entry point of the quick start's metadata server: makes the database on an empty volume, starts it in the foreground,
 * stops it ("fast") on SIGTERM. Everything it says goes to standard error. Exit code 0: stopped as asked. 3: another try
 * would not mend it, the last line says why. Anything else: the server died.
 */
public final class PostgresServerMain {
    private static final int EXIT_REFUSED = 3;

    private PostgresServerMain() {}

    public static void main(String[] arguments) throws InterruptedException {
        if (List.of(arguments).contains("--help")) {
            System.out.print(PostgresServerOptions.help());
            return;
        }
        int exit;
        try {
            exit = serve(PostgresServerOptions.parse(List.of(arguments), System.getenv()));
        } catch (PostgresException e) {
            System.err.println("larder: " + e.getMessage());
            exit = EXIT_REFUSED;
        } catch (IOException e) {
            System.err.println("larder: postgres: " + e);
            exit = EXIT_REFUSED;
        }
        // Not System.exit: the hook that stops the server waits for this thread's end of the server.
        Runtime.getRuntime().halt(exit);
    }

    private static int serve(PostgresServerOptions options) throws IOException, InterruptedException {
        System.err.println("larder: postgres: starting " + options);
        try (PostgresServer server = PostgresServer.prepare(options)) {
            Duration patience = options.stopTimeout();
            server.start();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(patience), "stop"));
            return server.awaitEnd();
        }
    }
}
