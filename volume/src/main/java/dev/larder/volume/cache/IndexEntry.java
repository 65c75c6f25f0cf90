package dev.larder.volume.cache;

import dev.larder.volume.cache.NodeCache.Provenance;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * An inode's clean ranges as of a journal sequence. Format: version 1 byte, sequence 8, the file's length 8 and ctime 8
 * when it was written, version of the content 8 and incarnation 16 that it was compared with, by which process 8 (none of
 * these in version 1), count 4, then per range start, length, content (16) and skip, last a CRC32C of
 * all before it.
 *
 * @param stamp the file that has these ranges; {@link Stamp#NONE} = they are to be verified before they are believed
 * @param content what they were compared with last, or {@link ContentVersion#NONE}
 * @param era of the process that did
 */
record IndexEntry(long sequence, List<Piece> clean, Stamp stamp, ContentVersion content, long era) {
    static final IndexEntry EMPTY = new IndexEntry(-1, List.of());
    private static final byte VERSION = 2;
    private static final byte WITHOUT_STAMP = 1;
    private static final int PIECE_BYTES = 40;
    private static final int STAMP_BYTES = 48;
    private static final int FRAME_BYTES = 17;

    IndexEntry(long sequence, List<Piece> clean) {
        this(sequence, clean, Stamp.NONE, ContentVersion.NONE, 0);
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(FRAME_BYTES + STAMP_BYTES + PIECE_BYTES * clean.size());
        out.put(VERSION).putLong(sequence);
        out.putLong(stamp.lengthBytes()).putLong(stamp.ctimeNanos()).putLong(content.version());
        put(out, content.incarnation());
        out.putLong(era).putInt(clean.size());
        for (Piece piece : clean) {
            out.putLong(piece.start()).putLong(piece.length());
            put(out, piece.provenance().content());
            out.putLong(piece.provenance().skip());
        }
        out.putInt(checksum(out.array(), out.position()));
        return out.array();
    }

    /** @return {@link #EMPTY} for what does not verify: it is fetched again */
    static IndexEntry decode(byte[] bytes) {
        if (bytes == null || bytes.length < FRAME_BYTES || bytes[0] != VERSION && bytes[0] != WITHOUT_STAMP) {
            return EMPTY;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.getInt(bytes.length - 4) != checksum(bytes, bytes.length - 4)) {
            return EMPTY;
        }
        in.get();
        long sequence = in.getLong();
        boolean stamped = bytes[0] != WITHOUT_STAMP;
        Stamp stamp = stamped ? new Stamp(in.getLong(), in.getLong()) : Stamp.NONE;
        ContentVersion content = stamped ? new ContentVersion(in.getLong(), uuid(in)) : ContentVersion.NONE;
        long era = stamped ? in.getLong() : 0;
        int count = in.getInt();
        List<Piece> clean = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long start = in.getLong();
            long end = start + in.getLong();
            clean.add(Piece.clean(start, end, new Provenance(uuid(in), in.getLong())));
        }
        return new IndexEntry(sequence, clean, stamp, content, era);
    }

    private static void put(ByteBuffer out, UUID id) {
        out.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    }

    private static UUID uuid(ByteBuffer in) {
        return new UUID(in.getLong(), in.getLong());
    }

    long storedBytes() {
        return clean.stream().filter(p -> !p.isHole()).mapToLong(Piece::length).sum();
    }

    long cleanBytes() {
        return clean.stream().mapToLong(Piece::length).sum();
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
