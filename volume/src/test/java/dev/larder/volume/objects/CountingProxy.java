package dev.larder.volume.objects;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A forward HTTP proxy of few lines: one request a connection, remembered by its first line and its credentials. */
final class CountingProxy implements AutoCloseable {
    private static final Pattern REQUEST = Pattern.compile("(\\S+) http://([^:/]+):(\\d+)(/\\S*) HTTP/1.1");

    final List<String> requests = new CopyOnWriteArrayList<>();
    final List<String> authorizations = new CopyOnWriteArrayList<>();
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

    CountingProxy() throws IOException {
        Thread.ofVirtual().start(this::accept);
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            InputStream in = new BufferedInputStream(client.getInputStream());
            Matcher request = REQUEST.matcher(line(in));
            if (!request.matches()) {
                return;
            }
            requests.add(request.group(1) + " " + request.group(4));
            try (Socket server = new Socket(request.group(2), Integer.parseInt(request.group(3)))) {
                OutputStream out = server.getOutputStream();
                write(out, request.group(1) + " " + request.group(4) + " HTTP/1.1");
                long body = headers(in, out);
                for (long left = body; left > 0; left--) {
                    out.write(in.read());
                }
                out.flush();
                server.getInputStream().transferTo(client.getOutputStream());
            }
        } catch (IOException gone) {
            requests.add("failed: " + gone.getMessage());
        }
    }

    private long headers(InputStream in, OutputStream out) throws IOException {
        long body = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            String lower = header.toLowerCase(java.util.Locale.ROOT);
            if (lower.startsWith("proxy-authorization:")) {
                authorizations.add(header.substring(header.indexOf(':') + 1).strip());
            } else if (!lower.startsWith("connection:")
                    && !lower.startsWith("proxy-connection:")
                    && !lower.startsWith("upgrade:")
                    && !lower.startsWith("expect:")) {
                write(out, header);
            }
            if (lower.startsWith("content-length:")) {
                body = Long.parseLong(header.substring(header.indexOf(':') + 1).strip());
            }
        }
        write(out, "Connection: close");
        write(out, "");
        return body;
    }

    private static void write(OutputStream out, String line) throws IOException {
        out.write((line + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
            if (next != '\r') {
                line.write(next);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }
}
