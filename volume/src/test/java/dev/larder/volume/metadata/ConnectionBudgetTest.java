package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.testing.TestDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConnectionBudgetTest {
    private static final int MOST = 3;
    private static final int SESSIONS = 6;
    private static final int STATEMENTS = 100;

    private TestDatabase database;

    @BeforeEach
    void create() {
        database = TestDatabase.create();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    private Connection open() throws SQLException {
        MetadataOptions options = database.options();
        return DriverManager.getConnection(
                options.url(), options.user(), options.password().get());
    }

    private int openInTheServer() {
        return Integer.parseInt(
                database.ask(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'larder /%'"));
    }

    @Test
    void morePoolsThanConnectionsTakeTurns() throws Exception {
        ConnectionBudget budget = new ConnectionBudget(MOST);
        List<PostgresMetadata> sessions = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(SESSIONS)) {
            List<Callable<Integer>> users = new ArrayList<>();
            for (int i = 0; i < SESSIONS; i++) {
                PostgresMetadata session = PostgresMetadata.open(
                        database.options().withConnections(2).withBudget(budget));
                sessions.add(session);
                users.add(() -> {
                    int most = 0;
                    for (int n = 0; n < STATEMENTS; n++) {
                        session.attributes(Attributes.ROOT);
                        most = Math.max(most, budget.open());
                    }
                    return most;
                });
            }
            for (Future<Integer> user : threads.invokeAll(users)) {
                assertTrue(user.get() <= MOST, "open at once: " + user.get());
            }
            assertTrue(openInTheServer() <= MOST);
        } finally {
            sessions.forEach(PostgresMetadata::close);
        }
        assertEquals(0, budget.open());
    }

    @Test
    void whatCannotBeHadInTimeNamesTheLimit() throws SQLException {
        ConnectionBudget budget = new ConnectionBudget(1);
        Connection held = budget.connect(this::open);
        assertEquals(1, budget.open());
        SQLException e = assertThrows(SQLException.class, () -> budget.connect(this::open));
        assertTrue(e.getMessage().contains("raise --connections"), e.getMessage());
        assertEquals(SqlFailure.CONNECTION, SqlFailure.of(e));
        held.close();
        held.close();
        assertEquals(0, budget.open(), "closed twice, given back once");
        assertThrows(
                SQLException.class,
                () -> budget.connect(() -> {
                    throw new SQLException("no server");
                }));
        assertEquals(0, budget.open());
    }
}
