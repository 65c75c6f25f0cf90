package dev.larder.volume.engine;

import dev.larder.volume.metadata.Extent;
import dev.larder.volume.metadata.ExtentKind;
import dev.larder.volume.metadata.FrameTable;
import dev.larder.volume.metadata.Maintenance;
import dev.larder.volume.metadata.Maintenance.FileExtent;
import dev.larder.volume.metadata.Maintenance.Finding;
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

/** fsck: the metadata against itself, every extent against its object; deep: every stored byte against its checksum. */
final class Checker {
    private static final int PAGE = 1_000;
    private static final int MAX_FINDINGS = 10_000;
    private static final int MAX_SIZES = 1_000_000;
    private static final long MISSING = -1;

    private final Maintenance maintenance;
    private final ObjectStore store;
    private final SegmentStore segments;

    Checker(Maintenance maintenance, ObjectStore store, SegmentStore segments) {
        this.maintenance = maintenance;
        this.store = store;
        this.segments = segments;
    }

    /**
     * @param repair mends what can be mended in the metadata without guessing
     * @param deep reads and verifies every content
     * @param checkedBytes told as contents are checked
     * @return at most 10,000 findings
     */
    List<Finding> run(boolean repair, boolean deep, LongConsumer checkedBytes) throws IOException {
        List<Finding> findings = new ArrayList<>(maintenance.check(repair));
        Map<UUID, Long> sizes = new HashMap<>();
        long inode = 0;
        long offset = -1;
        List<FileExtent> page;
        do {
            page = maintenance.extents(inode, offset, PAGE);
            for (FileExtent extent : page) {
                check(extent, deep, sizes, findings);
                checkedBytes.accept(extent.extent().length());
                inode = extent.inode();
                offset = extent.extent().offset();
            }
        } while (page.size() == PAGE && findings.size() < MAX_FINDINGS);
        return findings;
    }

    private void check(FileExtent file, boolean deep, Map<UUID, Long> sizes, List<Finding> findings)
            throws IOException {
        Extent extent = file.extent();
        if (extent.kind() == ExtentKind.SEGMENT && !present(file, sizes, findings)) {
            return;
        }
        boolean stored = extent.kind() == ExtentKind.SEGMENT || extent.kind() == ExtentKind.INLINE;
        if (deep && stored) {
            verify(file, findings);
        }
    }

    private boolean present(FileExtent file, Map<UUID, Long> sizes, List<Finding> findings) throws IOException {
        UUID segment = file.extent().segment();
        long size = size(segment, sizes);
        if (size == MISSING) {
            findings.add(finding("object-missing", file, "no object " + SegmentKey.of(segment)));
            return false;
        }
        long needed = end(FrameTable.decode(file.extent().frames()));
        if (size < needed) {
            findings.add(
                    finding("object-short", file, SegmentKey.of(segment) + " has " + size + " bytes, needs " + needed));
            return false;
        }
        return true;
    }

    private long size(UUID segment, Map<UUID, Long> sizes) throws IOException {
        Long known = sizes.get(segment);
        if (known != null) {
            return known;
        }
        if (sizes.size() >= MAX_SIZES) {
            sizes.clear();
        }
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

    private void verify(FileExtent file, List<Finding> findings) throws IOException {
        Extent extent = file.extent();
        try {
            segments.read(extent, extent.skip(), extent.skip() + extent.length(), (offset, bytes) -> {});
        } catch (CorruptContentException | MissingObjectException e) {
            findings.add(finding("content-corrupt", file, e.getMessage()));
        }
    }

    private static Finding finding(String what, FileExtent file, String detail) {
        Extent extent = file.extent();
        String place = "offset=" + extent.offset() + " length=" + extent.length() + ": ";
        return new Finding(what, file.inode(), null, place + detail, false);
    }
}
