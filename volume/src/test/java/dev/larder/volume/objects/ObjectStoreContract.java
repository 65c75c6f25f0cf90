package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What every {@link ObjectStore} must do. */
abstract class ObjectStoreContract {
    /** Empty, and not shared with another test. */
    abstract ObjectStore store() throws IOException;

    private final Random random = new Random(20261125);

    @Test
    void givesBackWhatWasPut() throws IOException {
        ObjectStore store = store();
        for (int size : new int[] {0, 1, 100, 65_536, 262_144, 262_145, 1_500_000}) {
            MemorySegment bytes = Bytes.random(random, size);
            String key = "sizes/of-" + size;
            store.put(key, bytes);
            assertEquals(size, store.size(key));
            MemorySegment read = Bytes.empty(size);
            store.get(key, 0, read);
            assertEquals(-1, read.mismatch(bytes), "size " + size);
        }
    }

    @Test
    void readsAnyRange() throws IOException {
        ObjectStore store = store();
        int size = 1_000_003;
        MemorySegment bytes = Bytes.random(random, size);
        store.put("ranges", bytes);
        List<int[]> ranges = new ArrayList<>(List.of(
                new int[] {0, 1},
                new int[] {size - 1, size},
                new int[] {262_143, 262_145},
                new int[] {262_144, 524_288},
                new int[] {0, size}));
        for (int i = 0; i < 30; i++) {
            int from = random.nextInt(size);
            ranges.add(new int[] {from, from + 1 + random.nextInt(size - from)});
        }
        for (int[] range : ranges) {
            MemorySegment into = Bytes.empty(range[1] - range[0]);
            store.get("ranges", range[0], into);
            assertEquals(-1, into.mismatch(bytes.asSlice(range[0], into.byteSize())), range[0] + " to " + range[1]);
        }
    }

    @Test
    void readingPastTheEndFails() throws IOException {
        ObjectStore store = store();
        store.put("short", Bytes.random(random, 1000));
        IOException failure = assertThrows(IOException.class, () -> store.get("short", 900, Bytes.empty(200)));
        assertTrue(failure.getMessage().contains("short"), failure.getMessage());
    }

    @Test
    void missingObjectsAreNamed() throws IOException {
        ObjectStore store = store();
        assertThrows(MissingObjectException.class, () -> store.get("no/such", 0, Bytes.empty(1)));
        assertThrows(MissingObjectException.class, () -> store.size("no/such"));
        assertDoesNotThrow(() -> store.delete(List.of("no/such", "nor-this")));
    }

    @Test
    void replacesWholeObjects() throws IOException {
        ObjectStore store = store();
        store.put("twice", Bytes.random(random, 700_000));
        MemorySegment second = Bytes.random(random, 300);
        store.put("twice", second);
        assertEquals(300, store.size("twice"));
        MemorySegment read = Bytes.empty(300);
        store.get("twice", 0, read);
        assertEquals(-1, read.mismatch(second));
    }

    @Test
    void deletesAndLists() throws IOException {
        ObjectStore store = store();
        Map<String, Long> expected = new TreeMap<>();
        for (int i = 0; i < 40; i++) {
            String key = "d" + i % 3 + "/object-" + i;
            store.put(key, Bytes.random(random, i));
            expected.put(key, (long) i);
        }
        assertEquals(expected, listed(store, ""));
        expected.keySet().removeIf(key -> !key.startsWith("d1/"));
        assertEquals(expected, listed(store, "d1/"));
        assertEquals(expected, listed(store, "d1"));
        store.delete(expected.keySet());
        assertEquals(Map.of(), listed(store, "d1/"));
        assertEquals(Map.of(), listed(store, "elsewhere/"));
    }

    @Test
    void deletesAndListsMoreThanAPage() throws IOException {
        ObjectStore store = store();
        List<String> keys = new ArrayList<>();
        MemorySegment bytes = Bytes.random(random, 3);
        for (int i = 0; i < 2_050; i++) {
            keys.add("many/" + i);
        }
        inParallel(keys, key -> {
            store.put(key, bytes);
            return null;
        });
        assertEquals(2_050, listed(store, "many/").size());
        store.delete(keys);
        assertEquals(Map.of(), listed(store, ""));
    }

    @Test
    void aReaderSeesOneVersionOrTheOther() throws IOException {
        ObjectStore store = store();
        MemorySegment zeros = Bytes.empty(400_000);
        MemorySegment ones = Bytes.empty(400_000).fill((byte) 1);
        store.put("versions", zeros);
        List<Integer> rounds = java.util.stream.IntStream.range(0, 24).boxed().toList();
        inParallel(rounds, round -> {
            if (round % 2 == 0) {
                store.put("versions", round % 4 == 0 ? ones : zeros);
                return null;
            }
            MemorySegment read = Bytes.empty(400_000);
            store.get("versions", 0, read);
            assertTrue(read.mismatch(zeros) == -1 || read.mismatch(ones) == -1, "a mixture of two versions");
            return null;
        });
    }

    @Test
    void refusesKeysThatAreNotPlain() throws IOException {
        ObjectStore store = store();
        for (String key : new String[] {
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            "a/.",
            "a b",
            "a\\b",
            "~incoming",
            "a\0b",
            "é",
            "x".repeat(513)
        }) {
            assertThrows(IllegalArgumentException.class, () -> store.put(key, Bytes.empty(1)), "'" + key + "'");
            assertThrows(IllegalArgumentException.class, () -> store.get(key, 0, Bytes.empty(1)), "'" + key + "'");
            assertThrows(IllegalArgumentException.class, () -> store.size(key), "'" + key + "'");
            assertThrows(IllegalArgumentException.class, () -> store.delete(List.of(key)), "'" + key + "'");
        }
        assertThrows(IllegalArgumentException.class, () -> store.list("../", listed -> {}));
    }

    @Test
    void probeLeavesNothing() throws IOException {
        ObjectStore store = store();
        store.probe();
        assertEquals(Map.of(), listed(store, ""));
    }

    static Map<String, Long> listed(ObjectStore store, String prefix) throws IOException {
        Map<String, Long> found = new TreeMap<>();
        store.list(prefix, each -> found.put(each.key(), each.sizeBytes()));
        return found;
    }

    static <T> void inParallel(List<T> items, Step<T> step) {
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Callable<Void>> calls = new ArrayList<>();
            for (T item : items) {
                calls.add(() -> step.run(item));
            }
            for (Future<Void> done : threads.invokeAll(calls)) {
                done.get();
            }
        } catch (Exception failure) {
            throw new AssertionError(failure);
        }
    }

    @FunctionalInterface
    interface Step<T> {
        Void run(T item) throws Exception;
    }
}
