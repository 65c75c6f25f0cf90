package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileTime;
import dev.larder.volume.LostChangesException;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.Renamed;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A mounted volume. Names, attributes and locks are decided here; everything about bytes by {@link Contents}. */
public final class VolumeFileSystem implements FileSystem {
    private static final int O_ACCMODE = 3;
    private static final int O_EXCL = 0200;
    private static final int O_TRUNC = 01000;

    private final Metadata metadata;
    private final Contents contents;
    private final Known known;
    private final Unflushed unflushed;
    private final Session session;
    private final NewInodes newInodes;
    private final ExtendedAttributes xattrs;
    private final DirectoryPages pages;
    private final LookAhead lookAhead;
    private final Locks locks;
    private final MountRules rules;

    /**
     * How this mount behaves.
     *
     * @param closeToOpen an open is answered after a feed read that began after it
     * @param syncOnClose every close is an fsync
     * @param kernelTimeoutMillis of names and attributes while the feed is alive
     */
    record MountRules(boolean closeToOpen, boolean syncOnClose, boolean readOnly, long kernelTimeoutMillis) {}

    VolumeFileSystem(Session session, Contents contents, MountRules rules) {
        this.session = session;
        this.metadata = session.metadata();
        this.known = session.known();
        this.unflushed = session.unflushed();
        this.locks = session.locks();
        this.contents = contents;
        this.rules = rules;
        this.newInodes = new NewInodes(metadata, session.inodeNumbers(), session.quota());
        this.xattrs = new ExtendedAttributes(metadata, known);
        this.pages = new DirectoryPages(metadata, contents);
        this.lookAhead = new LookAhead(metadata, known, session.background());
    }

    @Override
    public long kernelTimeoutMillis() {
        return session.coherence().alive() ? rules.kernelTimeoutMillis : 0;
    }

    // ---- names

    @Override
    public Attributes lookup(Caller caller, long parent, FileName name) {
        Long inode = known.find(parent, name);
        if (inode != null && inode == 0) {
            throw new ErrnoException(Errno.ENOENT);
        }
        Attributes attributes = inode == null ? null : known.attributes(inode);
        if (attributes == null) {
            lookAhead.asked(parent);
            attributes = metadata.lookup(parent, name);
        }
        return contents.overlay(attributes);
    }

    /**
     * The kernel forgets an inode as a whole when it drops it, so lookups are not counted: a successor process could not
     * know the count either.
     */
    @Override
    public void forget(long inode, long lookups) {
        contents.forgotten(inode);
    }

    @Override
    public Attributes attributes(Caller caller, long inode) {
        return contents.overlay(committed(inode));
    }

    private Attributes committed(long inode) {
        Attributes attributes = known.attributes(inode);
        return attributes != null ? attributes : metadata.attributes(inode);
    }

    @Override
    public Attributes setAttributes(Op op, Caller caller, long inode, long handle, SetAttributes change) {
        writable();
        Attributes changed = committed(inode).isRegular()
                ? contents.setAttributes(op, inode, change)
                : metadata.setAttributes(op, inode, change);
        if (change.mode() != null) {
            xattrs.follow(op.step(1), changed);
        }
        return contents.overlay(changed);
    }

    @Override
    public byte[] readlink(Caller caller, long inode) {
        return metadata.readlink(inode);
    }

    @Override
    public Attributes mknod(Op op, Caller caller, long parent, FileName name, int mode, long rdev, int umask) {
        writable();
        return newInodes.make(op, caller, parent, name, mode, rdev, umask);
    }

    @Override
    public Attributes symlink(Op op, Caller caller, long parent, FileName name, byte[] target) {
        writable();
        return newInodes.symlink(op, caller, parent, name, target);
    }

    @Override
    public Attributes link(Op op, Caller caller, long inode, long newParent, FileName newName) {
        writable();
        return contents.overlay(metadata.link(op, inode, newParent, newName, FileTime.now()));
    }

    @Override
    public void unlink(Op op, Caller caller, long parent, FileName name) {
        writable();
        boolean hold = knownOpen(parent, name);
        gone(metadata.unlink(op, parent, name, FileTime.now(), hold), hold);
    }

    /** A name that is known to mean an open file; when it is not known, the hold follows the removal. */
    private boolean knownOpen(long parent, FileName name) {
        Long inode = known.find(parent, name);
        return inode != null && inode != 0 && contents.isOpen(inode);
    }

    private void gone(Attributes left, boolean held) {
        if (left.nlink() > 0 || left.isDirectory()) {
            return;
        }
        if (!held && contents.isOpen(left.inode())) {
            metadata.hold(List.of(left.inode()));
        }
        contents.unlinked(left.inode());
    }

    @Override
    public void rmdir(Op op, Caller caller, long parent, FileName name) {
        writable();
        metadata.rmdir(op, parent, name, FileTime.now());
    }

    @Override
    public void rename(Op op, Caller caller, long parent, FileName name, long newParent, FileName newName, int flags) {
        writable();
        if (flags != 0 && flags != RenameOutcome.NOREPLACE && flags != RenameOutcome.EXCHANGE) {
            throw new ErrnoException(Errno.EINVAL);
        }
        boolean hold = flags == 0 && knownOpen(newParent, newName);
        Renamed renamed = metadata.rename(op, parent, name, newParent, newName, flags, FileTime.now(), hold);
        if (renamed.replaced() != null && flags == 0) {
            gone(renamed.replaced(), hold);
        }
    }

    @Override
    public void list(Caller caller, long inode, long afterCookie, boolean withAttributes, DirectorySink sink) {
        pages.list(inode, afterCookie, withAttributes, sink);
    }

    // ---- open files

    @Override
    public Opened open(Op op, Caller caller, long inode, int flags) {
        boolean writes = (flags & O_ACCMODE) != 0 || (flags & O_TRUNC) != 0;
        if (writes) {
            writable();
        }
        if (rules.closeToOpen) {
            session.awaitFresh(inode, rules.kernelTimeoutMillis);
        }
        Attributes attributes = (flags & O_TRUNC) != 0 ? truncate(op.step(1), inode) : known.attributes(inode);
        return contents.open(op, caller, inode, attributes, flags & ~O_TRUNC);
    }

    private Attributes truncate(Op op, long inode) {
        FileTime now = FileTime.now();
        return contents.setAttributes(op, inode, new SetAttributes(null, null, null, 0L, null, now, now, true));
    }

    @Override
    public Created create(Op op, Caller caller, long parent, FileName name, int mode, int umask, int flags) {
        writable();
        int regular = (mode & 07777) | Attributes.S_IFREG;
        try {
            Attributes made = newInodes.make(op, caller, parent, name, regular, 0, umask);
            return new Created(made, contents.open(op.step(1), caller, made.inode(), made, flags & ~O_TRUNC));
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EEXIST || (flags & O_EXCL) != 0) {
                throw e;
            }
        }
        Attributes there = metadata.lookup(parent, name);
        if (!there.isRegular()) {
            throw new ErrnoException(there.isDirectory() ? Errno.EISDIR : Errno.EEXIST);
        }
        Opened opened = open(op.step(2), caller, there.inode(), flags);
        return new Created(contents.overlay(committed(there.inode())), opened);
    }

    @Override
    public Created tmpfile(Op op, Caller caller, long parent, int mode, int umask, int flags) {
        writable();
        int regular = (mode & 07777) | Attributes.S_IFREG;
        Attributes made = newInodes.unlinked(op, caller, parent, regular, umask);
        return new Created(made, contents.open(op.step(1), caller, made.inode(), made, flags & ~O_TRUNC));
    }

    @Override
    public int read(Caller caller, long inode, long handle, long offset, MemorySegment into) {
        return contents.read(inode, handle, offset, into);
    }

    @Override
    public int write(
            Op op, Caller caller, long inode, long handle, long offset, MemorySegment from, boolean killSuidgid) {
        writable();
        return contents.write(op, caller, inode, handle, offset, from, killSuidgid);
    }

    @Override
    public void flush(Op op, Caller caller, long inode, long handle, long lockOwner) {
        if ((handle & HANDLE_WRITE) == 0) {
            locks.releaseAll(op.step(1), inode, lockOwner, false);
            return;
        }
        try {
            if (rules.syncOnClose) {
                fsync(caller, inode, handle, false);
            } else {
                contents.flush(op, inode);
            }
        } finally {
            locks.releaseAll(op.step(1), inode, lockOwner, false);
        }
    }

    @Override
    public void release(long inode, long handle, long lockOwner, boolean unlockFlock) {
        try {
            if (unlockFlock) {
                locks.releaseAll(Op.NONE, inode, lockOwner, true);
            }
        } finally {
            contents.release(inode, handle);
        }
    }

    // ---- durability

    @Override
    public void fsync(Caller caller, long inode, long handle, boolean dataOnly) {
        try {
            contents.fsync(inode, dataOnly);
        } catch (ErrnoException e) {
            unflushed.told(inode);
            throw e;
        }
        unflushed.check(inode);
    }

    @Override
    public void fsyncDirectory(Caller caller, long inode) {
        metadata.flush();
        unflushed.check(inode);
    }

    /** @throws LostChangesException once, when the database lost something that was not told by an fsync yet */
    @Override
    public void sync() {
        LostChangesException lost = null;
        try {
            contents.syncAll();
        } catch (LostChangesException e) {
            lost = e;
        }
        metadata.flush();
        try {
            unflushed.checkAll();
        } catch (LostChangesException e) {
            lost = e;
        }
        if (lost != null) {
            throw lost;
        }
    }

    // ---- ranges

    @Override
    public void fallocate(Op op, Caller caller, long inode, long handle, long offset, long length, int mode) {
        writable();
        contents.fallocate(op, inode, offset, length, mode);
    }

    @Override
    public long seek(Caller caller, long inode, long handle, long offset, int whence) {
        return contents.seek(inode, offset, whence);
    }

    @Override
    public long copyFileRange(Op op, Caller caller, long inode, long offset, long toInode, long toOffset, long length) {
        writable();
        return contents.copyFileRange(op, inode, offset, toInode, toOffset, length);
    }

    // ---- extended attributes

    @Override
    public byte[] getXattr(Caller caller, long inode, FileName name) {
        return xattrs.get(inode, name);
    }

    @Override
    public List<FileName> listXattr(Caller caller, long inode) {
        return xattrs.list(inode);
    }

    @Override
    public void setXattr(Op op, Caller caller, long inode, FileName name, byte[] value, int flags, boolean killSgid) {
        writable();
        xattrs.set(op, inode, name, value, flags, killSgid);
    }

    @Override
    public void removeXattr(Op op, Caller caller, long inode, FileName name) {
        writable();
        xattrs.remove(op, inode, name);
    }

    // ---- locks

    @Override
    public FileLock testLock(long inode, FileLock wanted) {
        return locks.test(inode, wanted);
    }

    @Override
    public void setLock(Op op, long inode, FileLock lock, boolean wait, Cancellation cancel) {
        if (lock.type() == FileLock.UNLOCK) {
            contents.flush(op.step(1), inode);
            locks.unlock(op, inode, lock);
        } else {
            locks.lock(op, inode, lock, wait, cancel);
        }
    }

    @Override
    public Usage statfs() {
        return session.quota().usage();
    }

    /** Everything dirty is committed; the session is ended by who made it. */
    @Override
    public void close() {
        contents.close();
    }

    private void writable() {
        if (rules.readOnly) {
            throw new ErrnoException(Errno.EROFS);
        }
    }
}
