package dev.larder.volume.cache;

import dev.larder.volume.cache.EvictionPolicy.Slice;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Gives up clean slices when room is needed. Files that the bounded policy does not know (opened before this process
 * started, or long ago) go first. Lock order: the eviction's turn, then a file's lock, then the policy's lock.
 */
final class Eviction {
    private static final int TRACKED = 1 << 17;
    private static final int SCANNED_AT_ONCE = 4096;
    private static final int REFUSALS_AT_ONCE = 1024;

    private final EvictionPolicy policy;
    private final Index index;
    private final ReentrantLock policyLock = new ReentrantLock();
    private final ReentrantLock turn = new ReentrantLock();
    private Source source;
    private volatile boolean untracked;
    private long cursor = Long.MIN_VALUE;

    /** Where evicted bytes come from. */
    interface Source {
        /** @return bytes freed: 0 when pinned, dirty or not there */
        long evict(long inode, long from, long to);
    }

    Eviction(EvictionPolicy policy, Index index) {
        this.policy = policy;
        this.index = index;
        this.untracked = index.size() > 0;
    }

    void evictFrom(Source files) {
        source = files;
    }

    /** A read: may be lost under contention. */
    void read(Slice slice) {
        if (policyLock.tryLock()) {
            try {
                touch(slice);
            } finally {
                policyLock.unlock();
            }
        }
    }

    void filled(long inode, long from, long to) {
        policyLock.lock();
        try {
            for (long at = from; at < to; at = Slice.at(inode, at).to()) {
                touch(Slice.at(inode, at));
            }
        } finally {
            policyLock.unlock();
        }
    }

    private void touch(Slice slice) {
        policy.touched(slice);
        if (policy.size() > TRACKED) {
            policy.victim();
            untracked = true;
        }
    }

    /** @return whether at least so many bytes were freed */
    boolean free(long bytes) {
        turn.lock();
        try {
            long freed = untracked ? freeUntracked(bytes) : 0;
            return freed >= bytes || freed + freeTracked(bytes - freed) >= bytes;
        } finally {
            turn.unlock();
        }
    }

    private long freeTracked(long bytes) {
        List<Slice> kept = new ArrayList<>();
        long freed = 0;
        try {
            while (freed < bytes && kept.size() < REFUSALS_AT_ONCE) {
                Slice victim = nextVictim();
                if (victim == null) {
                    break;
                }
                long got = source.evict(victim.inode(), victim.from(), victim.to());
                freed += got;
                if (got == 0) {
                    kept.add(victim);
                }
            }
        } finally {
            keep(kept);
        }
        return freed;
    }

    /** Pinned and dirty slices stay known, as recent ones: they are not asked again at once. */
    private void keep(List<Slice> slices) {
        policyLock.lock();
        try {
            slices.forEach(policy::touched);
        } finally {
            policyLock.unlock();
        }
    }

    private Slice nextVictim() {
        policyLock.lock();
        try {
            return policy.victim();
        } finally {
            policyLock.unlock();
        }
    }

    private long freeUntracked(long bytes) {
        long freed = 0;
        for (int scanned = 0; scanned < SCANNED_AT_ONCE && freed < bytes; scanned++) {
            Long inode = index.after(cursor);
            if (inode == null) {
                untracked = cursor != Long.MIN_VALUE && scanned > 0 && freed > 0;
                cursor = Long.MIN_VALUE;
                return freed;
            }
            cursor = inode;
            for (Slice slice : unknownSlices(inode)) {
                freed += source.evict(inode, slice.from(), slice.to());
            }
        }
        return freed;
    }

    private List<Slice> unknownSlices(long inode) {
        List<Slice> unknown = new ArrayList<>();
        policyLock.lock();
        try {
            for (Piece piece : index.get(inode).clean()) {
                for (long at = piece.start();
                        at < piece.end();
                        at = Slice.at(inode, at).to()) {
                    Slice slice = Slice.at(inode, at);
                    if (!policy.contains(slice)
                            && (unknown.isEmpty() || !unknown.getLast().equals(slice))) {
                        unknown.add(slice);
                    }
                }
            }
        } finally {
            policyLock.unlock();
        }
        return unknown;
    }
}
