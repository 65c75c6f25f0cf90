package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Metadata;
import java.util.List;

/**
 * Extended attributes by xattr(7): which names there are, how large values may be, and the ACLs, which are mode bits as
 * well. Of an inode that is known to have none, nothing is asked: the kernel wants security.capability before writes.
 */
final class ExtendedAttributes {
    /** XATTR_SIZE_MAX of linux/limits.h. */
    static final int MAX_VALUE_BYTES = 65_536;

    private static final List<String> NAMESPACES = List.of("user.", "trusted.", "security.");
    private static final int CREATE = 1;
    private static final int REPLACE = 2;

    private final Metadata metadata;
    private final Known known;

    ExtendedAttributes(Metadata metadata, Known known) {
        this.metadata = metadata;
        this.known = known;
    }

    byte[] get(long inode, FileName name) {
        check(name);
        Attributes attributes = known.attributes(inode);
        if (attributes != null && isAbsent(attributes, name)) {
            throw new ErrnoException(Errno.ENODATA);
        }
        return metadata.getXattr(inode, name);
    }

    List<FileName> list(long inode) {
        Attributes attributes = known.attributes(inode);
        boolean none = attributes != null && (attributes.flags() & Attributes.FLAG_XATTR) == 0;
        return none ? List.of() : metadata.listXattr(inode);
    }

    private static boolean isAbsent(Attributes attributes, FileName name) {
        int flags = attributes.flags();
        return (flags & Attributes.FLAG_XATTR) == 0
                || (name.equals(PosixAcl.ACCESS) && (flags & Attributes.FLAG_ACCESS_ACL) == 0)
                || (name.equals(PosixAcl.DEFAULT) && (flags & Attributes.FLAG_DEFAULT_ACL) == 0);
    }

    void set(Op op, long inode, FileName name, byte[] value, int flags, boolean killSgid) {
        check(name);
        if (value.length > MAX_VALUE_BYTES) {
            throw new ErrnoException(Errno.E2BIG);
        }
        if ((flags & ~(CREATE | REPLACE)) != 0) {
            throw new ErrnoException(Errno.EINVAL);
        }
        if (name.equals(PosixAcl.ACCESS)) {
            setAccessAcl(op, inode, value, killSgid);
        } else if (name.equals(PosixAcl.DEFAULT)) {
            setDefaultAcl(op, inode, value);
        } else {
            metadata.setXattr(op, inode, name, value, flags, null, FileTime.now());
        }
    }

    void remove(Op op, long inode, FileName name) {
        check(name);
        metadata.removeXattr(op, inode, name, FileTime.now());
    }

    private void setAccessAcl(Op op, long inode, byte[] value, boolean killSgid) {
        PosixAcl acl = PosixAcl.decode(value);
        Attributes before = attributes(inode);
        int applied = acl.applyTo(before.mode());
        int mode = (killSgid ? PosixAcl.withoutSetgid(applied) : applied) & 07777;
        FileTime now = FileTime.now();
        if (!acl.equivalentToMode()) {
            metadata.setXattr(op, inode, PosixAcl.ACCESS, acl.encode(), 0, mode, now);
            return;
        }
        metadata.setAttributes(op, inode, new SetAttributes(mode, null, null, null, null, null, now, false));
        if ((before.flags() & Attributes.FLAG_ACCESS_ACL) != 0) {
            removeIfThere(op.step(1), inode, PosixAcl.ACCESS, now);
        }
    }

    private void setDefaultAcl(Op op, long inode, byte[] value) {
        if (!attributes(inode).isDirectory()) {
            throw new ErrnoException(Errno.EACCES);
        }
        byte[] encoded = PosixAcl.decode(value).encode();
        metadata.setXattr(op, inode, PosixAcl.DEFAULT, encoded, 0, null, FileTime.now());
    }

    /** After a chmod: the access ACL says the same as the mode. */
    void follow(Op op, Attributes changed) {
        if ((changed.flags() & Attributes.FLAG_ACCESS_ACL) == 0) {
            return;
        }
        PosixAcl acl = PosixAcl.decode(metadata.getXattr(changed.inode(), PosixAcl.ACCESS))
                .chmod(changed.mode());
        metadata.setXattr(op, changed.inode(), PosixAcl.ACCESS, acl.encode(), 0, null, changed.ctime());
    }

    private void removeIfThere(Op op, long inode, FileName name, FileTime now) {
        try {
            metadata.removeXattr(op, inode, name, now);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENODATA) {
                throw e;
            }
        }
    }

    private Attributes attributes(long inode) {
        Attributes attributes = known.attributes(inode);
        return attributes != null ? attributes : metadata.attributes(inode);
    }

    private static void check(FileName name) {
        if (name.equals(PosixAcl.ACCESS) || name.equals(PosixAcl.DEFAULT)) {
            return;
        }
        String text = name.toString();
        for (String namespace : NAMESPACES) {
            if (text.startsWith(namespace)) {
                if (text.length() == namespace.length()) {
                    throw new ErrnoException(Errno.EINVAL);
                }
                return;
            }
        }
        throw new ErrnoException(Errno.EOPNOTSUPP);
    }
}
