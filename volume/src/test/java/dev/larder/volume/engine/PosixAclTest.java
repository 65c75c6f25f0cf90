package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Vectors: what setfacl writes and what ext4 inherits, as getfattr -e hex shows it. */
class PosixAclTest {
    /** u::rw-,u:1000:rwx,g::r--,m::rwx,o::--- */
    private static final byte[] NAMED_USER = hex("02000000" + "01000600ffffffff" + "02000700e8030000"
            + "04000400ffffffff" + "10000700ffffffff" + "20000000ffffffff");

    /** u::rw-,g::r--,o::r-- */
    private static final byte[] MINIMAL =
            hex("02000000" + "01000600ffffffff" + "04000400ffffffff" + "20000400ffffffff");

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }

    @Test
    void encodesWhatItDecoded() {
        assertArrayEquals(NAMED_USER, PosixAcl.decode(NAMED_USER).encode());
        assertArrayEquals(MINIMAL, PosixAcl.decode(MINIMAL).encode());
    }

    @Test
    void theMaskIsTheGroupBitsOfTheMode() {
        assertFalse(PosixAcl.decode(NAMED_USER).equivalentToMode());
        assertEquals(Attributes.S_IFREG | 04670, PosixAcl.decode(NAMED_USER).applyTo(Attributes.S_IFREG | 04777));
        assertTrue(PosixAcl.decode(MINIMAL).equivalentToMode());
        assertEquals(Attributes.S_IFREG | 0644, PosixAcl.decode(MINIMAL).applyTo(Attributes.S_IFREG));
    }

    @Test
    void chmodChangesOwnerMaskAndOther() {
        byte[] changed = PosixAcl.decode(NAMED_USER).chmod(0514).encode();
        assertArrayEquals(
                hex("02000000" + "01000500ffffffff" + "02000700e8030000" + "04000400ffffffff" + "10000100ffffffff"
                        + "20000400ffffffff"),
                changed);
    }

    @Test
    void chmodWithoutMaskChangesTheOwningGroup() {
        assertEquals(0750, PosixAcl.decode(MINIMAL).chmod(0750).applyTo(0));
    }

    @Test
    void aFileInheritsWhatTheModeAllows() {
        PosixAcl.Inherited inherited = PosixAcl.inherit(NAMED_USER, Attributes.S_IFREG | 0640);
        assertEquals(Attributes.S_IFREG | 0640, inherited.mode());
        assertNull(inherited.defaultAcl());
        assertArrayEquals(
                hex("02000000" + "01000600ffffffff" + "02000700e8030000" + "04000400ffffffff" + "10000400ffffffff"
                        + "20000000ffffffff"),
                inherited.accessAcl());
    }

    @Test
    void aDirectoryPassesTheDefaultOn() {
        PosixAcl.Inherited inherited = PosixAcl.inherit(NAMED_USER, Attributes.S_IFDIR | 0777);
        assertEquals(Attributes.S_IFDIR | 0670, inherited.mode());
        assertArrayEquals(NAMED_USER, inherited.defaultAcl());
        assertArrayEquals(NAMED_USER, inherited.accessAcl());
    }

    @Test
    void aMinimalDefaultBecomesTheModeAlone() {
        PosixAcl.Inherited inherited = PosixAcl.inherit(MINIMAL, Attributes.S_IFREG | 0666);
        assertEquals(Attributes.S_IFREG | 0644, inherited.mode());
        assertNull(inherited.accessAcl());
    }

    @Test
    void aSymlinkInheritsNothing() {
        PosixAcl.Inherited inherited = PosixAcl.inherit(NAMED_USER, Attributes.S_IFLNK | 0777);
        assertEquals(new PosixAcl.Inherited(Attributes.S_IFLNK | 0777, null, null), inherited);
    }

    @Test
    void refusesWhatTheKernelRefuses() {
        refused("0200000001000600ffffffff", Errno.EINVAL); // group and other are missing
        refused("02000000" + "04000400ffffffff" + "01000600ffffffff" + "20000400ffffffff", Errno.EINVAL); // order
        refused(
                "02000000" + "01000600ffffffff" + "02000700e8030000" + "04000400ffffffff" + "20000000ffffffff",
                Errno.EINVAL); // a named user without a mask
        refused("02000000" + "01000900ffffffff" + "04000400ffffffff" + "20000400ffffffff", Errno.EINVAL); // permissions
        refused("03000000" + "01000600ffffffff" + "04000400ffffffff" + "20000400ffffffff", Errno.EOPNOTSUPP);
        refused("020000", Errno.EINVAL);
    }

    private static void refused(String encoded, Errno errno) {
        assertEquals(
                errno,
                assertThrows(ErrnoException.class, () -> PosixAcl.decode(hex(encoded)))
                        .errno());
    }
}
