package dev.larder.protocol.custody;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.UnixSocket;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** One end of a connection between a keeper and an agent. Any thread may send; one receives. */
public final class CustodyChannel implements AutoCloseable {
    private static final Duration SEND = Duration.ofSeconds(5);
    private static final int MOST_TEXT = 4096;

    private final UnixSocket socket;
    private final ReentrantLock sending = new ReentrantLock();

    public CustodyChannel(UnixSocket socket) {
        this.socket = socket;
    }

    /** @throws IOException nobody listens there, yet */
    public static CustodyChannel connect(Path path) throws IOException {
        try {
            return new CustodyChannel(UnixSocket.connect(path));
        } catch (LinuxException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** @param fuse null = none; the receiver's to close. A message that asks for none had none */
    public record Received(CustodyMessage message, Descriptor fuse) implements AutoCloseable {
        @Override
        public void close() {
            if (fuse != null) {
                fuse.close();
            }
        }
    }

    public void send(CustodyMessage message) throws IOException {
        send(message, null);
    }

    /**
     * @param fuse null = none; stays the sender's
     * @throws IOException the other end is gone, or takes nothing
     */
    public void send(CustodyMessage message, Descriptor fuse) throws IOException {
        String text = message.text();
        CustodyMessage sent = text == null || text.length() <= MOST_TEXT
                ? message
                : new CustodyMessage(
                        message.kind(),
                        message.volume(),
                        message.negotiated(),
                        message.serving(),
                        message.refusal(),
                        text.substring(0, MOST_TEXT));
        sending.lock();
        try {
            socket.send(sent.encode(), fuse == null ? List.of() : List.of(fuse), SEND);
        } catch (LinuxException e) {
            throw new IOException(message.kind() + " could not be sent: " + e.getMessage(), e);
        } finally {
            sending.unlock();
        }
    }

    /**
     * @return null when nothing came in time
     * @throws IOException the other end is gone, or not one of ours
     */
    public Received receive(Duration timeout) throws IOException {
        UnixSocket.Message message;
        try {
            message = socket.receive(timeout);
        } catch (LinuxException e) {
            throw new IOException(e.is(LinuxErrno.ECONNRESET) ? "the other end is gone" : e.getMessage(), e);
        }
        if (message == null) {
            return null;
        }
        try {
            if (message.bytes().length == 0) {
                throw new IOException("the other end is gone");
            }
            CustodyMessage decoded = CustodyMessage.decode(message.bytes());
            if (message.descriptors().size() > 1) {
                throw new IOException(
                        decoded.kind() + " with " + message.descriptors().size() + " descriptors");
            }
            return new Received(
                    decoded,
                    message.descriptors().isEmpty()
                            ? null
                            : message.descriptors().getFirst());
        } catch (IOException | RuntimeException e) {
            message.closeDescriptors();
            throw e;
        }
    }

    public UnixSocket.Peer peer() {
        return socket.peer();
    }

    @Override
    public void close() {
        socket.close();
    }
}
