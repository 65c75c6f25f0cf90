package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeteredStoreTest extends ObjectStoreContract {
    @TempDir
    Path temporary;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @Override
    ObjectStore store() throws IOException {
        return new MeteredStore(DirectoryStore.open(temporary.resolve("objects")), registry, Tags.of("volume", "v"));
    }

    @Test
    void countsByOperation() throws IOException {
        ObjectStore store = store();
        store.put("a", Bytes.empty(1000));
        store.get("a", 10, Bytes.empty(300));
        assertThrows(MissingObjectException.class, () -> store.get("b", 0, Bytes.empty(7)));
        assertEquals(1, count("larder_object_requests", "put"));
        assertEquals(1000, count("larder_object_bytes", "put"));
        assertEquals(2, count("larder_object_requests", "get"));
        assertEquals(300, count("larder_object_bytes", "get"));
        assertEquals(
                1,
                registry.get("larder_object_errors")
                        .tags("operation", "get", "kind", "missing")
                        .counter()
                        .count());
        assertEquals(
                2,
                registry.get("larder_object_latency")
                        .tags("operation", "get")
                        .timer()
                        .count());
    }

    private double count(String name, String operation) {
        return registry.get(name)
                .tags("operation", operation, "volume", "v")
                .counter()
                .count();
    }
}
