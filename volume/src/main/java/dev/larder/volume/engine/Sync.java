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
            if (durability.isSuspect(inode)) {
                commitAgain(in);
            }
            if (durability.takeLost(inode)) {
                throw new ErrnoException(
                        Errno.EIO, "the database lost commits of inode " + inode + " that were not durable yet");
            }
            return 0;
        });
    }

    private void commitAgain(OpenInode in) {
        table.distrust();
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
        committer.commit(in);
        durability.flush();
    }

    /** Commits what is dirty, of many inodes at once. */
    void commitAll() {
        List<CompletableFuture<Void>> commits = new ArrayList<>();
        for (OpenInode in : table.all()) {
            if (in.pending != null || in.mode == Mode.PASSTHROUGH && in.writers > 0) {
                commits.add(CompletableFuture.runAsync(() -> table.with(in.inode, open::commit), executor));
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

    /** @throws LostChangesException when a crash of the database took commits that cannot be made again; says so once */
    void all() {
        commitAll();
        flushAndCommitAgain();
        if (durability.takeUntold()) {
            throw new LostChangesException("the database lost commits that were not durable yet");
        }
    }

    /** After a crash of the database what it lost is committed again, when the cache still has it. */
    void flushAndCommitAgain() {
        durability.flush();
        for (long inode : durability.suspects()) {
            table.with(inode, in -> {
                commitAgain(in);
                return 0;
            });
        }
    }
}
