package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.metadata.Maintenance.DiskUsage;
import dev.larder.volume.metadata.Maintenance.TrashPage;
import dev.larder.volume.metadata.Maintenance.TrashPlace;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.Heartbeat;
import dev.larder.volume.metadata.PostgresMetadata;
import dev.larder.volume.objects.ObjectStore;
import dev.larder.volume.objects.SegmentStore;
import dev.larder.volume.objects.Segments;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Administration of a volume: within a mount ({@link MountedVolume#admin}) or alone, with a session of its own and
 * without a cache. Failures of the database are {@link ErrnoException}s, those of the store IOExceptions.
 */
public final class VolumeAdmin implements AutoCloseable {
    private final Metadata metadata;
    private final ObjectStore store;
    private final SegmentStore segments;
    private final Collector.Ages ages;
    private final Runnable end;

    VolumeAdmin(Metadata metadata, ObjectStore store, SegmentStore segments, Collector.Ages ages, Runnable end) {
        this.metadata = metadata;
        this.store = store;
        this.segments = segments;
        this.ages = ages;
        this.end = end;
    }

    /** Administers a volume without a mount; the options' cache is not touched. */
    public static VolumeAdmin open(VolumeOptions options) {
        PostgresMetadata metadata = PostgresMetadata.open(options.metadata().continuing(null));
        try {
            MountedVolume.requireVolume(options, metadata);
            ObjectStore store = options.objects().get();
            Segments segments = new Segments(
                    store,
                    metadata::session,
                    options.transferMemory(),
                    options.segments(),
                    new SimpleMeterRegistry(),
                    Tags.empty());
            SessionLoop alive = new SessionLoop(
                    metadata,
                    new Unflushed(),
                    heartbeat -> {},
                    () -> {},
                    options.metadata().lease(),
                    Session.Times.FLUSH_INTERVAL);
            alive.start();
            return new VolumeAdmin(metadata, store, segments, agesOf(options), () -> {
                metadata.flush();
                alive.close();
                segments.close();
                store.close();
                metadata.close();
            });
        } catch (RuntimeException e) {
            metadata.close();
            throw e;
        }
    }

    static Collector.Ages agesOf(VolumeOptions options) {
        Duration twoLeases = options.metadata().lease().multipliedBy(2);
        return new Collector.Ages(twoLeases, Collector.Ages.DEFAULT.segment());
    }

    /**
     * The inode of a path from the volume's root; symlinks are not followed.
     *
     * @throws ErrnoException ENOENT, which names the part that is missing
     */
    public Attributes resolve(String path) {
        Attributes at = metadata.attributes(Attributes.ROOT);
        for (String part : path.split("/", -1)) {
            if (!part.isEmpty() && !part.equals(".")) {
                try {
                    at = metadata.lookup(at.inode(), FileName.of(part));
                } catch (ErrnoException e) {
                    throw new ErrnoException(e.errno(), "'" + part + "' of " + path, e);
                }
            }
        }
        return at;
    }

    public DiskUsage diskUsage(String path) {
        Attributes at = resolve(path);
        return at.isDirectory()
                ? metadata.maintenance().diskUsage(at.inode())
                : new DiskUsage(1, 0, at.size(), at.allocated());
    }

    /** Usage and quota of the volume, all sessions' together. */
    public Heartbeat usage() {
        return metadata.heartbeat();
    }

    public int sessions() {
        return metadata.maintenance().liveSessions().size();
    }

    /** See {@link dev.larder.volume.metadata.Maintenance#trash}. */
    public TrashPage trash(String pathPrefix, TrashPlace after, int entries) {
        return metadata.maintenance().trash(pathPrefix, after, entries);
    }

    /** See {@link dev.larder.volume.metadata.Maintenance#pathsOf}. */
    public List<String> pathsOf(List<Long> inodes) {
        return metadata.maintenance().pathsOf(inodes);
    }

    /** @return the path it has now */
    public String restore(long inode) {
        return metadata.maintenance().restore(inode);
    }

    /** Gives up what was removed before. @return how many entries */
    public long purgeTrash(Instant before) {
        return collector(ages).purgeTrash(before);
    }

    /** Moves every small content that waits in the metadata into segments. @return objects written */
    public int pack() throws IOException {
        return new Packer(metadata.maintenance(), segments).runAll().objects();
    }

    /** @param age of segments without a reference; a short one takes objects from under who still reads them */
    public Collector.Collected collect(Duration age, Collector.Listener listener) throws IOException {
        return collector(new Collector.Ages(ages.unlinked(), age)).run(listener);
    }

    /** What {@link #collect} would give back now; nothing is changed. */
    public Collector.Collected garbage(Duration age, Collector.Listener listener) throws IOException {
        return collector(new Collector.Ages(ages.unlinked(), age)).count(listener);
    }

    /** As {@link #collect}, with other ages. */
    Collector.Collected collect(Collector.Ages others) throws IOException {
        return collector(others).run(Collector.Listener.NONE);
    }

    private Collector collector(Collector.Ages chosen) {
        return new Collector(metadata, store, chosen);
    }

    /** See {@link Checker#run}. */
    public Checker.Report check(
            boolean repair, boolean deep, LongConsumer checkedRows, Checker.BytesChecked checkedBytes)
            throws IOException {
        return new Checker(metadata.maintenance(), store, segments).run(repair, deep, checkedRows, checkedBytes);
    }

    /** @throws ErrnoException EIO when the store cannot be used */
    public void probeStore() {
        try {
            store.probe();
        } catch (IOException e) {
            throw new ErrnoException(Errno.EIO, "the object store " + store.describe() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        end.run();
    }
}
