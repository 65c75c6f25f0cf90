package dev.larder.e2e;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An address that stays while the server behind it is replaced by another one. */
final class Forwarder implements AutoCloseable {
    private static final int NOWHERE = 0;

    private final ServerSocket listener;
    private final ExecutorService relays = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile int target;

    /** @param target a port of the loopback address */
    Forwarder(int target) throws IOException {
        this.target = target;
        this.listener = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        relays.execute(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /** Every connection ends, and new ones too, until there is a new target. */
    void cut() {
        target = NOWHERE;
        open.forEach(Forwarder::close);
    }

    void to(int port) {
        target = port;
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                relays.execute(() -> relay(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void relay(Socket client) {
        open.add(client);
        int port = target;
        if (port == NOWHERE) {
            close(client);
            return;
        }
        try (Socket server = new Socket(InetAddress.getLoopbackAddress(), port)) {
            open.add(server);
            if (target != port) {
                return;
            }
            server.setTcpNoDelay(true);
            client.setTcpNoDelay(true);
            relays.execute(() -> pass(server, client));
            pass(client, server);
        } catch (IOException e) {
            // The client finds its connection closed.
        } finally {
            close(client);
        }
    }

    private void pass(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // Either end has closed, or the connection was cut.
        } finally {
            close(from);
            close(to);
            open.remove(from);
            open.remove(to);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is closed.
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
        relays.close();
    }
}
