package dev.larder.e2e;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Stands before an HTTP server and passes requests on, one a connection, until it is told to misbehave. */
final class FaultyProxy implements AutoCloseable {
    enum Fault {
        /** 500 InternalError. */
        ERROR,
        /** 503 SlowDown. */
        SLOW_DOWN,
        /** The head promises a whole body, the connection closes after half of it. */
        HALF,
        /** One byte in the middle of a body is another one. */
        WRONG,
        /** No answer, as long as the client likes to wait. */
        NEVER
    }

    private static final Pattern LENGTH = Pattern.compile("(?im)^content-length:\\s*(\\d+)\\s*$");
    private static final int MOST_HEAD_BYTES = 64 << 10;

    private final int target;
    private final ServerSocket listener;
    private final ExecutorService relays = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger left = new AtomicInteger();
    private final AtomicInteger met = new AtomicInteger();
    private volatile Fault fault;

    /** @param target a port of the loopback address */
    FaultyProxy(int target) throws IOException {
        this.target = target;
        this.listener = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        relays.execute(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /** From now on the next so many requests fail. */
    void fail(Fault how, int requests) {
        met.set(0);
        left.set(requests);
        fault = how;
    }

    /** Everything works again; who waits for an answer finds the connection closed. */
    void recover() {
        left.set(0);
        fault = null;
        open.forEach(FaultyProxy::close);
    }

    /** Requests that met the fault. */
    int met() {
        return met.get();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                open.add(client);
                relays.execute(() -> relay(client));
            } catch (IOException e) {
                close(listener);
            }
        }
    }

    private void relay(Socket client) {
        try (client) {
            InputStream in = new BufferedInputStream(client.getInputStream());
            String head = head(in);
            if (head.isEmpty()) {
                return;
            }
            if (head.toLowerCase(Locale.ROOT).contains("\nexpect: 100-continue")) {
                client.getOutputStream().write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            }
            byte[] body = in.readNBytes(length(head));
            answer(client, head, body, next());
        } catch (SocketException e) {
            // The other side has had enough, or the fault was taken away.
            open.remove(client);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } finally {
            open.remove(client);
        }
    }

    private Fault next() {
        Fault now = fault;
        if (now == null || left.getAndUpdate(count -> Math.max(0, count - 1)) == 0) {
            return null;
        }
        met.incrementAndGet();
        return now;
    }

    private void answer(Socket client, String head, byte[] body, Fault now) throws IOException {
        OutputStream out = client.getOutputStream();
        boolean upload = body.length > 0;
        switch (now) {
            case null -> out.write(ask(head, body));
            case ERROR -> out.write(refusal("500 Internal Server Error", "InternalError"));
            case SLOW_DOWN -> out.write(refusal("503 Slow Down", "SlowDown"));
            case HALF -> {
                byte[] whole = ask(head, body);
                int begin = bodyBegin(whole);
                out.write(whole, 0, begin + (whole.length - begin) / 2);
            }
            case WRONG -> out.write(upload ? ask(head, flipped(body, 0)) : flippedAnswer(ask(head, body)));
            case NEVER -> client.getInputStream().transferTo(OutputStream.nullOutputStream());
        }
        out.flush();
    }

    private static byte[] flippedAnswer(byte[] answer) {
        return flipped(answer, bodyBegin(answer));
    }

    private static byte[] flipped(byte[] bytes, int begin) {
        if (begin < bytes.length) {
            bytes[begin + (bytes.length - begin) / 2] ^= 0x10;
        }
        return bytes;
    }

    private static byte[] refusal(String status, String code) {
        String body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>as asked</Message></Error>";
        return ("HTTP/1.1 " + status + "\r\nContent-Type: application/xml\r\nContent-Length: " + body.length()
                        + "\r\nConnection: close\r\n\r\n" + body)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** The server's whole answer. */
    private byte[] ask(String head, byte[] body) throws IOException {
        String once = head.replaceAll("(?im)^(connection|expect):.*\r\n", "") + "Connection: close\r\n\r\n";
        try (Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
            server.getOutputStream().write(once.getBytes(StandardCharsets.ISO_8859_1));
            server.getOutputStream().write(body);
            server.getOutputStream().flush();
            return server.getInputStream().readAllBytes();
        }
    }

    /** Up to the last header's line end; empty when the client closed. */
    private static String head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (true) {
            int next = in.read();
            if (next < 0) {
                return "";
            }
            head.write(next);
            if (head.size() > MOST_HEAD_BYTES) {
                throw new IOException("no end of the head after " + MOST_HEAD_BYTES + " bytes");
            }
            if (next == '\n') {
                String text = head.toString(StandardCharsets.ISO_8859_1);
                if (text.endsWith("\r\n\r\n")) {
                    return text.substring(0, text.length() - 2);
                }
            }
        }
    }

    private static int bodyBegin(byte[] answer) {
        return new String(answer, StandardCharsets.ISO_8859_1).indexOf("\r\n\r\n") + 4;
    }

    private static int length(String head) {
        Matcher length = LENGTH.matcher(head);
        return length.find() ? Integer.parseInt(length.group(1)) : 0;
    }

    private static void close(Closeable one) {
        try {
            one.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        close(listener);
        recover();
        relays.close();
    }
}
