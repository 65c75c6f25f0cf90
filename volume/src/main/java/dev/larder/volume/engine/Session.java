package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.Kernel;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.Change;
import dev.larder.volume.metadata.Metadata.Heartbeat;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mount's session with the metadata: what is known, the feed that keeps it true, the lease, locks, quota and inode
 * numbers. Made first, because {@link Contents} writes through its {@link #metadata}; {@link #start}ed with them.
 */
final class Session implements Coherence.Listener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);
    private static final long CLOSE_SECONDS = 5;
    private static final int CHANGES = 65_536;

    private final Known known;
    private final Unflushed unflushed = new Unflushed();
    private final ExecutorService background = Executors.newVirtualThreadPerTaskExecutor();
    /** Statements that a change asks for; nobody waits for them, unless too many wait. */
    private final ExecutorService changes = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(CHANGES),
            Thread.ofPlatform().daemon().name("larder-changes").factory(),
            new ThreadPoolExecutor.CallerRunsPolicy());

    private final SessionMetadata metadata;
    private final Notifications notifications;
    private final Coherence coherence;
    private final SessionLoop loop;
    private final QuotaLedger quota;
    private final Locks locks;
    private final InodeNumbers inodeNumbers;
    private volatile Contents contents;
    private volatile Consumer<UUID> reborn = incarnation -> {};
    private volatile Runnable rested = () -> {};

    /**
     * @param lease how long the database keeps a session that is silent
     * @param feedInterval how long a name made elsewhere may be unknown here
     * @param idleAfter without use the mount rests; 0 = never
     * @param inherited the session is a dead process's, taken over
     */
    record Times(Duration lease, Duration feedInterval, Duration flushInterval, Duration idleAfter, boolean inherited) {
        static final Duration FLUSH_INTERVAL = Duration.ofMillis(50);
    }

    /** @param sessions opens a session; called again when one has been fenced */
    Session(Supplier<Metadata> sessions, Kernel kernel, KnownLimits limits, Times times) {
        known = new Known(limits.attributes, limits.namesPerDirectory, limits.names);
        metadata = new SessionMetadata(sessions, known, unflushed);
        notifications = new Notifications(kernel);
        coherence = new Coherence(metadata, this, notifications, times);
        loop = new SessionLoop(metadata, unflushed, this::answered, this::fenced, times.lease, times.flushInterval);
        quota = new QuotaLedger(metadata::heartbeat, this::uncommittedBytes, times.feedInterval);
        locks = new Locks(metadata, coherence, times.inherited);
        inodeNumbers = new InodeNumbers(metadata, background);
    }

    record KnownLimits(long attributes, int namesPerDirectory, long names) {
        static final KnownLimits DEFAULT = new KnownLimits(200_000, 10_000, 300_000);
    }

    void start(Contents here) {
        contents = here;
        loop.start();
        coherence.start();
    }

    /** @param told of a new incarnation, once what its crash took is known here */
    void onReborn(Consumer<UUID> told) {
        reborn = told;
    }

    /** @param told while nobody uses the mount: memory that is kept for the next use can be given up */
    void onRested(Runnable told) {
        rested = told;
    }

    SessionMetadata metadata() {
        return metadata;
    }

    Known known() {
        return known;
    }

    Unflushed unflushed() {
        return unflushed;
    }

    /** For work that nobody waits for. */
    Executor background() {
        return background;
    }

    Notifications notifications() {
        return notifications;
    }

    /**
     * Before an open: what other sessions committed before the call is known here, and the kernel's attributes of it are
     * dropped. After a lost feed the kernel's attributes are dropped inode by inode, as they are opened, until all of
     * them have expired.
     */
    void awaitFresh(long inode, long kernelTimeoutMillis) {
        coherence.awaitFresh();
        if (coherence.lostWithin(kernelTimeoutMillis)) {
            notifications.attributes(inode);
        }
    }

    /** An operation was told that this session is no longer: a new one begins at once. */
    void fencedNow() {
        loop.wake();
    }

    Coherence coherence() {
        return coherence;
    }

    QuotaLedger quota() {
        return quota;
    }

    Locks locks() {
        return locks;
    }

    InodeNumbers inodeNumbers() {
        return inodeNumbers;
    }

    @Override
    public void change(Change change) {
        switch (change.kind()) {
            case ENTRY -> entryChanged(change);
            case ATTRIBUTES -> known.changed(change.inode());
            case CONTENT -> {
                known.changed(change.inode());
                contents.changed(change.inode(), change.offset(), change.length());
            }
            case UNLINKED -> {
                entryChanged(change);
                unlinkedElsewhere(change.inode());
            }
            case UNLOCKED -> locks.wake(change.inode());
        }
    }

    private void entryChanged(Change change) {
        known.changed(change.inode());
        known.entryChanged(change.parent(), change.name());
    }

    private void unlinkedElsewhere(long inode) {
        changes.execute(() -> {
            try {
                if (contents.isOpen(inode)) {
                    metadata.hold(List.of(inode));
                }
                contents.unlinked(inode);
            } catch (ErrnoException e) {
                LOG.warn("an inode unlinked elsewhere was not held: inode={} {}", inode, e.getMessage());
            }
        });
    }

    @Override
    public void lost() {
        known.clear();
        contents.distrust();
    }

    @Override
    public boolean seen(UUID incarnation, int otherSessions) {
        quota.otherSessions(otherSessions);
        boolean other = unflushed.seen(incarnation);
        if (other) {
            LOG.warn("the database restarted: incarnation={}; caches are dropped, locks asserted again", incarnation);
            changes.execute(locks::reassert);
            changes.execute(this::findLost);
        }
        return other;
    }

    private void findLost() {
        try {
            reborn.accept(metadata.flush());
        } catch (ErrnoException | UncheckedIOException e) {
            LOG.warn("a successor of this process will not know of the database's restart: {}", e.getMessage());
        }
    }

    @Override
    public boolean isIdle() {
        return unflushed.isEmpty() && contents.isIdle();
    }

    @Override
    public void resting() {
        known.suspend(true);
        metadata.rest(true);
    }

    @Override
    public void rested() {
        rested.run();
    }

    @Override
    public void silent(boolean silent) {
        known.suspend(silent);
        metadata.rest(false);
        if (silent) {
            contents.distrust();
        }
    }

    private void answered(Heartbeat heartbeat) {
        quota.refreshed(heartbeat);
        coherence.readWhileResting();
    }

    /** The database has given this session up: its locks and holds are gone. A new one goes on with what is dirty. */
    private void fenced() {
        UUID old = metadata.session();
        LOG.warn("session was fenced: session={}; a new one begins, caches are dropped", old);
        metadata.renew(old);
        lost();
        notifications.all();
        locks.reassert();
        try {
            contents.flushAll();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESTALE) {
                throw e;
            }
            LOG.warn("dirty files wait: errno={} {}", e.errno(), e.getMessage());
        }
    }

    private long uncommittedBytes() {
        Contents here = contents;
        return here == null
                ? 0
                : here.pending().stream()
                        .mapToLong(Contents.Pending::dirtyBytes)
                        .sum();
    }

    @Override
    public void close() {
        quiesce();
        stop();
        metadata.flush();
        metadata.close();
    }

    /** Nothing more is heard of other sessions, and the contents are told nothing more; the lease is still kept. */
    void quiesce() {
        coherence.close();
        changes.shutdownNow();
        await(changes);
    }

    /** The threads end; the session lives until its lease ends. */
    void stop() {
        loop.close();
        notifications.close();
        background.shutdown();
        await(background);
    }

    private static void await(ExecutorService executor) {
        try {
            if (!executor.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                executor.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
