package dev.larder.volume.metadata;

import dev.larder.volume.FileSystem.FileLock;
import dev.larder.volume.Op;

/** Statements about file locks. */
@SuppressWarnings("DoNotCallSuggester")
final class LockStatements {
    private final SessionStatements statements;

    LockStatements(SessionStatements statements) {
        this.statements = statements;
    }

    FileLock testLock(long inode, FileLock wanted) {
        throw absent();
    }

    FileLock setLock(Op op, long inode, FileLock lock, boolean waiting) {
        throw absent();
    }

    void stopWaiting(long inode, long owner) {
        throw absent();
    }

    private IllegalStateException absent() {
        return new IllegalStateException("lock statements of session " + statements.session());
    }
}
