package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.HeldElsewhereException;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The lease of a node on a volume that one node at a time may use. */
class ExclusiveSessionTest {
    private static final int ROUNDS = 10;
    private static final FileTime NOW = new FileTime(1_000, 1);

    private final List<PostgresMetadata> opened = new CopyOnWriteArrayList<>();
    private TestDatabase database;

    @BeforeEach
    void create() {
        database = TestDatabase.create();
    }

    @AfterEach
    void drop() {
        opened.forEach(PostgresMetadata::abandon);
        database.close();
    }

    private MetadataOptions options(String host, boolean exclusive) {
        return database.options().withHost(host).withExclusive(exclusive).withConnections(2);
    }

    private PostgresMetadata open(String host, boolean exclusive) {
        return open(options(host, exclusive));
    }

    private PostgresMetadata open(MetadataOptions options) {
        PostgresMetadata session = PostgresMetadata.open(options);
        opened.add(session);
        return session;
    }

    private HeldElsewhereException refused(String host, boolean exclusive) {
        return refused(options(host, exclusive));
    }

    private HeldElsewhereException refused(MetadataOptions options) {
        return assertThrows(HeldElsewhereException.class, () -> open(options));
    }

    private static void make(PostgresMetadata metadata, String name, long inode) {
        metadata.create(
                Op.NONE,
                Attributes.ROOT,
                FileName.of(name),
                new NewInode(inode, Attributes.S_IFREG | 0644, 0, 0, 0, null, null, null, false, NOW));
    }

    private static void assertFenced(Runnable operation) {
        assertEquals(
                Errno.ESTALE, assertThrows(ErrnoException.class, operation::run).errno());
    }

    private void expire(PostgresMetadata session) {
        database.execute(
                "UPDATE larder.session SET expires = now() - interval '1 s' WHERE id = '" + session.session() + "'");
    }

    private void serverRunsForLong() {
        database.execute("UPDATE larder.incarnation SET began = now() - interval '1 hour'");
    }

    @Test
    void theHolderIsNamedAndItsEndFreesAtOnce() {
        PostgresMetadata holder = open("n1", true);
        HeldElsewhereException refusal = refused("n2", true);
        assertEquals(Errno.EBUSY, refusal.errno());
        assertTrue(
                refusal.reason().matches("node n1 has the volume to itself since 20[0-9-]+T[0-9:]+Z"),
                refusal.reason());
        assertEquals(refusal.reason(), refused("n3", false).reason(), "it keeps out those that share, too");
        holder.heartbeat();
        holder.close();
        PostgresMetadata next = open("n2", true);
        assertTrue(refused("n1", true).reason().startsWith("node n2 "));
        next.close();
        open("n1", false).heartbeat();
    }

    @Test
    void whoSharesIsInTheWayOfWhoWantsItAlone() {
        PostgresMetadata one = open("n1", false);
        PostgresMetadata two = open("n2", false);
        assertTrue(refused("n2", true)
                .reason()
                .matches("node n1 uses the volume since .*, and node n2 would have it to itself"));
        one.close();
        open("n2", true).heartbeat();
        two.heartbeat();
        refused("n1", false);
    }

    @Test
    void theNodeItselfMayOpenAsOftenAsItLikes() {
        PostgresMetadata one = open("n1", true);
        PostgresMetadata two = open("n1", true);
        PostgresMetadata shared = open("n1", false);
        PostgresMetadata successor = open(options("n1", true).continuing(one.session()));
        assertEquals(one.session(), successor.session());
        assertFenced(one::heartbeat);
        two.close();
        refused("n2", false);
        successor.close();
        open("n2", false).heartbeat();
        shared.heartbeat();
    }

    @Test
    void aSuccessorMayFindThatTheVolumeIsForOneNodeNow() {
        PostgresMetadata shared = open("n1", false);
        PostgresMetadata other = open("n2", false);
        MetadataOptions successor = options("n1", true).continuing(shared.session());
        refused(successor);
        shared.heartbeat();
        other.close();
        open(successor).heartbeat();
        refused("n2", false);
    }

    @Test
    void ofSeveralHostsAtOnceOneWins() throws Exception {
        List<String> hosts = List.of("n1", "n2", "n3", "n4");
        CyclicBarrier begin = new CyclicBarrier(hosts.size());
        try (ExecutorService threads = Executors.newFixedThreadPool(hosts.size())) {
            for (int round = 0; round < ROUNDS; round++) {
                List<Callable<PostgresMetadata>> openings = new ArrayList<>();
                for (String host : hosts) {
                    openings.add(() -> {
                        begin.await(1, TimeUnit.MINUTES);
                        try {
                            return open(host, true);
                        } catch (HeldElsewhereException e) {
                            return null;
                        }
                    });
                }
                int winners = 0;
                for (Future<PostgresMetadata> opening : threads.invokeAll(openings)) {
                    PostgresMetadata winner = opening.get();
                    if (winner != null) {
                        winners++;
                        winner.close();
                    }
                }
                assertEquals(1, winners);
            }
        }
    }

    @Test
    void pastItsLeaseTheHolderIsFencedByTheNext() {
        PostgresMetadata holder = open("n1", true);
        long inode = holder.leaseInodes(10);
        make(holder, "a", inode);
        expire(holder);
        refused("n2", true);
        assertEquals("f", database.ask("SELECT fenced FROM larder.session"), "within a lease of the server's start");
        serverRunsForLong();
        holder.heartbeat();
        refused("n2", true);
        expire(holder);
        PostgresMetadata next = open("n2", true);
        assertFenced(() -> make(holder, "b", inode + 1));
        assertFenced(() -> holder.unlink(Op.NONE, Attributes.ROOT, FileName.of("a"), NOW, false));
        assertFenced(() -> holder.leaseInodes(1));
        assertFenced(holder::heartbeat);
        assertEquals(2, next.heartbeat().usedInodes());
        make(next, "b", next.leaseInodes(1));
        refused(options("n1", true).continuing(holder.session()));
    }

    @Test
    void whoSharesAndIsPastItsLeaseIsFencedByWhoWantsItAlone() {
        PostgresMetadata sharing = open("n1", false);
        serverRunsForLong();
        expire(sharing);
        open("n3", false).close();
        assertEquals("f", database.ask("SELECT fenced FROM larder.session"), "it is in nobody's way");
        open("n2", true).heartbeat();
        assertFenced(sharing::heartbeat);
    }
}
