package dev.larder.csi;

import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * One call at a time for each volume. Another waits a little, for many pods of a node start together and each is published
 * in milliseconds, then it is answered ABORTED and kubelet comes again.
 */
public final class VolumeLocks<K> {
    private final Duration patience;
    private final ConcurrentHashMap<K, Slot> slots = new ConcurrentHashMap<>();

    private static final class Slot {
        final ReentrantLock lock = new ReentrantLock(true);
        int users;
        volatile String holder = "";
    }

    public VolumeLocks(Duration patience) {
        this.patience = patience;
    }

    /**
     * @param call its name, for the message of the one that has to wait
     * @throws CsiException ABORTED
     */
    public <T> T with(K key, String call, Supplier<T> work) {
        Slot slot = enter(key);
        try {
            if (!acquire(slot)) {
                throw new CsiException(
                        Status.Code.ABORTED, slot.holder + " for " + key + " is still under way: it is tried again");
            }
            try {
                slot.holder = call;
                return work.get();
            } finally {
                slot.lock.unlock();
            }
        } finally {
            leave(key);
        }
    }

    /** @return false when another call for it is under way: nothing was done, and nobody waited */
    public boolean tryWith(K key, String call, Runnable work) {
        Slot slot = enter(key);
        try {
            if (!slot.lock.tryLock()) {
                return false;
            }
            try {
                slot.holder = call;
                work.run();
                return true;
            } finally {
                slot.lock.unlock();
            }
        } finally {
            leave(key);
        }
    }

    private boolean acquire(Slot slot) {
        try {
            return slot.lock.tryLock(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private Slot enter(K key) {
        return slots.compute(key, (_, slot) -> {
            Slot entered = slot == null ? new Slot() : slot;
            entered.users++;
            return entered;
        });
    }

    private void leave(K key) {
        slots.computeIfPresent(key, (_, slot) -> --slot.users == 0 ? null : slot);
    }
}
