package dev.larder.agent;

import dev.larder.protocol.ControlProtocol;
import dev.larder.protocol.MountSpec;
import dev.larder.volume.ErrnoException;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Entry point of the process that serves a mount, or a volume without one: {@code AgentMain spec.json}, started by the supervisor. Exit code 0:
 * unmounted, everything uploaded. 3: it could not start, the reason is the last line on standard error. Anything else: it
 * died, and a successor goes on.
 */
public final class AgentMain {
    private AgentMain() {}

    public static void main(String[] arguments) throws IOException {
        MountSpec spec = ControlProtocol.json().readValue(Path.of(arguments[0]).toFile(), MountSpec.class);
        LogConfiguration.toFile(spec.agentLog());
        Logger log = LoggerFactory.getLogger(AgentMain.class);
        int exit;
        try (ServedVolume served = serve(spec)) {
            Runtime.getRuntime().addShutdownHook(new Thread(served::terminate, "terminate"));
            exit = served.awaitEnd() ? 0 : 1;
        } catch (IOException | RuntimeException e) {
            log.error("agent failed", e);
            System.err.println("larder: " + reason(e));
            exit = AgentProcess.EXIT_REFUSED;
        }
        log.info("agent ends exit={}", exit);
        // Not System.exit: a hook that waits for this thread must not wait for ever.
        Runtime.getRuntime().halt(exit);
    }

    private static ServedVolume serve(MountSpec spec) throws IOException {
        spec.agentProcess().write();
        return spec.mountPoint() == null ? AdminAgent.start(spec) : Agent.start(spec);
    }

    static String reason(Throwable failure) {
        if (failure instanceof ErrnoException && failure.getCause() != null) {
            return failure.getMessage() + ": " + failure.getCause().getMessage();
        }
        return failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }
}
