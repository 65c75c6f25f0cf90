package dev.larder.agent;

import dev.larder.protocol.ControlProtocol;
import dev.larder.protocol.MountSpec;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Entry point of the process that keeps a mount alive: {@code SupervisorMain spec.json}. Exit code 0 when the mount has
 * ended as asked, 1 when it could not be made; the reason is the last line on standard error.
 */
public final class SupervisorMain {
    private SupervisorMain() {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    private static int run(String[] arguments) {
        if (arguments.length != 1) {
            System.err.println("larder: usage: SupervisorMain spec.json");
            return 2;
        }
        try {
            Path file = Path.of(arguments[0]);
            MountSpec spec = ControlProtocol.json().readValue(file.toFile(), MountSpec.class);
            return new Supervisor(spec, file).run();
        } catch (IOException | RuntimeException e) {
            System.err.println("larder: " + e.getMessage());
            return 1;
        }
    }
}
