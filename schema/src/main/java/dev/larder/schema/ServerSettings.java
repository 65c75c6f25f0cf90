package dev.larder.schema;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;

/** The embedded server's settings, written anew at each start so that a newer version's apply to an old directory. */
final class ServerSettings {
    /** Included by postgresql.conf. */
    static final String FILE = "larder.conf";

    /** What both servers share. */
    private static final String COMMON = """
            jit = off
            # replica, so that a backup can follow the log later
            wal_level = replica
            max_wal_size = 1GB
            checkpoint_timeout = 15min
            wal_compression = on
            # what a crash of the server may lose of asynchronous commits is three of these
            wal_writer_delay = 10ms
            # small hot tables (slots, sessions) are updated thousands of times a second
            autovacuum_naptime = 10s
            autovacuum_vacuum_scale_factor = 0.1
            autovacuum_vacuum_cost_limit = 1000
            max_worker_processes = 4
            max_parallel_workers_per_gather = 0
            log_line_prefix = '%m [%p] %u@%d '
            log_min_error_statement = panic
            """;

    private ServerSettings() {}

    static void write(Path data, Path sockets, Path log, int port, ServerAccount account) throws IOException {
        Path file = data.resolve(FILE);
        Files.writeString(file, text(sockets, log, port));
        account.give(file);
    }

    private static String text(Path sockets, Path log, int port) {
        return """
            listen_addresses = '127.0.0.1'
            port = %d
            unix_socket_directories = %s
            max_connections = 100
            shared_buffers = 96MB
            logging_collector = on
            log_directory = %s
            log_filename = 'postgresql-%%a.log'
            log_truncate_on_rotation = on
            log_rotation_age = 1d
            log_rotation_size = 0
            """.formatted(port, quoted(shortEnough(sockets)), quoted(log.toString())) + COMMON;
    }

    /** Of the server that {@link PostgresServer} runs: over TCP alone, its log on standard error. */
    static String serverText(PostgresServerOptions options) {
        String tls = options.tls()
                ? "ssl = on\nssl_cert_file = %s\nssl_key_file = %s\nssl_min_protocol_version = 'TLSv1.2'\n"
                        .formatted(
                                quoted(options.certificate().toString()),
                                quoted(options.key().toString()))
                : "ssl = off\n";
        return """
            listen_addresses = %s
            port = %d
            unix_socket_directories = ''
            max_connections = %d
            shared_buffers = %s
            password_encryption = 'scram-sha-256'
            logging_collector = off
            log_destination = 'stderr'
            """.formatted(
                        quoted(options.listen()), options.port(), options.maxConnections(), options.sharedBuffers())
                + tls
                + COMMON;
    }

    /** A socket's path has at most 107 bytes (unix(7)); the server listens on TCP anyway. */
    private static String shortEnough(Path sockets) {
        return sockets.resolve(".s.PGSQL.65535.lock").toString().length() > 100 ? "" : sockets.toString();
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
    }

    /** The kept port while it is free, else the wanted one (0: any). */
    static int choosePort(Path kept, int wanted) throws IOException {
        if (wanted != 0) {
            if (!isFree(wanted)) {
                throw new PostgresException("port " + wanted
                        + " of 127.0.0.1, wanted for the embedded PostgreSQL, is in" + " use; choose another or none");
            }
            Files.writeString(kept, wanted + "\n");
            return wanted;
        }
        if (Files.exists(kept)) {
            int port = Integer.parseInt(Files.readString(kept).strip());
            if (isFree(port)) {
                return port;
            }
        }
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Files.writeString(kept, any.getLocalPort() + "\n");
            return any.getLocalPort();
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
