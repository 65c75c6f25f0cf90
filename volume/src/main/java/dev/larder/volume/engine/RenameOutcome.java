package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileTime;
import dev.larder.volume.metadata.Metadata.Renamed;

/** What a rename that was answered means for names, link counts and times. */
record RenameOutcome(
        Attributes moved,
        Attributes replaced,
        boolean exchange,
        long parent,
        long newParent,
        int fromDelta,
        int toDelta) {
    static final int NOREPLACE = 1;
    static final int EXCHANGE = 2;

    static RenameOutcome of(Renamed renamed, long parent, long newParent, int flags) {
        boolean exchange = (flags & EXCHANGE) != 0;
        int movedIn = renamed.moved().isDirectory() ? 1 : 0;
        int other = renamed.replaced() != null && renamed.replaced().isDirectory() ? 1 : 0;
        int across = parent == newParent ? 0 : movedIn;
        int back = exchange && parent == newParent ? 0 : other;
        return new RenameOutcome(
                renamed.moved(),
                renamed.replaced(),
                exchange,
                parent,
                newParent,
                (exchange ? back : 0) - across,
                across - back);
    }

    void teach(
            Known.Mutation mutation,
            Known known,
            KnownDirectories.Naming from,
            KnownDirectories.Naming to,
            FileTime now) {
        from.means(exchange ? replaced.inode() : 0);
        to.means(moved.inode());
        mutation.is(moved);
        if (replaced != null) {
            mutation.is(replaced);
        }
        if (parent == newParent) {
            mutation.directoryTouched(parent, now, fromDelta + toDelta);
        } else {
            mutation.directoryTouched(parent, now, fromDelta);
            mutation.directoryTouched(newParent, now, toDelta);
        }
        if (replaced != null && replaced.isDirectory() && !exchange) {
            known.changed(replaced.inode());
            known.directories().drop(replaced.inode());
        }
    }
}
