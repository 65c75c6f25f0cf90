package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class OutageTest {
    private static final long HOUR_NS = TimeUnit.HOURS.toNanos(1);

    @Test
    void theBoundCountsFromTheFirstSilence() {
        Outage outage = new Outage(Duration.ofHours(2));
        assertEquals(Long.MAX_VALUE, outage.leftNs());
        outage.answered();
        long first = System.nanoTime();
        outage.failed(first);
        outage.failed(first + HOUR_NS);
        assertTrue(outage.leftNs() <= 2 * HOUR_NS, "a later failure does not begin it anew");
        outage.answered();
        assertEquals(Long.MAX_VALUE, outage.leftNs());
    }

    @Test
    void anAnswerToAnotherWhileOneFailedIsNoOutage() {
        Outage outage = new Outage(Duration.ofHours(1));
        long began = System.nanoTime();
        outage.answered();
        outage.failed(began);
        assertEquals(Long.MAX_VALUE, outage.leftNs());
    }

    @Test
    void whenItIsOverOneAsksAndTheOthersFail() {
        Outage outage = new Outage(Duration.ofNanos(1));
        outage.failed(System.nanoTime());
        assertTrue(outage.leftNs() <= 0);
        int probes = 0;
        for (int caller = 0; caller < 100; caller++) {
            probes += outage.takeProbe() ? 1 : 0;
        }
        assertTrue(probes <= 1, "one a second");
    }

    @Test
    void aSecondStatementWaitsNoSecondTime() {
        MetadataOptions options = MetadataOptions.of(
                        "jdbc:postgresql://127.0.0.1:1/none", "nobody", () -> "secret", "h", "m")
                .withDeadline(Duration.ofMillis(300));
        try (DatabasePool pool = new DatabasePool(options);
                SessionStatements statements = new SessionStatements(pool, options, new java.util.UUID(0, 1))) {
            long sent = 0;
            for (int statement = 0; statement < 20; statement++) {
                ErrnoException failure =
                        assertThrows(ErrnoException.class, () -> statements.query("SELECT 0", p -> {}, row -> null));
                assertEquals(Errno.ETIMEDOUT, failure.errno());
                sent = statement == 0 ? pool.statements() : sent;
            }
            assertTrue(pool.statements() - sent <= 10, "they fail without being sent, but for probes");
            assertThrows(ErrnoException.class, statements::requireAnswering);
        }
    }
}
