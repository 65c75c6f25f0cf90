package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two sessions at the same names. */
class NameRacesTest {
    private static final int FILE = Attributes.S_IFREG | 0644;
    private static final int DIRECTORY = Attributes.S_IFDIR | 0755;
    private static final int ROUNDS = 150;

    /** Every directory's link count is 2 + its subdirectories; every file's, the number of its names. */
    private static final String WRONG_LINK_COUNTS = """
        SELECT count(*) FROM larder.inode n WHERE n.nlink <> CASE
            WHEN n.mode & 61440 = 16384 THEN
                CASE WHEN n.ino = 1 OR EXISTS (SELECT FROM larder.dentry d WHERE d.ino = n.ino)
                THEN 2 + (SELECT count(*) FROM larder.dentry d WHERE d.parent = n.ino AND d.type = 4) ELSE 0 END
            ELSE (SELECT count(*) FROM larder.dentry d WHERE d.ino = n.ino) END""";

    private static final String ORPHANS = """
        SELECT count(*) FROM larder.dentry d
        WHERE NOT EXISTS (SELECT FROM larder.inode p WHERE p.ino = d.parent AND p.nlink > 0)""";

    private static final String UNREACHABLE = """
        WITH RECURSIVE reached AS (
            SELECT 1::bigint AS ino UNION SELECT d.ino FROM reached r JOIN larder.dentry d ON d.parent = r.ino)
        SELECT count(*) FROM larder.dentry d WHERE d.ino NOT IN (SELECT ino FROM reached)""";

    private static final String WRONG_PARENTS = """
        SELECT count(*) FROM larder.dentry d JOIN larder.inode n ON n.ino = d.ino
        WHERE d.type = 4 AND n.parent <> d.parent""";

    private final AtomicLong nextInode = new AtomicLong();
    private final AtomicLong clock = new AtomicLong(1_000);
    private TestDatabase database;
    private PostgresMetadata one;
    private PostgresMetadata two;

    @BeforeEach
    void open() {
        database = TestDatabase.create();
        one = database.open();
        two = database.open();
        nextInode.set(one.leaseInodes(100_000));
    }

    @AfterEach
    void close() {
        one.close();
        two.close();
        database.close();
    }

    private FileTime tick() {
        return new FileTime(clock.incrementAndGet(), 0);
    }

    private Attributes make(PostgresMetadata metadata, long parent, String name, int mode) {
        return metadata.create(
                Op.NONE,
                parent,
                FileName.of(name),
                new NewInode(nextInode.getAndIncrement(), mode, 0, 0, 0, null, null, null, false, tick()));
    }

    private interface Round {
        void run(PostgresMetadata metadata, Random random);
    }

    /** Each round may be refused; nothing else may go wrong. Four threads, two of each session. */
    private void race(int rounds, Round round) throws InterruptedException, ExecutionException, TimeoutException {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Random random = new Random(42L + i);
                PostgresMetadata metadata = i % 2 == 0 ? one : two;
                running.add(threads.submit(() -> {
                    for (int n = 0; n < rounds; n++) {
                        try {
                            round.run(metadata, random);
                        } catch (ErrnoException e) {
                            switch (e.errno()) {
                                case ENOENT, EEXIST, ENOTEMPTY, EINVAL, ENOTDIR, EISDIR -> {}
                                default -> throw e;
                            }
                        }
                    }
                }));
            }
            for (Future<?> one : running) {
                one.get(5, TimeUnit.MINUTES);
            }
        }
        assertConsistent();
    }

    private void assertConsistent() {
        assertEquals("0", database.ask(WRONG_LINK_COUNTS), "link counts");
        assertEquals("0", database.ask(ORPHANS), "names in removed directories");
        assertEquals("0", database.ask(UNREACHABLE), "names in a cycle");
        assertEquals("0", database.ask(WRONG_PARENTS), "parents");
        assertEquals(
                database.ask("SELECT count(*) FROM larder.inode WHERE nlink > 0"),
                Long.toString(one.heartbeat().usedInodes()),
                "usage");
    }

    @Test
    void renamesNeverMakeACycle() throws Exception {
        List<Long> directories = new ArrayList<>(List.of(1L));
        for (String name : List.of("a", "b", "c", "d")) {
            directories.add(make(one, 1, name, DIRECTORY).inode());
        }
        List<String> names = List.of("a", "b", "c", "d");
        race(
                ROUNDS,
                (metadata, random) -> metadata.rename(
                        Op.NONE,
                        directories.get(random.nextInt(5)),
                        FileName.of(names.get(random.nextInt(4))),
                        directories.get(random.nextInt(5)),
                        FileName.of(names.get(random.nextInt(4))),
                        random.nextInt(4) == 0 ? 2 : 0,
                        tick(),
                        false));
    }

    @Test
    void createAndRmdirExcludeEachOther() throws Exception {
        race(ROUNDS, (metadata, random) -> {
            switch (random.nextInt(4)) {
                case 0 -> make(metadata, 1, "d", DIRECTORY);
                case 1 -> metadata.rmdir(Op.NONE, 1, FileName.of("d"), tick());
                case 2 -> make(metadata, metadata.lookup(1, FileName.of("d")).inode(), "f", FILE);
                default ->
                    metadata.unlink(
                            Op.NONE, metadata.lookup(1, FileName.of("d")).inode(), FileName.of("f"), tick(), false);
            }
        });
    }

    @Test
    void linkAndUnlinkCountExactly() throws Exception {
        race(ROUNDS, (metadata, random) -> {
            FileName name = FileName.of("f" + random.nextInt(3));
            switch (random.nextInt(4)) {
                case 0 -> make(metadata, 1, name.toString(), FILE);
                case 1 ->
                    metadata.link(
                            Op.NONE, metadata.lookup(1, name).inode(), 1, FileName.of("f" + random.nextInt(3)), tick());
                case 2 -> metadata.unlink(Op.NONE, 1, name, tick(), random.nextBoolean());
                default -> metadata.rename(Op.NONE, 1, name, 1, FileName.of("f" + random.nextInt(3)), 0, tick(), false);
            }
        });
    }

    @Test
    void oneOfManyCreatorsWins() throws Exception {
        long home = make(one, 1, "home", DIRECTORY).inode();
        race(ROUNDS, (metadata, random) -> make(metadata, home, "n" + random.nextInt(200), FILE));
        assertTrue(one.list(home, 0, 1000, false).size() > 100);
        assertEquals(
                database.ask("SELECT max(ctime_s) FROM larder.inode WHERE ino > " + home),
                Long.toString(one.attributes(home).mtime().seconds()));
    }
}
