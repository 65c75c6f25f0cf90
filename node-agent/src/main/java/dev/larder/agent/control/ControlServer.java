package dev.larder.agent.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.larder.protocol.ControlProtocol;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.ControlProtocol.Failure;
import dev.larder.protocol.ControlProtocol.Progress;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers {@link ControlProtocol} requests on a Unix socket, each connection on a virtual thread of its own. The socket's
 * directory keeps others out.
 */
public final class ControlServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);
    private static final ObjectMapper JSON = ControlProtocol.json();
    private static final int MAX_CONNECTIONS = 32;
    private static final int MAX_REQUEST_BYTES = 1 << 20;
    private static final long CLOSE_MILLIS = 2_000;

    /** Carries out one request. */
    @FunctionalInterface
    public interface Handler {
        /**
         * @param progress may be called now and then from the handling thread; throws when the asker has gone away
         * @return the result, to be written as JSON
         * @throws ControlException with a message for the person who asked
         */
        Object handle(Command command, JsonNode arguments, Consumer<Progress> progress);
    }

    private final Path path;
    private final Handler handler;
    private final ServerSocketChannel server;
    private final Semaphore connections = new Semaphore(MAX_CONNECTIONS);
    private final Semaphore answers = new Semaphore(MAX_CONNECTIONS);
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();

    private ControlServer(Path path, Handler handler, ServerSocketChannel server) {
        this.path = path;
        this.handler = handler;
        this.server = server;
    }

    public static ControlServer start(Path path, Handler handler) throws IOException {
        Files.deleteIfExists(path);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(path));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            server.close();
            throw e;
        }
        ControlServer control = new ControlServer(path, handler, server);
        Thread.ofPlatform().name("control").daemon().start(control::accept);
        return control;
    }

    private void accept() {
        while (true) {
            try {
                connections.acquireUninterruptibly();
                SocketChannel client = server.accept();
                open.add(client);
                Thread.ofVirtual().name("control-connection").start(() -> serve(client));
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) {
                LOG.warn("control: accepting a connection failed: {}", e.toString());
                connections.release();
            }
        }
    }

    private void serve(SocketChannel client) {
        try (client) {
            InputStream in = new BufferedInputStream(Channels.newInputStream(client));
            OutputStream out = Channels.newOutputStream(client);
            for (String line = readLine(in); line != null; line = readLine(in)) {
                answers.acquireUninterruptibly();
                try {
                    answer(line, out);
                } finally {
                    answers.release();
                }
            }
        } catch (IOException e) {
            LOG.debug("control: connection ended: {}", e.toString());
        } finally {
            open.remove(client);
            connections.release();
        }
    }

    private void answer(String line, OutputStream out) throws IOException {
        Map<String, Object> last;
        try {
            JsonNode request = JSON.readTree(line);
            Command command = Command.of(request.path(ControlProtocol.COMMAND).asText());
            Object result = handler.handle(command, request, progress -> report(out, progress));
            last = Map.of(ControlProtocol.RESULT, result);
        } catch (ControlException e) {
            last = failure(e.getMessage(), e.hint());
        } catch (AskerGoneException e) {
            throw e.cause();
        } catch (JsonProcessingException | IllegalArgumentException e) {
            last = failure("not a request: " + e.getMessage(), null);
        } catch (RuntimeException e) {
            LOG.error("control: request failed", e);
            last = failure("internal error: " + e, "see the agent's log");
        }
        write(out, last);
    }

    private static Map<String, Object> failure(String message, String hint) {
        JsonNode none = JsonNodeFactory.instance.nullNode();
        return Map.of(ControlProtocol.ERROR, Map.of("message", message, "hint", hint == null ? none : hint));
    }

    /** A failure as the protocol writes it; what {@link Failure} reads. */
    private static void report(OutputStream out, Progress progress) {
        try {
            write(out, Map.of(ControlProtocol.PROGRESS, progress));
        } catch (IOException e) {
            throw new AskerGoneException(e);
        }
    }

    private static void write(OutputStream out, Map<String, Object> line) throws IOException {
        byte[] bytes = (JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8);
        out.write(bytes);
        out.flush();
    }

    private static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                return null;
            }
            if (line.size() >= MAX_REQUEST_BYTES) {
                throw new IOException("a request of more than " + MAX_REQUEST_BYTES + " bytes");
            }
            line.write(b);
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    /** Whether somebody is connected: asks, or may. */
    public boolean isConnected() {
        return !open.isEmpty();
    }

    /** Answers that are being given get a moment to be written: that to a request to end is one of them. */
    @Override
    public void close() throws IOException {
        server.close();
        try {
            if (!answers.tryAcquire(MAX_CONNECTIONS, CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.info("control: requests are broken off");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (SocketChannel client : open) {
            client.close();
        }
        Files.deleteIfExists(path);
    }

    private static final class AskerGoneException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final IOException cause;

        AskerGoneException(IOException cause) {
            super(cause);
            this.cause = cause;
        }

        IOException cause() {
            return cause;
        }
    }
}
