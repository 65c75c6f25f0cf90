package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.DefaultAclException;
import dev.larder.volume.metadata.Metadata.NewInode;
import java.util.function.Function;

/**
 * Makes inodes: number, owner, umask or the inheritance of a default ACL, quota. The group of a set-group-id directory
 * is the database's doing, which sees the directory when the name is made.
 */
final class NewInodes {
    /** PATH_MAX of linux/limits.h, without the NUL. */
    private static final int MAX_TARGET_BYTES = 4095;

    private static final int SYMLINK_MODE = Attributes.S_IFLNK | 0777;

    private final Metadata metadata;
    private final InodeNumbers numbers;
    private final Quota quota;

    NewInodes(Metadata metadata, InodeNumbers numbers, Quota quota) {
        this.metadata = metadata;
        this.numbers = numbers;
        this.quota = quota;
    }

    Attributes make(Op op, Caller caller, long parent, FileName name, int mode, long rdev, int umask) {
        Draft draft = draft(caller, mode, rdev, null);
        return make(draft, umask, inode -> metadata.create(op, parent, name, inode));
    }

    Attributes symlink(Op op, Caller caller, long parent, FileName name, byte[] target) {
        if (target.length == 0) {
            throw new ErrnoException(Errno.ENOENT);
        }
        if (target.length > MAX_TARGET_BYTES) {
            throw new ErrnoException(Errno.ENAMETOOLONG);
        }
        Draft draft = draft(caller, SYMLINK_MODE, 0, target);
        return make(draft, 0, inode -> metadata.create(op, parent, name, inode));
    }

    Attributes unlinked(Op op, Caller caller, long parent, int mode, int umask) {
        Draft draft = draft(caller, mode, 0, null);
        return make(draft, umask, inode -> metadata.createUnlinked(op, parent, inode));
    }

    /** What is the same with and without a default ACL. */
    private record Draft(long inode, int mode, long uid, long gid, long rdev, byte[] target, FileTime now) {
        NewInode with(int newMode, byte[] accessAcl, byte[] defaultAcl, boolean aclAware) {
            return new NewInode(inode, newMode, uid, gid, rdev, target, accessAcl, defaultAcl, aclAware, now);
        }
    }

    private Draft draft(Caller caller, int mode, long rdev, byte[] target) {
        return new Draft(numbers.next(), mode, caller.uid(), caller.gid(), rdev, target, FileTime.now());
    }

    private Attributes make(Draft draft, int umask, Function<NewInode, Attributes> statement) {
        quota.grow(0, 1);
        boolean made = false;
        try {
            Attributes attributes = withAcl(draft, umask, statement);
            made = true;
            return attributes;
        } finally {
            if (!made) {
                quota.shrink(0, 1);
            }
        }
    }

    private static Attributes withAcl(Draft draft, int umask, Function<NewInode, Attributes> statement) {
        try {
            return statement.apply(draft.with(draft.mode & ~(umask & 0777), null, null, false));
        } catch (DefaultAclException parent) {
            PosixAcl.Inherited inherited = PosixAcl.inherit(parent.acl(), draft.mode);
            return statement.apply(draft.with(inherited.mode(), inherited.accessAcl(), inherited.defaultAcl(), true));
        }
    }
}
