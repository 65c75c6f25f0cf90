package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Metadata.Commit;
import dev.larder.volume.metadata.Metadata.Content;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Every change of content, at random, against files of which each byte remembers its (content, position). */
final class ContentModelTest {
    private static final int MAX_BYTES = 3000;
    private static final int OPERATIONS = 4000;

    private static final long HOLE = 0;
    private static final long UNWRITTEN = -1;

    private final List<byte[]> contents = new ArrayList<>(List.of(new byte[0]));
    private final Map<UUID, Integer> contentIndex = new HashMap<>();

    private static final class Model {
        final long inode;
        final long[] cells = new long[MAX_BYTES];
        int size;
        long generation;

        Model(long inode) {
            this.inode = inode;
        }

        long allocated() {
            return Arrays.stream(cells).filter(cell -> cell != HOLE).count();
        }

        void clear(int from, int to) {
            Arrays.fill(cells, from, to, HOLE);
        }
    }

    @Test
    void everyChangeOfContentAgreesWithAReference() throws Exception {
        long seed = Long.getLong("larder.test.seed", System.nanoTime());
        System.out.println("ContentModelTest -Dlarder.test.seed=" + seed);
        Random random = new Random(seed);
        try (ScratchVolume volume = new ScratchVolume()) {
            PostgresMetadata session = volume.session();
            Model[] files = {
                new Model(volume.file(session, 1, "a")), new Model(volume.file(session, 1, "b")),
            };
            for (int i = 0; i < OPERATIONS; i++) {
                Model file = files[random.nextInt(2)];
                String what = change(session, random, file, files[random.nextInt(2)]);
                for (Model each : files) {
                    verify(session.content(each.inode, 0, Long.MAX_VALUE), each, "operation " + i + " " + what);
                }
                verifyRange(session, random, file);
            }
            assertEquals(List.of(), session.maintenance().check(false, rows -> {}), "fsck after all");
            assertTrue(
                    volume.count("SELECT sum(octet_length(data)) FROM larder.extent WHERE data IS NOT NULL")
                            <= 2 * volume.count("SELECT sum(len) FROM larder.extent WHERE kind = 0"),
                    "rests of inline contents hold at most twice their bytes");
        }
    }

    private String change(PostgresMetadata session, Random random, Model file, Model other) {
        return switch (random.nextInt(10)) {
            case 0, 1, 2 -> commit(session, random, file);
            case 3 -> append(session, random, file);
            case 4 -> truncate(session, random, file);
            case 5 -> punch(session, random, file);
            case 6 -> preallocate(session, random, file);
            case 7 -> shift(session, random, file);
            default -> copy(session, random, file, other);
        };
    }

    private Extent content(Random random, int offset, int length) {
        byte[] bytes = new byte[length + random.nextInt(3)]; // a content may begin before and end behind
        random.nextBytes(bytes);
        int skip = bytes.length - length;
        contents.add(bytes);
        FrameTable frames = FrameTable.of(FrameTable.CODEC_NONE, 1);
        frames.set(0, bytes.length, 0, bytes.length, 0);
        boolean inline = random.nextBoolean();
        UUID id = UUID.randomUUID();
        contentIndex.put(id, contents.size() - 1);
        return new Extent(
                offset,
                length,
                inline ? ExtentKind.INLINE : ExtentKind.SEGMENT,
                id,
                skip,
                inline ? null : UUID.randomUUID(),
                frames.encoded(),
                inline ? bytes : null);
    }

    private void put(Model file, Extent extent, int limit) {
        long index = contentIndex.get(extent.content());
        for (int i = 0; i < extent.length() && extent.offset() + i < limit; i++) {
            file.cells[(int) extent.offset() + i] = index << 32 | (extent.skip() + i);
        }
    }

    private String commit(PostgresMetadata session, Random random, Model file) {
        List<Extent> extents = new ArrayList<>();
        int at = random.nextInt(MAX_BYTES / 2);
        for (int i = random.nextInt(3); i >= 0; i--) {
            Extent extent = content(random, at, 1 + random.nextInt(300));
            extents.add(extent);
            at = (int) extent.end() + random.nextInt(100);
        }
        boolean stale = file.generation > 0 && random.nextInt(4) == 0;
        int size = (int) extents.getLast().end();
        int limit = stale ? file.size : MAX_BYTES;
        session.commit(
                Op.NONE,
                List.of(new Commit(
                        file.inode,
                        stale ? file.generation - 1 : file.generation,
                        size,
                        false,
                        false,
                        ScratchVolume.NOW,
                        extents,
                        null)));
        extents.forEach(extent -> put(file, extent, limit));
        file.size = stale ? file.size : Math.max(file.size, size);
        return "commit " + extents + (stale ? " stale" : "");
    }

    private String append(PostgresMetadata session, Random random, Model file) {
        int length = 1 + random.nextInt(100);
        if (file.size + length > MAX_BYTES) {
            return "nothing";
        }
        Extent extent = content(random, 0, length);
        long at = session.commit(
                        Op.NONE,
                        List.of(new Commit(file.inode, 0, 0, true, false, ScratchVolume.NOW, List.of(extent), null)))
                .getFirst()
                .appendedAt();
        assertEquals(file.size, at);
        long index = contentIndex.get(extent.content());
        for (int i = 0; i < length; i++) {
            file.cells[file.size + i] = index << 32 | (extent.skip() + i);
        }
        file.size += length;
        return "append " + length;
    }

    private String truncate(PostgresMetadata session, Random random, Model file) {
        int size = random.nextInt(MAX_BYTES);
        session.setAttributes(
                Op.NONE,
                file.inode,
                new SetAttributes(null, null, null, (long) size, null, null, ScratchVolume.NOW, false));
        file.clear(size, MAX_BYTES);
        file.size = size;
        file.generation = session.attributes(file.inode).generation();
        return "truncate " + size;
    }

    private String punch(PostgresMetadata session, Random random, Model file) {
        int from = random.nextInt(MAX_BYTES);
        int length = 1 + random.nextInt(MAX_BYTES - from);
        boolean unwritten = random.nextInt(4) == 0;
        session.punch(Op.NONE, file.inode, from, length, unwritten, ScratchVolume.NOW);
        Arrays.fill(file.cells, from, from + length, unwritten ? UNWRITTEN : HOLE);
        return "punch " + from + "+" + length + " " + unwritten;
    }

    private String preallocate(PostgresMetadata session, Random random, Model file) {
        int from = random.nextInt(MAX_BYTES);
        int length = 1 + random.nextInt(Math.min(200, MAX_BYTES - from));
        boolean keep = random.nextBoolean();
        session.preallocate(Op.NONE, file.inode, from, length, keep, ScratchVolume.NOW);
        for (int i = from; i < from + length; i++) {
            file.cells[i] = file.cells[i] == HOLE ? UNWRITTEN : file.cells[i];
        }
        file.size = keep ? file.size : Math.max(file.size, from + length);
        return "preallocate " + from + "+" + length;
    }

    private String shift(PostgresMetadata session, Random random, Model file) {
        int from = random.nextInt(MAX_BYTES);
        int by = (1 + random.nextInt(200)) * (random.nextBoolean() ? 1 : -1);
        boolean refused = from >= file.size || (by < 0 && from - by >= file.size);
        int last = MAX_BYTES - 1;
        while (last >= 0 && file.cells[last] == HOLE) {
            last--;
        }
        if (!refused && Math.max(file.size, last + 1) + by > MAX_BYTES) {
            return "nothing";
        }
        if (refused) {
            ErrnoException e = assertThrows(
                    ErrnoException.class, () -> session.shift(Op.NONE, file.inode, from, by, ScratchVolume.NOW));
            assertEquals(Errno.EINVAL, e.errno());
            return "refused shift";
        }
        file.generation =
                session.shift(Op.NONE, file.inode, from, by, ScratchVolume.NOW).generation();
        long[] before = file.cells.clone();
        if (by > 0) {
            System.arraycopy(before, from, file.cells, from + by, MAX_BYTES - from - by);
            file.clear(from, from + by);
        } else {
            System.arraycopy(before, from - by, file.cells, from, MAX_BYTES - from + by);
            file.clear(MAX_BYTES + by, MAX_BYTES);
        }
        file.size += by;
        return "shift " + from + " by " + by;
    }

    private static String copy(PostgresMetadata session, Random random, Model from, Model to) {
        int at = random.nextInt(MAX_BYTES);
        int toAt = random.nextInt(MAX_BYTES);
        int length = 1 + random.nextInt(MAX_BYTES - Math.max(at, toAt));
        int real = Math.min(length, from.size - at);
        if (from == to && real > 0 && Math.abs(at - toAt) < real) {
            ErrnoException e = assertThrows(
                    ErrnoException.class,
                    () -> session.copyRange(Op.NONE, from.inode, at, to.inode, toAt, length, ScratchVolume.NOW));
            assertEquals(Errno.EINVAL, e.errno());
            return "refused copy";
        }
        session.copyRange(Op.NONE, from.inode, at, to.inode, toAt, length, ScratchVolume.NOW);
        for (int i = 0; i < real; i++) {
            to.cells[toAt + i] = from.cells[at + i] == UNWRITTEN ? HOLE : from.cells[at + i];
        }
        to.size = real > 0 ? Math.max(to.size, toAt + real) : to.size;
        return "copy " + at + " to " + toAt + "+" + length;
    }

    private void verify(Content content, Model file, String after) {
        Attributes attributes = content.attributes();
        assertEquals(file.size, attributes.size(), after);
        assertEquals(file.allocated(), attributes.allocated(), after);
        assertEquals(file.generation, attributes.generation(), after);
        long[] cells = new long[MAX_BYTES];
        long end = 0;
        for (Extent extent : content.extents()) {
            assertTrue(extent.offset() >= end, after + ": overlap at " + extent.offset());
            end = extent.end();
            for (int i = 0; i < extent.length(); i++) {
                cells[(int) extent.offset() + i] = cell(extent, i);
            }
        }
        for (int i = 0; i < MAX_BYTES; i++) {
            assertEquals(file.cells[i], cells[i], after + " at byte " + i);
        }
    }

    private long cell(Extent extent, int i) {
        if (extent.kind() == ExtentKind.UNWRITTEN) {
            return UNWRITTEN;
        }
        int index = contentIndex.get(extent.content());
        int position = (int) extent.skip() + i;
        if (extent.kind() == ExtentKind.INLINE) {
            byte[] data = extent.data();
            assertEquals(extent.frames() == null ? extent.length() : contents.get(index).length, data.length);
            assertEquals(contents.get(index)[position], data[extent.frames() == null ? i : position]);
        }
        return (long) index << 32 | position;
    }

    /** Exactly the extents that overlap the range. */
    private static void verifyRange(PostgresMetadata session, Random random, Model file) {
        int from = random.nextInt(MAX_BYTES);
        int to = from + 1 + random.nextInt(MAX_BYTES - from);
        List<Long> expected = session.content(file.inode, 0, Long.MAX_VALUE).extents().stream()
                .filter(extent -> extent.offset() < to && extent.end() > from)
                .map(Extent::offset)
                .toList();
        assertEquals(
                expected,
                session.content(file.inode, from, to).extents().stream()
                        .map(Extent::offset)
                        .toList());
    }
}
