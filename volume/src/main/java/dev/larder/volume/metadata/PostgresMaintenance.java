package dev.larder.volume.metadata;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** Statements of background work and administration. */
@SuppressWarnings("DoNotCallSuggester")
final class PostgresMaintenance implements Maintenance {
    private final SessionStatements statements;

    PostgresMaintenance(SessionStatements statements) {
        this.statements = statements;
    }

    private IllegalStateException absent() {
        return new IllegalStateException("maintenance statements of session " + statements.session());
    }

    @Override
    public List<FileExtent> inlineExtents(Duration age, long maxBytes) {
        throw absent();
    }

    @Override
    public List<Boolean> move(List<Move> moves) {
        throw absent();
    }

    @Override
    public int retireSegments(Duration age) {
        throw absent();
    }

    @Override
    public List<UUID> retiredSegments(Duration age, int limit) {
        throw absent();
    }

    @Override
    public void forgetSegments(List<UUID> segments) {
        throw absent();
    }

    @Override
    public List<Boolean> knownSegments(List<UUID> segments) {
        throw absent();
    }

    @Override
    public List<UUID> liveSessions() {
        throw absent();
    }

    @Override
    public int purgeUnlinked(Duration age, int limit) {
        throw absent();
    }

    @Override
    public int purgeTrash(Instant before, int limit) {
        throw absent();
    }

    @Override
    public List<TrashEntry> trash(String pathPrefix, int limit) {
        throw absent();
    }

    @Override
    public String restore(long inode) {
        throw absent();
    }

    @Override
    public DiskUsage diskUsage(long inode) {
        throw absent();
    }

    @Override
    public List<FileExtent> extents(long afterInode, long afterOffset, int limit) {
        throw absent();
    }

    @Override
    public List<Finding> check(boolean repair) {
        throw absent();
    }
}
