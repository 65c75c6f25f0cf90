package dev.larder.volume.metadata;

import dev.larder.volume.Errno;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.postgresql.util.PSQLException;

/** What a database's error means for an operation. SQLSTATEs: PostgreSQL, appendix A; LF of R__10_session.sql. */
enum SqlFailure {
    /** Rolled back by a race: the same statement succeeds soon. */
    RACE,
    /** The server or the way to it is gone; the statement may have been executed. */
    CONNECTION,
    /** A session's end. */
    FENCED,
    /** Another host has the volume to itself, or would lose it to one that wants that. */
    HELD,
    /** An errno that a function raised. */
    ERRNO,
    /** A fault in the database or in Larder. */
    FATAL;

    static SqlFailure of(SQLException e) {
        String state = stateOf(e);
        if (state == null) {
            return e instanceof SQLTransientConnectionException ? CONNECTION : FATAL;
        }
        return switch (state) {
            case "LFNCE" -> FENCED;
            case "LHELD" -> HELD;
            // serialization failure, deadlock, lock timeout, statement timeout
            case "40001", "40P01", "55P03", "57014" -> RACE;
            // shutdowns, starting, too many connections, a standby that is not promoted yet, a password being rotated
            // (read-only; it has no UNLOGGED tables)
            case "57P01", "57P02", "57P03", "53300", "25006", "0A000", "28P01", "28000" -> CONNECTION;
            default -> byClass(state);
        };
    }

    private static SqlFailure byClass(String state) {
        if (state.startsWith("LF")) {
            return ERRNO;
        }
        return state.startsWith("08") ? CONNECTION : FATAL;
    }

    /** The errno of an ERRNO failure: LF and three digits. */
    static Errno errno(SQLException e) {
        return Errno.of(Integer.parseInt(stateOf(e).substring(2)));
    }

    /** What a function said, without the context that the driver adds. */
    static String message(SQLException e) {
        return e instanceof PSQLException own && own.getServerErrorMessage() != null
                ? own.getServerErrorMessage().getMessage()
                : e.getMessage();
    }

    /** A pool's time-out has no state of its own; its cause's counts. */
    private static String stateOf(SQLException e) {
        if (e.getSQLState() == null && e.getCause() instanceof SQLException cause) {
            return cause.getSQLState();
        }
        return e.getSQLState();
    }
}
