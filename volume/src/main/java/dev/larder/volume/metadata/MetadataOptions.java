package dev.larder.volume.metadata;

import java.time.Duration;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * How a session reaches its volume's database.
 *
 * @param url jdbc:postgresql://host:port/database, without credentials
 * @param user the volume's login
 * @param password asked for each new connection, so that a rotated one is found; never logged
 * @param host this node's name: for people, and to tell this node's sessions from others'
 * @param mount where it is mounted, for people
 * @param exclusive no other host may have a session of this volume meanwhile
 * @param lease how long the session lives without a heartbeat; longer than the longest take-over
 * @param connections at most; idle ones are closed
 * @param budget of the connections of all volumes of this process
 * @param slots mutations at the same time; a finished one's replay record is kept until all others were used
 * @param deadline how long operations wait for a database that does not answer, from the beginning of its silence
 * @param continued the session of a dead agent to take over, or null for a new one
 */
public record MetadataOptions(
        String url,
        String user,
        Supplier<String> password,
        String host,
        String mount,
        boolean exclusive,
        Duration lease,
        int connections,
        ConnectionBudget budget,
        int slots,
        Duration deadline,
        UUID continued) {
    public static final Duration DEFAULT_LEASE = Duration.ofMinutes(1);
    public static final int DEFAULT_CONNECTIONS = 8;
    public static final int DEFAULT_SLOTS = 32;
    public static final Duration DEFAULT_DEADLINE = Duration.ofMinutes(1);

    public MetadataOptions {
        if (connections < 1 || slots < connections || slots > 1024) {
            throw new IllegalArgumentException(
                    "metadata connections must be 1 or more and slots from there to 1024, not " + connections + " and "
                            + slots);
        }
        if (lease.compareTo(Duration.ofMillis(1)) < 0 || deadline.compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException("metadata lease and deadline must be positive");
        }
    }

    public static MetadataOptions of(String url, String user, Supplier<String> password, String host, String mount) {
        return new MetadataOptions(
                url,
                user,
                password,
                host,
                mount,
                false,
                DEFAULT_LEASE,
                DEFAULT_CONNECTIONS,
                ConnectionBudget.UNLIMITED,
                DEFAULT_SLOTS,
                DEFAULT_DEADLINE,
                null);
    }

    public MetadataOptions withHost(String newHost) {
        return new MetadataOptions(
                url, user, password, newHost, mount, exclusive, lease, connections, budget, slots, deadline, continued);
    }

    public MetadataOptions withExclusive(boolean newExclusive) {
        return new MetadataOptions(
                url, user, password, host, mount, newExclusive, lease, connections, budget, slots, deadline, continued);
    }

    public MetadataOptions withLease(Duration newLease) {
        return new MetadataOptions(
                url, user, password, host, mount, exclusive, newLease, connections, budget, slots, deadline, continued);
    }

    public MetadataOptions withConnections(int newConnections) {
        return new MetadataOptions(
                url,
                user,
                password,
                host,
                mount,
                exclusive,
                lease,
                newConnections,
                budget,
                Math.max(slots, newConnections),
                deadline,
                continued);
    }

    public MetadataOptions withBudget(ConnectionBudget newBudget) {
        return new MetadataOptions(
                url, user, password, host, mount, exclusive, lease, connections, newBudget, slots, deadline, continued);
    }

    public MetadataOptions withDeadline(Duration newDeadline) {
        return new MetadataOptions(
                url, user, password, host, mount, exclusive, lease, connections, budget, slots, newDeadline, continued);
    }

    public MetadataOptions continuing(UUID session) {
        return new MetadataOptions(
                url, user, password, host, mount, exclusive, lease, connections, budget, slots, deadline, session);
    }
}
