package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A POSIX access control list as the kernel encodes it in an extended attribute: linux/posix_acl_xattr.h version 2,
 * little endian; the rules are acl(5)'s and fs/posix_acl.c's. Immutable.
 */
record PosixAcl(List<Entry> entries) {
    static final FileName ACCESS = FileName.of("system.posix_acl_access");
    static final FileName DEFAULT = FileName.of("system.posix_acl_default");

    static final int USER_OBJ = 0x01;
    static final int USER = 0x02;
    static final int GROUP_OBJ = 0x04;
    static final int GROUP = 0x08;
    static final int MASK = 0x10;
    static final int OTHER = 0x20;

    private static final int VERSION = 2;
    private static final int HEADER_BYTES = 4;
    private static final int ENTRY_BYTES = 8;
    private static final int PERMISSIONS = 0777;
    private static final int S_ISGID = 02000;

    PosixAcl {
        entries = List.copyOf(entries);
    }

    /** @param id a uid or gid for USER and GROUP; no meaning otherwise */
    record Entry(int tag, int permissions, long id) {
        Entry with(int newPermissions) {
            return new Entry(tag, newPermissions & 7, id);
        }
    }

    /** What a new inode gets from its directory's default ACL. Null = the mode says it all. */
    record Inherited(int mode, byte[] accessAcl, byte[] defaultAcl) {}

    /** @throws ErrnoException EINVAL, or EOPNOTSUPP for another version */
    static PosixAcl decode(byte[] encoded) {
        if (encoded.length < HEADER_BYTES || (encoded.length - HEADER_BYTES) % ENTRY_BYTES != 0) {
            throw new ErrnoException(Errno.EINVAL);
        }
        ByteBuffer buffer = ByteBuffer.wrap(encoded).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getInt() != VERSION) {
            throw new ErrnoException(Errno.EOPNOTSUPP);
        }
        List<Entry> entries = new ArrayList<>();
        while (buffer.hasRemaining()) {
            int tag = buffer.getShort() & 0xffff;
            int permissions = buffer.getShort() & 0xffff;
            entries.add(new Entry(tag, permissions, buffer.getInt() & 0xffff_ffffL));
        }
        PosixAcl acl = new PosixAcl(entries);
        acl.validate();
        return acl;
    }

    byte[] encode() {
        ByteBuffer buffer = ByteBuffer.allocate(HEADER_BYTES + entries.size() * ENTRY_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(VERSION);
        for (Entry entry : entries) {
            boolean named = entry.tag == USER || entry.tag == GROUP;
            buffer.putShort((short) entry.tag)
                    .putShort((short) entry.permissions)
                    .putInt(named ? (int) entry.id : -1);
        }
        return buffer.array();
    }

    /** The order and number of entries that posix_acl_valid() asks for. */
    private void validate() {
        int previous = 0;
        for (Entry entry : entries) {
            boolean repeatable = entry.tag == USER || entry.tag == GROUP;
            boolean known = Integer.bitCount(entry.tag) == 1 && entry.tag <= OTHER;
            boolean ordered = entry.tag > previous || (repeatable && entry.tag == previous);
            if (!known || !ordered || (entry.permissions & ~7) != 0) {
                throw new ErrnoException(Errno.EINVAL);
            }
            previous = entry.tag;
        }
        boolean complete = has(USER_OBJ) && has(GROUP_OBJ) && has(OTHER);
        boolean needsMask = has(USER) || has(GROUP);
        if (!complete || (needsMask && !has(MASK))) {
            throw new ErrnoException(Errno.EINVAL);
        }
    }

    private boolean has(int tag) {
        return entries.stream().anyMatch(entry -> entry.tag == tag);
    }

    private int permissions(int tag) {
        return entries.stream()
                .filter(entry -> entry.tag == tag)
                .mapToInt(Entry::permissions)
                .findFirst()
                .orElse(0);
    }

    /** The tag whose permissions the group bits of the mode stand for. */
    private int groupClass() {
        return has(MASK) ? MASK : GROUP_OBJ;
    }

    /** Says no more than the mode bits. */
    boolean equivalentToMode() {
        return !has(USER) && !has(GROUP) && !has(MASK);
    }

    /** The mode with the permission bits that this access ACL means. */
    int applyTo(int mode) {
        int bits = (permissions(USER_OBJ) << 6) | (permissions(groupClass()) << 3) | permissions(OTHER);
        return (mode & ~PERMISSIONS) | bits;
    }

    /** chmod on an inode with this access ACL. */
    PosixAcl chmod(int mode) {
        return classes((mode >> 6) & 7, (mode >> 3) & 7, mode & 7);
    }

    /** This default ACL's inheritance by an inode that is made with a mode; the umask has no say. */
    static Inherited inherit(byte[] defaultAcl, int mode) {
        if ((mode & Attributes.S_IFMT) == Attributes.S_IFLNK) {
            return new Inherited(mode, null, null);
        }
        PosixAcl acl = decode(defaultAcl);
        PosixAcl access = acl.classes(
                acl.permissions(USER_OBJ) & (mode >> 6),
                acl.permissions(acl.groupClass()) & (mode >> 3),
                acl.permissions(OTHER) & mode);
        boolean directory = (mode & Attributes.S_IFMT) == Attributes.S_IFDIR;
        return new Inherited(
                access.applyTo(mode),
                access.equivalentToMode() ? null : access.encode(),
                directory ? defaultAcl : null);
    }

    private PosixAcl classes(int user, int group, int other) {
        int groupClass = groupClass();
        return new PosixAcl(entries.stream()
                .map(entry -> switch (entry.tag) {
                    case USER_OBJ -> entry.with(user);
                    case OTHER -> entry.with(other);
                    default -> entry.tag == groupClass ? entry.with(group) : entry;
                })
                .toList());
    }

    /** Clears set-group-id, as setting an ACL does for who is not in the group. */
    static int withoutSetgid(int mode) {
        return mode & ~S_ISGID;
    }
}
