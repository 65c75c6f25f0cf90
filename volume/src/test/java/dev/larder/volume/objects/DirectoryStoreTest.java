package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
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

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
