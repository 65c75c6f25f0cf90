package dev.larder.volume.metadata;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata.Commit;
import dev.larder.volume.metadata.Metadata.Committed;
import dev.larder.volume.metadata.Metadata.Content;
import java.util.List;

/** Statements about file content. */
@SuppressWarnings("DoNotCallSuggester")
final class ContentStatements {
    private final SessionStatements statements;

    ContentStatements(SessionStatements statements) {
        this.statements = statements;
    }

    Content content(long inode, long from, long to) {
        throw absent();
    }

    List<Committed> commit(Op op, List<Commit> commits) {
        throw absent();
    }

    Attributes punch(Op op, long inode, long offset, long length, boolean unwritten, FileTime now) {
        throw absent();
    }

    Attributes preallocate(Op op, long inode, long offset, long length, boolean keepSize, FileTime now) {
        throw absent();
    }

    Attributes shift(Op op, long inode, long offset, long shift, FileTime now) {
        throw absent();
    }

    Attributes copyRange(Op op, long inode, long offset, long toInode, long toOffset, long length, FileTime now) {
        throw absent();
    }

    private IllegalStateException absent() {
        return new IllegalStateException("content statements of session " + statements.session());
    }
}
