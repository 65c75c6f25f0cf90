package dev.larder.volume.engine;

import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.Commit;
import dev.larder.volume.metadata.Metadata.Committed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Small commits that come while a statement runs share the next one: the first of them leads. A lone commit never
 * waits. The callers hold their inodes' locks, each its own, so an inode is in a statement once.
 */
final class GroupCommit {
    private static final int MEMBERS = 128;

    private final Metadata metadata;
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Member> waiting = new ArrayDeque<>();
    private final LongAdder statements = new LongAdder();
    private boolean busy;

    private static final class Member {
        final Commit commit;
        /** Completed with a result, or with null: lead. */
        final CompletableFuture<Committed> result = new CompletableFuture<>();

        Member(Commit commit) {
            this.commit = commit;
        }
    }

    GroupCommit(Metadata metadata) {
        this.metadata = metadata;
    }

    /** Commit statements so far. */
    long statements() {
        return statements.sum();
    }

    /** One statement of its own. */
    Committed alone(Commit commit) {
        statements.increment();
        return metadata.commit(Op.NONE, List.of(commit)).getFirst();
    }

    Committed commit(Commit commit) {
        Member self = new Member(commit);
        List<Member> batch = List.of();
        lock.lock();
        try {
            if (busy) {
                waiting.add(self);
            } else {
                busy = true;
                batch = List.of(self);
            }
        } finally {
            lock.unlock();
        }
        if (batch.isEmpty()) {
            Committed result = await(self);
            if (result != null) {
                return result;
            }
            batch = batchOf(self);
        }
        return lead(batch);
    }

    private List<Member> batchOf(Member self) {
        lock.lock();
        try {
            List<Member> batch = new ArrayList<>();
            batch.add(self);
            while (batch.size() < MEMBERS && !waiting.isEmpty()) {
                batch.add(waiting.poll());
            }
            return batch;
        } finally {
            lock.unlock();
        }
    }

    /** @return the answer of the first member, the leader's own */
    private Committed lead(List<Member> batch) {
        List<Member> followers = batch.subList(1, batch.size());
        try {
            statements.increment();
            List<Committed> results =
                    metadata.commit(Op.NONE, batch.stream().map(m -> m.commit).toList());
            for (int i = 0; i < followers.size(); i++) {
                followers.get(i).result.complete(results.get(i + 1));
            }
            return results.getFirst();
        } catch (RuntimeException e) {
            followers.forEach(member -> member.result.completeExceptionally(e));
            throw e;
        } finally {
            passOn();
        }
    }

    private void passOn() {
        lock.lock();
        try {
            Member next = waiting.poll();
            if (next == null) {
                busy = false;
            } else {
                next.result.complete(null);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Not interruptible: it may be told to lead. The statement has a deadline, and so has each before it. */
    private static Committed await(Member member) {
        try {
            return member.result.join();
        } catch (CompletionException e) {
            throw Failures.of("cannot commit", e.getCause());
        }
    }
}
