package dev.larder.volume.metadata;

import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.ServerLogin;
import dev.larder.schema.VolumeDatabase;
import dev.larder.schema.VolumeRow;
import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.Commit;
import dev.larder.volume.metadata.Metadata.NewInode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** A fresh volume on an embedded server of its own directory, with sessions and a superuser's connection. */
public final class ScratchVolume implements AutoCloseable {
    static final FileTime NOW = new FileTime(1_000_000, 5);

    private final EmbeddedPostgres server;
    private final ServerLogin login;
    private final VolumeDatabase database;
    private final UUID id = UUID.randomUUID();
    private final List<PostgresMetadata> sessions = new ArrayList<>();
    private long nextInode;
    private long lastInode;

    public ScratchVolume(Path directory) {
        this.server = new EmbeddedPostgres(directory);
        this.login = server.ensureRunning(Duration.ofMinutes(2));
        this.database = new SchemaMigration(login)
                .provision(new VolumeRow(id, "scratch", 0, 0, Duration.ofDays(1), 0, 0, 0755));
    }

    public EmbeddedPostgres server() {
        return server;
    }

    public PostgresMetadata session() {
        return session(MetadataOptions.DEFAULT_LEASE);
    }

    public PostgresMetadata session(Duration lease) {
        PostgresMetadata session = PostgresMetadata.open(
                MetadataOptions.of(database.url(), database.user(), database::password, "host", "/mnt")
                        .withConnections(2)
                        .withLease(lease));
        sessions.add(session);
        return session;
    }

    /** As the superuser, into the volume's database. */
    public Connection admin() throws SQLException {
        return admin(SchemaMigration.databaseName(id));
    }

    public Connection admin(String name) throws SQLException {
        return DriverManager.getConnection(login.url(name), login.user(), login.password());
    }

    public void execute(String sql) throws SQLException {
        try (Connection connection = admin();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    public long count(String sql) throws SQLException {
        try (Connection connection = admin();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    public long file(PostgresMetadata session, long parent, String name) {
        return make(session, parent, name, Attributes.S_IFREG | 0644);
    }

    public long directory(PostgresMetadata session, long parent, String name) {
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
        return new Commit(inode, 0, size, false, false, NOW, List.of(extents));
    }

    static Commit append(long inode, byte[] bytes) {
        return new Commit(inode, 0, 0, true, false, NOW, List.of(inline(0, bytes)));
    }

    @Override
    public void close() {
        sessions.forEach(PostgresMetadata::abandon);
        server.stop(Duration.ofSeconds(30));
    }
}
