package dev.larder.volume.engine;

import dev.larder.volume.objects.ObjectStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** A store that can be switched off, and counts. */
final class SwitchedStore implements ObjectStore {
    final AtomicInteger puts = new AtomicInteger();
    final AtomicInteger gets = new AtomicInteger();
    volatile boolean off;
    private final ObjectStore store;

    SwitchedStore(ObjectStore store) {
        this.store = store;
    }

    private void check() throws IOException {
        if (off) {
            throw new IOException("the store is switched off");
        }
    }

    @Override
    public void put(String key, MemorySegment bytes) throws IOException {
        check();
        puts.incrementAndGet();
        store.put(key, bytes);
    }

    @Override
    public void get(String key, long offset, MemorySegment into) throws IOException {
        check();
        gets.incrementAndGet();
        store.get(key, offset, into);
    }

    @Override
    public long size(String key) throws IOException {
        check();
        return store.size(key);
    }

    @Override
    public void delete(Iterable<String> keys) throws IOException {
        check();
        store.delete(keys);
    }

    @Override
    public void list(String prefix, Consumer<Listed> each) throws IOException {
        check();
        store.list(prefix, each);
    }

    @Override
    public void probe() throws IOException {
        check();
        store.probe();
    }

    @Override
    public String describe() {
        return store.describe();
    }

    @Override
    public void close() {
        store.close();
    }
}
