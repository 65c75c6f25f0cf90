package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryStoreTest extends ObjectStoreContract {
    @TempDir
    Path temporary;

    @Override
    ObjectStore store() throws IOException {
        return DirectoryStore.open(temporary.resolve("objects"));
    }

    @Test
    void filesBelongToTheirOwnerAlone() throws IOException {
        store().put("a/b/c", Bytes.empty(10));
        Path root = temporary.resolve("objects");
        for (String directory : new String[] {"", "a", "a/b", "~incoming"}) {
            assertEquals("rwx------", permissions(root.resolve(directory)), directory);
        }
        assertEquals("rw-------", permissions(root.resolve("a/b/c")));
        try (var left = Files.list(root.resolve("~incoming"))) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void sweepsWhatACrashedWriterLeftAndNothingElse() throws IOException {
        store();
        Path old = Files.createFile(temporary.resolve("objects/~incoming/old"));
        Path fresh = Files.createFile(temporary.resolve("objects/~incoming/fresh"));
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        ObjectStore store = store();
        assertFalse(Files.exists(old));
        assertTrue(Files.exists(fresh), "another node may be writing it");
        assertEquals(Map.of(), listed(store, ""));
    }

    @Test
    void neverFollowsASymbolicLink() throws IOException {
        ObjectStore store = store();
        Path outside = Files.createDirectory(temporary.resolve("outside"));
        Files.writeString(outside.resolve("secret"), "secret");
        Path root = temporary.resolve("objects");
        Files.createSymbolicLink(root.resolve("link"), outside);
        Files.createSymbolicLink(root.resolve("file"), outside.resolve("secret"));

        assertThrows(MissingObjectException.class, () -> store.get("link/secret", 0, Bytes.empty(6)));
        assertThrows(IOException.class, () -> store.get("file", 0, Bytes.empty(6)));
        assertThrows(MissingObjectException.class, () -> store.size("file"));
        assertThrows(IOException.class, () -> store.put("link/new", Bytes.empty(6)));
        store.delete(List.of("link/secret"));
        assertEquals(Map.of(), listed(store, ""));
        assertEquals("secret", Files.readString(outside.resolve("secret")));
        assertFalse(Files.exists(outside.resolve("new")));
    }

    @Test
    void aMissingRootIsNotAMissingObject() throws IOException {
        ObjectStore store = store();
        Files.move(temporary.resolve("objects"), temporary.resolve("unmounted"));
        var failure = assertThrows(StoreAccessException.class, () -> store.get("a/b", 0, Bytes.empty(1)));
        assertTrue(failure.getMessage().contains("mount its disk"), failure.getMessage());
        assertThrows(StoreAccessException.class, () -> store.put("a/b", Bytes.empty(1)));
        var parent = assertThrows(
                StoreAccessException.class, () -> DirectoryStore.open(temporary.resolve("no/such/parent")));
        assertTrue(parent.getMessage().contains("no/such/parent"), parent.getMessage());
    }

    @Test
    void aFailedPutLeavesNothing() throws IOException {
        ObjectStore store = store();
        Path root = temporary.resolve("objects");
        Files.writeString(root.resolve("taken"), "a file where a directory is needed");
        assertThrows(IOException.class, () -> store.put("taken/object", Bytes.empty(6)));
        try (var left = Files.list(root.resolve("~incoming"))) {
            assertEquals(0, left.count());
        }
    }

    /** Syncs, and notes which thread did so; the first one that syncs a directory is held there. */
    private static final class HeldSync implements DirectoryStore.DirectorySync {
        private final Path held;
        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);
        private final Map<Thread, List<Path>> synced = new ConcurrentHashMap<>();

        HeldSync(Path held) {
            this.held = held;
        }

        @Override
        public void sync(Path directory) throws IOException {
            if (directory.equals(held) && reached.getCount() > 0) {
                reached.countDown();
                try {
                    assertTrue(released.await(60, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                    throw new InterruptedIOException();
                }
            }
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
            synced.computeIfAbsent(Thread.currentThread(), thread -> new ArrayList<>())
                    .add(directory);
        }
    }

    /** One thread has made the directories and not synced them yet; the put of another that finds them returns. */
    @Test
    void aPutNeverReturnsBeforeItsWholePathIsDurable() throws Exception {
        Path root = temporary.resolve("objects");
        HeldSync sync = new HeldSync(root);
        try (DirectoryStore store = DirectoryStore.open(root, sync);
                ExecutorService other = Executors.newSingleThreadExecutor()) {
            Future<?> maker = other.submit(() -> {
                store.put("a/b/x", Bytes.empty(1));
                return null;
            });
            assertTrue(sync.reached.await(60, TimeUnit.SECONDS));
            sync.synced.clear();
            store.put("a/b/y", Bytes.empty(1));
            assertEquals(
                    Map.of(Thread.currentThread(), List.of(root, root.resolve("a"), root.resolve("a/b"))), sync.synced);
            store.put("a/b/z", Bytes.empty(1));
            assertEquals(4, sync.synced.get(Thread.currentThread()).size(), "the path is known by now");
            sync.released.countDown();
            maker.get(60, TimeUnit.SECONDS);
            assertEquals(Set.of("a/b/x", "a/b/y", "a/b/z"), listed(store, "").keySet());
        }
    }

    /** What another store made may not be durable either; its root is made durable when it is opened. */
    @Test
    void directoriesOfAnotherStoreAreSyncedOnce() throws IOException {
        store().put("a/b/x", Bytes.empty(1));
        Path root = temporary.resolve("objects");
        List<Path> synced = new ArrayList<>();
        try (DirectoryStore store = DirectoryStore.open(root, synced::add)) {
            assertEquals(List.of(temporary), synced);
            store.put("a/b/y", Bytes.empty(1));
            assertEquals(List.of(temporary, root, root.resolve("a"), root.resolve("a/b")), synced);
        }
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
