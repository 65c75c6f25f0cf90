package dev.larder.volume.engine;

import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.FrameTable;
import dev.larder.volume.metadata.Maintenance;
import dev.larder.volume.metadata.Maintenance.FileExtent;
import dev.larder.volume.metadata.Maintenance.Finding;
import dev.larder.volume.metadata.Maintenance.Sizes;
import dev.larder.volume.objects.CorruptContentException;
import dev.larder.volume.objects.MissingObjectException;
import dev.larder.volume.objects.ObjectStore;
import dev.larder.volume.objects.SegmentKey;
import dev.larder.volume.objects.SegmentStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongConsumer;

/**
 * fsck: the metadata against itself, every extent against its object; deep: every stored byte against its checksum.
 * Objects that no segment knows are no error: the collector's. One use, one thread.
 */
public final class Checker {
    static final int MAX_FINDINGS = 10_000;
    private static final int MAX_SIZES = 100_000;
    private static final long MISSING = -1;

    private final Maintenance maintenance;
    private final ObjectStore store;
    private final SegmentStore segments;
    private final Map<UUID, Long> sizes = new HashMap<>();
    private final List<Finding> findings = new ArrayList<>();
    private long objects;
    private long count;
    private long repaired;

    Checker(Maintenance maintenance, ObjectStore store, SegmentStore segments) {
        this.maintenance = maintenance;
        this.store = store;
        this.segments = segments;
    }

    /**
     * @param repair mends what can be mended in the metadata without guessing
     * @param deep reads and verifies every content
     * @param checkedRows told as rows of the metadata are checked
     * @param checkedBytes told as contents are checked
     */
    Report run(boolean repair, boolean deep, LongConsumer checkedRows, BytesChecked checkedBytes) throws IOException {
        Sizes all = maintenance.sizes();
        maintenance.check(repair, checkedRows).forEach(this::found);
        long inode = 0;
        long offset = -1;
        long bytes = 0;
        List<FileExtent> page = maintenance.extents(inode, offset, deep);
        while (!page.isEmpty()) {
            for (FileExtent extent : page) {
                check(extent, deep);
                bytes += extent.extent().length();
                inode = extent.inode();
                offset = extent.extent().offset();
            }
            checkedBytes.accept(bytes, all.bytes());
            page = maintenance.extents(inode, offset, deep);
        }
        return new Report(all.inodes(), all.segments(), objects, count, repaired, List.copyOf(findings));
    }

    /** Told how far the check of contents is. */
    public interface BytesChecked {
        void accept(long done, long total);
    }

    /**
     * What was checked and found.
     *
     * @param inodes of the volume
     * @param segments that the metadata knows
     * @param objects that were looked for in the store: those of segments with references
     * @param count of all findings
     * @param findings at most 10,000 of them
     */
    public record Report(long inodes, long segments, long objects, long count, long repaired, List<Finding> findings) {}

    private void found(Finding finding) {
        count++;
        repaired += finding.repaired() ? 1 : 0;
        if (findings.size() < MAX_FINDINGS) {
            findings.add(finding);
        }
    }

    private void check(FileExtent file, boolean deep) throws IOException {
        Extent extent = file.extent();
        if (extent.kind() == ExtentKind.SEGMENT && !present(file)) {
            return;
        }
        boolean stored = extent.kind() == ExtentKind.SEGMENT || extent.kind() == ExtentKind.INLINE;
        if (deep && stored) {
            verify(file);
        }
    }

    private boolean present(FileExtent file) throws IOException {
        UUID segment = file.extent().segment();
        long size = size(segment);
        if (size == MISSING) {
            found(finding("object-missing", file, "no object " + SegmentKey.of(segment)));
            return false;
        }
        long needed = end(FrameTable.decode(file.extent().frames()));
        if (size < needed) {
            found(finding("object-short", file, SegmentKey.of(segment) + " has " + size + " bytes, needs " + needed));
            return false;
        }
        return true;
    }

    private long size(UUID segment) throws IOException {
        Long known = sizes.get(segment);
        if (known != null) {
            return known;
        }
        if (sizes.size() >= MAX_SIZES) {
            sizes.clear();
        }
        objects++;
        long size;
        try {
            size = store.size(SegmentKey.of(segment));
        } catch (MissingObjectException e) {
            size = MISSING;
        }
        sizes.put(segment, size);
        return size;
    }

    private static long end(FrameTable frames) {
        long end = 0;
        for (int i = 0; i < frames.count(); i++) {
            end = Math.max(end, frames.storedOffset(i) + frames.storedLength(i));
        }
        return end;
    }

    private void verify(FileExtent file) throws IOException {
        Extent extent = file.extent();
        try {
            segments.read(extent, extent.skip(), extent.skip() + extent.length(), (offset, bytes) -> {});
        } catch (CorruptContentException | MissingObjectException e) {
            found(finding("content-corrupt", file, e.getMessage()));
        }
    }

    private static Finding finding(String what, FileExtent file, String detail) {
        Extent extent = file.extent();
        String place = "offset=" + extent.offset() + " length=" + extent.length() + ": ";
        return new Finding(what, file.inode(), null, place + detail, false);
    }
}
