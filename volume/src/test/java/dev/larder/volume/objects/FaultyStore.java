package dev.larder.volume.objects;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** A store that fails on request: each put and each get takes one fault of its queue, none when it is empty. */
final class FaultyStore implements ObjectStore {
    enum Fault {
        NONE,
        ERROR,
        REFUSED,
        HALF_BODY,
        /** Answers as if all were well, with bytes that are not the object's. */
        WRONG_BYTE,
        /** Fills half and says nothing. */
        SILENT_HALF,
        /** Until the store is closed or the thread is interrupted. */
        HANG,
        /** As HANG, and deaf to interrupts; writes its bytes when it is let go. */
        HANG_DEAF
    }

    final Queue<Fault> gets = new ConcurrentLinkedQueue<>();
    final Queue<Fault> puts = new ConcurrentLinkedQueue<>();
    final AtomicInteger getCount = new AtomicInteger();
    final AtomicInteger putCount = new AtomicInteger();
    final AtomicInteger deafEnded = new AtomicInteger();
    final CountDownLatch release = new CountDownLatch(1);
    private final ObjectStore store;

    FaultyStore(ObjectStore store) {
        this.store = store;
    }

    @Override
    public void put(String key, MemorySegment bytes) throws IOException {
        putCount.incrementAndGet();
        fail(puts.poll());
        store.put(key, bytes);
    }

    @Override
    public void get(String key, long offset, MemorySegment into) throws IOException {
        getCount.incrementAndGet();
        Fault fault = gets.poll();
        fail(fault);
        long half = into.byteSize() / 2;
        switch (fault) {
            case HALF_BODY -> {
                store.get(key, offset, into.asSlice(0, half));
                throw new EOFException("half a body");
            }
            case SILENT_HALF -> store.get(key, offset, into.fill((byte) 0x5a).asSlice(0, half));
            case WRONG_BYTE -> {
                store.get(key, offset, into);
                into.set(ValueLayout.JAVA_BYTE, half, (byte) ~into.get(ValueLayout.JAVA_BYTE, half));
            }
            case null, default -> store.get(key, offset, into);
        }
        if (fault == Fault.HANG_DEAF) {
            deafEnded.incrementAndGet();
        }
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
        return "faulty " + store.describe();
    }

    @Override
    public void close() {
        release.countDown();
        store.close();
    }

    private void fail(Fault fault) throws IOException {
        switch (fault) {
            case ERROR -> throw new IOException("injected");
            case REFUSED -> throw new StoreAccessException("injected refusal");
            case HANG -> hang();
            case HANG_DEAF -> hangDeaf();
            case null, default -> {}
        }
    }

    private void hang() throws InterruptedIOException {
        try {
            release.await();
        } catch (InterruptedException interrupted) {
            throw new InterruptedIOException("left");
        }
    }

    private void hangDeaf() {
        boolean released = false;
        while (!released) {
            try {
                release.await();
                released = true;
            } catch (InterruptedException ignored) {
                // That is what deaf means.
            }
        }
    }
}
