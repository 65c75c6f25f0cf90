package dev.larder.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.ControlProtocol.Failure;
import dev.larder.protocol.ControlProtocol.Progress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Asks an agent over its control socket. Every wait for the next line has a deadline: an agent that works sends progress.
 * Used by one thread.
 */
public final class ControlClient implements AutoCloseable {
    private static final int BUFFER_BYTES = 64 << 10;

    private final SocketChannel channel;
    private final Selector selector;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).flip();

    private ControlClient(SocketChannel channel, Selector selector) {
        this.channel = channel;
        this.selector = selector;
    }

    /** @throws IOException when nobody listens */
    public static ControlClient connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.configureBlocking(false);
            Selector selector = Selector.open();
            channel.register(selector, SelectionKey.OP_READ);
            return new ControlClient(channel, selector);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * One request.
     *
     * @param arguments beside the command
     * @param silence how long the agent may say nothing
     * @throws IOException when the connection breaks or the agent is silent too long
     * @throws AgentFailure when the agent answers with an error
     */
    public <T> T ask(
            Command command, Map<String, ?> arguments, Class<T> result, Duration silence, Consumer<Progress> progress)
            throws IOException, AgentFailure {
        ObjectMapper json = ControlProtocol.json();
        ObjectNode request = json.createObjectNode();
        request.put(ControlProtocol.COMMAND, command.word());
        arguments.forEach((key, value) -> request.set(key, json.valueToTree(value)));
        send((request + "\n").getBytes(StandardCharsets.UTF_8), silence);
        while (true) {
            JsonNode answer = json.readTree(line(silence));
            if (answer.has(ControlProtocol.PROGRESS)) {
                progress.accept(json.treeToValue(answer.get(ControlProtocol.PROGRESS), Progress.class));
            } else if (answer.has(ControlProtocol.ERROR)) {
                throw new AgentFailure(json.treeToValue(answer.get(ControlProtocol.ERROR), Failure.class));
            } else if (answer.has(ControlProtocol.RESULT)) {
                return json.treeToValue(answer.get(ControlProtocol.RESULT), result);
            } else {
                throw new IOException("the agent answered what this version does not know");
            }
        }
    }

    private void send(byte[] bytes, Duration deadline) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        SelectionKey key = channel.keyFor(selector);
        key.interestOps(SelectionKey.OP_WRITE);
        while (rest.hasRemaining()) {
            if (channel.write(rest) == 0) {
                await(deadline);
            }
        }
        key.interestOps(SelectionKey.OP_READ);
    }

    private byte[] line(Duration silence) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            while (buffer.hasRemaining()) {
                byte b = buffer.get();
                if (b == '\n') {
                    return line.toByteArray();
                }
                line.write(b);
            }
            if (line.size() > ControlProtocol.MAX_LINE_BYTES) {
                throw new IOException("the agent's answer is too long");
            }
            fill(silence);
        }
    }

    private void fill(Duration silence) throws IOException {
        buffer.clear();
        int count = channel.read(buffer);
        while (count == 0) {
            await(silence);
            count = channel.read(buffer);
        }
        buffer.flip();
        if (count < 0) {
            throw new java.io.EOFException("the agent closed the connection before it answered");
        }
    }

    private void await(Duration deadline) throws IOException {
        if (selector.select(deadline.toMillis()) == 0) {
            throw new SocketTimeoutException("the agent has said nothing for " + deadline.toSeconds() + " s");
        }
        selector.selectedKeys().clear();
    }

    @Override
    public void close() {
        try (channel;
                selector) {
            buffer.clear().flip();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close a connection with an agent", e);
        }
    }

    /** The agent's own refusal. */
    public static final class AgentFailure extends Exception {
        private static final long serialVersionUID = 1L;

        private final String hint;

        AgentFailure(Failure failure) {
            super(failure.message());
            this.hint = failure.hint();
        }

        /** What to do next, or null. */
        public String hint() {
            return hint;
        }
    }
}
