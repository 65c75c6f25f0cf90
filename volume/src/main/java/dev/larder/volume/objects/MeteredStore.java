package dev.larder.volume.objects;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Counts what is asked of a store, by operation: larder_object_requests, larder_object_errors (by kind),
 * larder_object_bytes and larder_object_latency.
 */
public final class MeteredStore implements ObjectStore {
    private enum Operation {
        PUT,
        GET,
        HEAD,
        DELETE,
        LIST,
        PROBE
    }

    private final ObjectStore store;
    private final Map<Operation, Meters> meters = new EnumMap<>(Operation.class);

    public MeteredStore(ObjectStore store, MeterRegistry registry, Tags tags) {
        this.store = store;
        for (Operation operation : Operation.values()) {
            meters.put(
                    operation,
                    new Meters(registry, tags.and("operation", operation.name().toLowerCase(Locale.ROOT))));
        }
    }

    @Override
    public void put(String key, MemorySegment bytes) throws IOException {
        measure(Operation.PUT, bytes.byteSize(), () -> store.put(key, bytes));
    }

    @Override
    public void get(String key, long offset, MemorySegment into) throws IOException {
        measure(Operation.GET, into.byteSize(), () -> store.get(key, offset, into));
    }

    @Override
    public long size(String key) throws IOException {
        long[] size = new long[1];
        measure(Operation.HEAD, 0, () -> size[0] = store.size(key));
        return size[0];
    }

    @Override
    public void delete(Iterable<String> keys) throws IOException {
        measure(Operation.DELETE, 0, () -> store.delete(keys));
    }

    @Override
    public void list(String prefix, Consumer<Listed> each) throws IOException {
        measure(Operation.LIST, 0, () -> store.list(prefix, each));
    }

    @Override
    public void probe() throws IOException {
        measure(Operation.PROBE, 0, store::probe);
    }

    @Override
    public String describe() {
        return store.describe();
    }

    @Override
    public void close() {
        store.close();
    }

    /** Objects written so far, failures included. */
    public long puts() {
        return (long) meters.get(Operation.PUT).requests.count();
    }

    /** Reads so far, of whole objects or ranges, failures included. */
    public long gets() {
        return (long) meters.get(Operation.GET).requests.count();
    }

    private void measure(Operation operation, long bytes, Request request) throws IOException {
        Meters meter = meters.get(operation);
        long begin = System.nanoTime();
        meter.requests.increment();
        try {
            request.run();
            meter.bytes.increment((double) bytes);
        } catch (MissingObjectException absent) {
            meter.missing.increment();
            throw absent;
        } catch (StoreAccessException refusal) {
            meter.refused.increment();
            throw refusal;
        } catch (IOException | RuntimeException failure) {
            meter.failed.increment();
            throw failure;
        } finally {
            meter.latency.record(System.nanoTime() - begin, TimeUnit.NANOSECONDS);
        }
    }

    @FunctionalInterface
    private interface Request {
        void run() throws IOException;
    }

    private static final class Meters {
        final Counter requests;
        final Counter bytes;
        final Counter missing;
        final Counter refused;
        final Counter failed;
        final Timer latency;

        Meters(MeterRegistry registry, Tags tags) {
            requests = registry.counter("larder_object_requests", tags);
            bytes = registry.counter("larder_object_bytes", tags);
            missing = registry.counter("larder_object_errors", tags.and("kind", "missing"));
            refused = registry.counter("larder_object_errors", tags.and("kind", "refused"));
            failed = registry.counter("larder_object_errors", tags.and("kind", "failed"));
            latency = registry.timer("larder_object_latency", tags);
        }
    }
}
