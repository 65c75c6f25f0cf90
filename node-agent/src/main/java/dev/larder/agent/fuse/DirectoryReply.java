package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.larder.linux.fuse.Wire.Dirent;
import dev.larder.linux.fuse.Wire.Direntplus;
import dev.larder.linux.fuse.Wire.EntryOut;
import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem.DirectorySink;
import java.lang.foreign.MemorySegment;

/** Fills a READDIR or READDIRPLUS reply up to the size that the kernel asked for. */
final class DirectoryReply implements DirectorySink {
    static final long COOKIE_DOT = 1;
    static final long COOKIE_DOT_DOT = 2;

    private static final byte[] DOT = {'.'};
    private static final byte[] DOT_DOT = {'.', '.'};
    private static final int DT_DIR = 4;

    private final Reply reply;
    private final long limit;
    private final boolean plus;
    private final long timeoutMillis;

    DirectoryReply(Reply reply, long limit, boolean plus, long timeoutMillis) {
        this.reply = reply;
        this.limit = limit;
        this.plus = plus;
        this.timeoutMillis = timeoutMillis;
    }

    /** Of these two the kernel takes no look-up: their node id is 0. */
    boolean dots(long afterCookie, long inode, long parent) {
        return (afterCookie >= COOKIE_DOT || put(DOT, inode, DT_DIR, COOKIE_DOT, null))
                && put(DOT_DOT, parent, DT_DIR, COOKIE_DOT_DOT, null);
    }

    @Override
    public boolean entry(FileName name, long inode, int direntType, long nextCookie, Attributes attributes) {
        return put(name.bytes(), inode, direntType, nextCookie, attributes);
    }

    private boolean put(byte[] name, long inode, int type, long cookie, Attributes attributes) {
        int fixed = plus ? Direntplus.BYTES : Dirent.BYTES;
        int length = (fixed + name.length + 7) & ~7;
        if (reply.size() + length > limit) {
            return false;
        }
        MemorySegment entry = reply.append(length);
        if (plus && attributes != null) {
            Reply.putEntry(entry.asSlice(0, EntryOut.BYTES), attributes, timeoutMillis);
        }
        MemorySegment dirent = plus ? entry.asSlice(Direntplus.DIRENT) : entry;
        dirent.set(JAVA_LONG, Dirent.INO, inode);
        dirent.set(JAVA_LONG, Dirent.OFF, cookie);
        dirent.set(JAVA_INT, Dirent.NAMELEN, name.length);
        dirent.set(JAVA_INT, Dirent.TYPE, type);
        MemorySegment.copy(name, 0, dirent, JAVA_BYTE, Dirent.BYTES, name.length);
        return true;
    }
}
