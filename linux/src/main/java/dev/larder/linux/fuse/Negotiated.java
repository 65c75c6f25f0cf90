package dev.larder.linux.fuse;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * What INIT settled between the kernel and this mount's servers; kept beside the descriptor, for a successor never sees
 * INIT.
 *
 * @param kernelMinor the kernel's protocol is 7.kernelMinor
 * @param flags bits of {@link dev.larder.linux.fuse.InitFlag} that both sides use
 * @param maxWrite bytes of the largest WRITE and READ
 */
public record Negotiated(int kernelMinor, long flags, int maxWrite, int maxReadahead) {
    private static final int MAGIC = 0x4c46_4e31;
    private static final int BYTES = 32;

    public boolean has(long flag) {
        return (flags & flag) != 0;
    }

    /** 32 bytes: magic with version, the members, CRC32C; big endian. */
    public byte[] encode() {
        ByteBuffer buffer = ByteBuffer.allocate(BYTES);
        buffer.putInt(MAGIC).putInt(kernelMinor).putLong(flags).putInt(maxWrite).putInt(maxReadahead);
        return buffer.putInt(checksum(buffer.array())).array();
    }

    /** @throws IllegalArgumentException not such a record, of another version, or damaged */
    public static Negotiated decode(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        if (bytes.length != BYTES || buffer.getInt() != MAGIC || buffer.getInt(24) != checksum(bytes)) {
            throw new IllegalArgumentException(
                    "the saved FUSE negotiation is damaged or of another version; unmount and" + " mount again");
        }
        return new Negotiated(buffer.getInt(), buffer.getLong(), buffer.getInt(), buffer.getInt());
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, 24);
        return (int) crc.getValue();
    }
}
