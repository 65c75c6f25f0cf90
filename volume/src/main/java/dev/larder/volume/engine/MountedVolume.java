package dev.larder.volume.engine;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem;
import dev.larder.volume.Kernel;
import dev.larder.volume.cache.DiskCache;
import dev.larder.volume.cache.NodeCache;
import dev.larder.volume.engine.VolumeOptions.Behaviour;
import dev.larder.volume.engine.VolumeOptions.Consistency;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.MetadataOptions;
import dev.larder.volume.metadata.PostgresMetadata;
import dev.larder.volume.objects.MeteredStore;
import dev.larder.volume.objects.Segments;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A volume, mounted: its parts made in order, and ended in the reverse order. A transport drives {@link #fileSystem}; an
 * agent asks {@link #status} and {@link #admin}.
 */
public final class MountedVolume implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MountedVolume.class);

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final AtomicReference<PostgresMetadata> database = new AtomicReference<>();
    private final Session session;
    private final VolumeContents content;
    private final Contents contents;
    private final MeteredStore store;
    private final NodeCache cache;
    private final FileSystem fileSystem;
    private final VolumeAdmin admin;
    private final Segments segments;
    private volatile Runnable rested = () -> {};
    /** Null for a mount that does none. */
    private final BackgroundJobs jobs;

    /** Mounts; what was made so far is ended when something fails. */
    public static MountedVolume mount(VolumeOptions options, Kernel kernel, MeterRegistry registry) {
        return new MountedVolume(options, kernel, registry, opened -> opened);
    }

    /** With a decorator around every session. */
    static MountedVolume mount(
            VolumeOptions options, Kernel kernel, MeterRegistry registry, UnaryOperator<Metadata> decorator) {
        return new MountedVolume(options, kernel, registry, decorator);
    }

    private MountedVolume(
            VolumeOptions options, Kernel kernel, MeterRegistry registry, UnaryOperator<Metadata> decorator) {
        Behaviour behaviour = options.behaviour();
        Tags tags = Tags.of("volume", options.volume().toString());
        try {
            boolean successor = options.metadata().continued() != null;
            store = add(new MeteredStore(options.objects().get(), registry, tags));
            Supplier<Metadata> sessions = sessions(options, decorator);
            session = add(new Session(
                    sessions,
                    kernel,
                    Session.KnownLimits.DEFAULT,
                    new Session.Times(
                            options.metadata().lease(),
                            behaviour.feedInterval(),
                            Session.Times.FLUSH_INTERVAL,
                            behaviour.idleAfter(),
                            successor)));
            Metadata metadata = session.metadata();
            segments = add(new Segments(
                    store, metadata::session, options.transferMemory(), options.segments(), registry, tags));
            cache = add(DiskCache.open(options.cacheDirectory(), options.volume(), options.cache()));
            content = add(new VolumeContents(
                    metadata,
                    segments,
                    cache,
                    kernel,
                    session.notifications(),
                    session.quota(),
                    contentOptions(behaviour, options.metadata().deadline()),
                    successor));
            contents = content;
            session.onRested(this::rested);
            session.start(contents);
            add(session::quiesce);
            content.start();
            inherit(new LastIncarnation(options.cacheDirectory()), successor);
            admin = new VolumeAdmin(metadata, store, segments, VolumeAdmin.agesOf(options), () -> {});
            fileSystem = fileSystem(options);
            jobs = behaviour.jobs() && !behaviour.readOnly()
                    ? add(new BackgroundJobs(
                            new Packer(metadata.maintenance(), segments),
                            new Collector(metadata, store, VolumeAdmin.agesOf(options)),
                            session.unflushed()::position))
                    : null;
        } catch (RuntimeException e) {
            end(e);
            throw e;
        }
    }

    /** The session to continue, the first time, when it still can be; else a new one. */
    private Supplier<Metadata> sessions(VolumeOptions options, UnaryOperator<Metadata> decorator) {
        return () -> {
            MetadataOptions chosen = options.metadata();
            boolean first = database.get() == null;
            PostgresMetadata opened;
            try {
                opened = PostgresMetadata.open(first ? chosen : chosen.continuing(null));
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ESTALE || chosen.continued() == null) {
                    throw e;
                }
                LOG.warn("a new session begins: {}", e.getMessage());
                opened = PostgresMetadata.open(chosen.continuing(null));
            }
            requireVolume(options, opened);
            opened.onFenced(this::fenced);
            database.set(opened);
            return decorator.apply(opened);
        };
    }

    /** What a predecessor changed last, and could not tell, may have gone with the database. */
    private void inherit(LastIncarnation last, boolean successor) {
        UUID incarnation = session.metadata().flush();
        if (successor && !last.is(incarnation)) {
            LOG.warn("the database restarted while the agent was away: the next fsync of each file says so once");
            session.unflushed().doubt(session.metadata().leaseInodes(1));
        }
        last.record(incarnation);
        session.onReborn(last::record);
    }

    private void rested() {
        segments.giveUpIdle();
        rested.run();
    }

    /** @param told now and then while nobody uses the volume: memory kept for the next use can be given up */
    public void onRested(Runnable told) {
        rested = told;
    }

    private void fenced() {
        Session here = session;
        if (here != null) {
            here.fencedNow();
        }
    }

    static void requireVolume(VolumeOptions options, PostgresMetadata metadata) {
        if (!metadata.volume().equals(options.volume())) {
            UUID found = metadata.volume();
            metadata.close();
            throw new IllegalStateException("the database " + options.metadata().url() + " is volume " + found
                    + "'s, not " + options.volume() + "'s: check the volume's metadata URL");
        }
    }

    private static ContentOptions contentOptions(Behaviour behaviour, Duration patience) {
        ContentOptions defaults = ContentOptions.DEFAULTS;
        return new ContentOptions(
                defaults.inlineBytes(),
                defaults.readaheadBytes(),
                behaviour.prefetchBytes(),
                defaults.passthroughBytes(),
                defaults.dirtyLimitBytes(),
                defaults.flushAge(),
                patience,
                defaults.idleInodes(),
                defaults.uploads(),
                defaults.fetches());
    }

    private FileSystem fileSystem(VolumeOptions options) {
        Behaviour behaviour = options.behaviour();
        FileSystem volume = new VolumeFileSystem(
                session,
                contents,
                new VolumeFileSystem.MountRules(
                        behaviour.consistency() == Consistency.CLOSE_TO_OPEN,
                        behaviour.syncOnClose(),
                        behaviour.readOnly(),
                        behaviour.kernelTimeout().toMillis()));
        AccessLog log = new AccessLog();
        FileSystem logged = new LoggedFileSystem(volume, log, session.coherence()::used);
        return new VirtualFiles(logged, () -> status().describe(), options::describe, log);
    }

    /** Parts end in the reverse order. */
    private <T extends AutoCloseable> T add(T part) {
        parts.push(part);
        return part;
    }

    /** What the transport drives. Closing the mounted volume ends it; do not close it itself. */
    public FileSystem fileSystem() {
        return fileSystem;
    }

    public VolumeAdmin admin() {
        return admin;
    }

    /** To be kept for a successor of this process. */
    public UUID session() {
        return session.metadata().session();
    }

    /** Reads files into the cache; each of these paths is a file, or a directory with every file below it. */
    public void warm(List<String> paths, WarmListener listener) {
        Warming warming = new Warming(session.metadata(), contents, listener);
        for (String path : paths) {
            try {
                warming.warm(path, admin.resolve(path));
            } catch (ErrnoException e) {
                listener.failed(path, e);
            }
        }
    }

    /** How a warm-up goes. */
    public interface WarmListener {
        void fetched(long bytes);

        /** A file is whole in the cache. */
        void done();

        void failed(String path, ErrnoException reason);
    }

    /** The files with the most bytes in this mount's cache, the most first. */
    public List<CachedPath> largestCached(int limit) {
        List<NodeCache.Largest> largest = cache.largest(limit);
        List<String> paths = session.metadata()
                .maintenance()
                .pathsOf(largest.stream().map(NodeCache.Largest::inode).toList());
        return IntStream.range(0, largest.size())
                .mapToObj(i -> new CachedPath(
                        paths.get(i), largest.get(i).inode(), largest.get(i).cachedBytes(), sizeOf(largest.get(i))))
                .toList();
    }

    /** Of an inode that is gone: what is cached. */
    private long sizeOf(NodeCache.Largest cached) {
        try {
            return session.metadata().attributes(cached.inode()).size();
        } catch (ErrnoException e) {
            return cached.cachedBytes();
        }
    }

    /** @param path null when it has none */
    public record CachedPath(String path, long inode, long cachedBytes, long sizeBytes) {}

    /** Numbers of this moment. */
    public Status status() {
        List<Contents.Pending> pending = contents.pending();
        Coherence coherence = session.coherence();
        return new Status(
                session(),
                session.quota().usage(),
                coherence.otherSessions(),
                coherence.alive(),
                coherence.resting(),
                database.get().silence(),
                coherence.lagMillis(),
                pending.size(),
                pending.stream().mapToLong(Contents.Pending::dirtyBytes).sum(),
                pending.stream().mapToLong(Contents.Pending::uploadingBytes).sum(),
                database.get().statementCount(),
                store.puts(),
                store.gets(),
                session.known().size(),
                cache.stats());
    }

    /**
     * @param databaseSilence since the database answered last; the feed asks it many times a second
     * @param resting nobody has used the mount for long: the database is asked now and then
     * @param feedMillis how long the last feed read took
     * @param statements sent to the database so far
     * @param objectPuts objects written by this process so far
     * @param objectGets objects and ranges read by this process so far
     * @param knownInodes whose attributes need no statement
     */
    public record Status(
            UUID session,
            FileSystem.Usage usage,
            int otherSessions,
            boolean feedAlive,
            boolean resting,
            Duration databaseSilence,
            long feedMillis,
            int dirtyFiles,
            long dirtyBytes,
            long uploadingBytes,
            long statements,
            long objectPuts,
            long objectGets,
            long knownInodes,
            NodeCache.Stats cache) {
        /** Longer than a busy database takes for an answer. */
        private static final Duration AWAY = Duration.ofSeconds(4);

        /** The database answers. */
        public boolean answering() {
            return resting || feedAlive && databaseSilence.compareTo(AWAY) < 0;
        }

        String describe() {
            return "session: " + session + "\nusedBytes: " + usage.usedBytes() + "\nusedInodes: " + usage.usedInodes()
                    + "\nquotaBytes: " + usage.quotaBytes() + "\nquotaInodes: " + usage.quotaInodes()
                    + "\notherSessions: " + otherSessions + "\nfeedAlive: " + feedAlive + "\nresting: " + resting
                    + "\ndatabaseAnswering: "
                    + answering() + "\ndatabaseSilenceMillis: " + databaseSilence.toMillis() + "\nfeedMillis: "
                    + feedMillis
                    + "\ndirtyFiles: " + dirtyFiles + "\ndirtyBytes: " + dirtyBytes + "\nuploadingBytes: "
                    + uploadingBytes + "\nstatements: " + statements + "\nobjectPuts: " + objectPuts + "\nobjectGets: "
                    + objectGets + "\nknownInodes: " + knownInodes
                    + "\ncacheFiles: " + cache.files() + "\ncacheCleanBytes: " + cache.cleanBytes()
                    + "\ncacheDirtyBytes: " + cache.dirtyBytes() + "\ncachePinnedBytes: " + cache.pinnedBytes()
                    + "\ncacheCapacityBytes: " + cache.capacityBytes() + "\ncacheHits: " + cache.hits()
                    + "\ncacheMisses: " + cache.misses() + "\ncacheHitBytes: " + cache.hitBytes()
                    + "\ncacheMissBytes: " + cache.missBytes() + "\ncacheEvictedBytes: " + cache.evictedBytes() + "\n";
        }
    }

    /**
     * Jobs end, everything dirty is committed and uploaded, the session ends, the store and the cache are closed; each
     * step with its own deadline. What could not be uploaded stays in the cache for the next mount.
     *
     * @throws ErrnoException the first failure
     */
    @Override
    public void close() {
        RuntimeException failure = end(null);
        if (failure != null) {
            throw failure;
        }
    }

    /**
     * Ends so that a successor can go on: nothing more is committed or uploaded, the session lives until its lease ends,
     * what is dirty is in the cache's journal. The transport has stopped before. Each step has its own deadline.
     */
    public void handOver() {
        if (jobs != null) {
            jobs.close();
        }
        abandon();
        segments.close();
        store.close();
    }

    /** Ends as a process does that is killed: nothing is committed, the session is left to its lease. */
    void abandon() {
        session.quiesce();
        content.abandon();
        session.stop();
        database.get().abandon();
        cache.close();
        parts.clear();
    }

    Metadata metadata() {
        return session.metadata();
    }

    private RuntimeException end(RuntimeException cause) {
        RuntimeException failure = cause;
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                RuntimeException wrapped = e instanceof RuntimeException r ? r : new IllegalStateException(e);
                if (failure == null) {
                    failure = wrapped;
                } else {
                    failure.addSuppressed(wrapped);
                }
            }
        }
        return failure;
    }
}
