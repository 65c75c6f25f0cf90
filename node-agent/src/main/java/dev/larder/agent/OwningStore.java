package dev.larder.agent;

import dev.larder.volume.objects.ObjectStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** A store together with what it uses. @param connections closes them */
record OwningStore(ObjectStore store, Runnable connections) implements ObjectStore {
    @Override
    public void put(String key, MemorySegment bytes) throws IOException {
        store.put(key, bytes);
    }

    @Override
    public void get(String key, long offset, MemorySegment into) throws IOException {
        store.get(key, offset, into);
    }

    @Override
    public long size(String key) throws IOException {
        return store.size(key);
    }

    @Override
    public void delete(Iterable<String> keys) throws IOException {
        store.delete(keys);
    }

    @Override
    public void list(String prefix, Consumer<Listed> each) throws IOException {
        store.list(prefix, each);
    }

    @Override
    public void probe() throws IOException {
        store.probe();
    }

    @Override
    public String describe() {
        return store.describe();
    }

    @Override
    public void close() {
        store.close();
        connections.run();
    }
}
