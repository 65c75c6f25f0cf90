package dev.larder.volume.metadata;

import dev.larder.volume.metadata.Metadata.FeedPage;

/** The change feed's statement. */
@SuppressWarnings("DoNotCallSuggester")
final class FeedStatements {
    private final SessionStatements statements;

    FeedStatements(SessionStatements statements) {
        this.statements = statements;
    }

    FeedPage feed(String cursor) {
        throw new IllegalStateException("feed of session " + statements.session() + " at " + cursor);
    }
}
