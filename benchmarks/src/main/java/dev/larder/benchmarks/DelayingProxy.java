package dev.larder.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.locks.LockSupport;

/** Forwards connections to a port on loopback; every byte arrives later by a fixed time, in each direction. */
final class DelayingProxy implements AutoCloseable {
    private static final int MESSAGES = 1_024;
    private static final int BUFFER = 64 << 10;

    private final ServerSocket listener;
    private final int target;
    private final long delayNanos;

    /** @param bytes none = the end */
    private record Message(long dueNanos, byte[] bytes) {}

    DelayingProxy(int target, Duration delay) throws IOException {
        this.target = target;
        this.delayNanos = delay.toNanos();
        this.listener = new ServerSocket(0, MESSAGES, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("delaying-proxy").start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                forward(client, server);
                forward(server, client);
            } catch (IOException e) {
                if (!listener.isClosed()) {
                    System.err.println("benchmark: a connection to the database was not forwarded: " + e.getMessage());
                }
            }
        }
    }

    private void forward(Socket from, Socket to) {
        BlockingQueue<Message> messages = new ArrayBlockingQueue<>(MESSAGES);
        Thread.ofPlatform().daemon().start(() -> receive(from, messages));
        Thread.ofPlatform().daemon().start(() -> send(messages, from, to));
    }

    private void receive(Socket from, BlockingQueue<Message> messages) {
        try {
            byte[] buffer = new byte[BUFFER];
            InputStream in = from.getInputStream();
            int read = in.read(buffer);
            while (read > 0) {
                messages.put(new Message(System.nanoTime() + delayNanos, Arrays.copyOf(buffer, read)));
                read = in.read(buffer);
            }
        } catch (IOException e) {
            // the other end is told by the end of the queue
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            end(messages);
        }
    }

    private void end(BlockingQueue<Message> messages) {
        try {
            messages.put(new Message(System.nanoTime() + delayNanos, new byte[0]));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void send(BlockingQueue<Message> messages, Socket from, Socket to) {
        try (Closeable _ = from;
                Closeable _ = to) {
            OutputStream out = to.getOutputStream();
            for (Message next = messages.take(); next.bytes.length > 0; next = messages.take()) {
                for (long left = next.dueNanos - System.nanoTime();
                        left > 0;
                        left = next.dueNanos - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                out.write(next.bytes);
            }
        } catch (IOException e) {
            // the connection ended
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
