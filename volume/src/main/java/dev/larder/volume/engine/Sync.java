package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.LostChangesException;
import dev.larder.volume.engine.OpenInode.Mode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * fsync and sync: what is dirty is committed, what was committed is made durable, and what a crash of the database took
 * is committed again. Thread-safe.
 */
final class Sync {
    /** A crash of the database in each of them, and a sync gives up. */
    private static final int ROUNDS = 3;

    private final InodeTable table;
    private final Revalidation revalidation;
    private final OpenFiles open;
    private final Committer committer;
    private final Durability durability;
    private final Duration patience;
    private final Executor executor;

    Sync(
            InodeTable table,
            Revalidation revalidation,
            OpenFiles open,
            Committer committer,
            Durability durability,
            Duration patience,
            Executor executor) {
        this.table = table;
        this.revalidation = revalidation;
        this.open = open;
        this.committer = committer;
        this.durability = durability;
        this.patience = patience;
        this.executor = executor;
    }

    /** @throws ErrnoException EIO once, when a crash of the database took what cannot be committed again */
    void inode(long inode) {
        table.with(inode, in -> {
            open.commit(in);
            durability.flush();
            if (durability.isSuspect(inode) || durability.takeDirtyAgain(inode)) {
                table.distrust();
                recover(in);
                committer.commit(in);
                durability.flush();
            }
            if (durability.takeLost(inode)) {
                throw new ErrnoException(
                        Errno.EIO, "the database lost commits of inode " + inode + " that were not durable yet");
            }
            return 0;
        });
    }

    /** The loss of an inode that is gone is noted, too. */
    private void recover(OpenInode in) {
        in.lock.lock();
        try {
            revalidation.attributes(in);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
        } finally {
            in.lock.unlock();
        }
    }

    /** Commits what is dirty, of many inodes at once. */
    void commitAll() {
        List<CompletableFuture<Void>> commits = new ArrayList<>();
        for (OpenInode in : table.all()) {
            if (in.pending != null || in.mode == Mode.PASSTHROUGH && in.writers > 0) {
                commits.add(CompletableFuture.runAsync(() -> table.with(in.inode, this::commitUnlessGone), executor));
            }
        }
        try {
            CompletableFuture.allOf(commits.toArray(CompletableFuture[]::new))
                    .orTimeout(2 * patience.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TimeoutException) {
                throw new ErrnoException(Errno.ETIMEDOUT, "not everything was committed in time", e);
            }
            throw Failures.of("not everything was committed", e.getCause());
        }
    }

    /** What cannot be saved with any patience is lost, which {@link #all} tells. */
    private long commitUnlessGone(OpenInode in) {
        try {
            return open.commit(in);
        } catch (ErrnoException e) {
            if (!in.gone) {
                throw e;
            }
            return 0;
        }
    }

    /**
     * Everything that a crash took is known at its end, so that it is told at once and not again.
     *
     * @throws LostChangesException when a crash of the database took commits that cannot be made again
     */
    void all() {
        for (int round = 0; round < ROUNDS; round++) {
            recoverSuspects();
            commitAll();
            durability.flush();
            if (durability.suspects().isEmpty()) {
                break;
            }
        }
        if (durability.takeUntold()) {
            throw new LostChangesException("the database lost commits, or may have");
        }
        if (!durability.suspects().isEmpty()) {
            throw new ErrnoException(Errno.EIO, "the database crashed again and again while this waited for it");
        }
    }

    /** After a crash of the database what it lost is dirty again, when the cache still has it. */
    void flushAndRecover() {
        durability.flush();
        recoverSuspects();
    }

    private void recoverSuspects() {
        List<Long> suspects = durability.suspects();
        if (suspects.isEmpty()) {
            return;
        }
        table.distrust();
        for (long inode : suspects) {
            table.with(inode, in -> {
                recover(in);
                return 0;
            });
        }
    }
}
