package dev.larder.volume.metadata;

import dev.larder.schema.VolumeDatabase;
import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.Commit;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.testing.TestDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** A fresh volume with sessions, files and contents for the tests of the metadata's content half. */
final class ScratchVolume implements AutoCloseable {
    static final FileTime NOW = new FileTime(1_000_000, 5);

    private final TestDatabase database = TestDatabase.create();
    private final List<PostgresMetadata> sessions = new ArrayList<>();
    private long nextInode;
    private long lastInode;

    PostgresMetadata session() {
        return session(MetadataOptions.DEFAULT_LEASE);
    }

    PostgresMetadata session(Duration lease) {
        PostgresMetadata session =
                PostgresMetadata.open(database.options().withConnections(2).withLease(lease));
        sessions.add(session);
        return session;
    }

    TestDatabase database() {
        return database;
    }

    Connection admin() throws SQLException {
        return database.superuser();
    }

    /** With the volume's login, into the server's own database. */
    Connection elsewhere() throws SQLException {
        VolumeDatabase login = database.database();
        String server = login.url().substring(0, login.url().lastIndexOf('/') + 1);
        return DriverManager.getConnection(server + "postgres", login.user(), login.password());
    }

    void execute(String sql) {
        database.execute(sql);
    }

    long count(String sql) {
        return Long.parseLong(database.ask(sql));
    }

    long file(PostgresMetadata session, long parent, String name) {
        return make(session, parent, name, Attributes.S_IFREG | 0644);
    }

    long directory(PostgresMetadata session, long parent, String name) {
        return make(session, parent, name, Attributes.S_IFDIR | 0755);
    }

    private synchronized long make(PostgresMetadata session, long parent, String name, int mode) {
        if (nextInode == lastInode) {
            nextInode = session.leaseInodes(1000);
            lastInode = nextInode + 1000;
        }
        long inode = nextInode++;
        session.create(
                Op.NONE, parent, FileName.of(name), new NewInode(inode, mode, 0, 0, 0, null, null, null, false, NOW));
        return inode;
    }

    /** A content of one uncompressed frame in the row. */
    static Extent inline(long offset, byte[] bytes) {
        FrameTable frames = FrameTable.of(FrameTable.CODEC_NONE, 1);
        frames.set(0, bytes.length, 0, bytes.length, 0);
        return new Extent(offset, bytes.length, ExtentKind.INLINE, UUID.randomUUID(), 0, null, frames.encoded(), bytes);
    }

    static Extent segment(long offset, int length, UUID segment, long storedOffset) {
        FrameTable frames = FrameTable.of(FrameTable.CODEC_NONE, 1);
        frames.set(0, length, storedOffset, length, 0);
        return new Extent(offset, length, ExtentKind.SEGMENT, UUID.randomUUID(), 0, segment, frames.encoded(), null);
    }

    static Commit write(long inode, Extent... extents) {
        long size = 0;
        for (Extent extent : extents) {
            size = Math.max(size, extent.end());
        }
        return new Commit(inode, 0, size, false, false, NOW, List.of(extents), null);
    }

    static Commit append(long inode, byte[] bytes) {
        return new Commit(inode, 0, 0, true, false, NOW, List.of(inline(0, bytes)), null);
    }

    @Override
    public void close() {
        sessions.forEach(PostgresMetadata::abandon);
        database.close();
    }
}
