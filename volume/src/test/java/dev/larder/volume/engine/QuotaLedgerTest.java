package dev.larder.volume.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Metadata.Heartbeat;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class QuotaLedgerTest {
    private static final long MIB = 1 << 20;

    private long used;
    private long dirty;
    private int heartbeats;
    private final QuotaLedger ledger = new QuotaLedger(this::heartbeat, () -> dirty, Duration.ZERO);

    private Heartbeat heartbeat() {
        heartbeats++;
        return new Heartbeat(used, 10, 100 * MIB, 20, new UUID(1, 1));
    }

    @Test
    void refusesGrowthBeyondTheQuota() {
        ledger.refreshed(heartbeat());
        ledger.grow(100 * MIB, 10);
        dirty = 100 * MIB;
        refused(1, 0);
        assertEquals(100 * MIB, ledger.usage().usedBytes());
    }

    @Test
    void asksAgainBeforeItRefuses() {
        used = 100 * MIB;
        ledger.refreshed(heartbeat());
        used = 0;
        ledger.grow(MIB, 1);
        assertEquals(2, heartbeats);
        refused(0, 11);
    }

    @Test
    void aloneItGrowsWithoutAsking() {
        ledger.refreshed(heartbeat());
        for (int i = 0; i < 50; i++) {
            ledger.grow(MIB, 0);
        }
        assertEquals(1, heartbeats);
    }

    @Test
    void besideOthersItAsksForEachReservation() {
        ledger.otherSessions(1);
        ledger.refreshed(heartbeat());
        for (int i = 0; i < 50; i++) {
            ledger.grow(MIB, 0);
        }
        assertTrue(heartbeats >= 5 && heartbeats <= 8, "heartbeats: " + heartbeats);
    }

    @Test
    void whatIsDirtyStillCountsAfterAHeartbeat() {
        ledger.refreshed(heartbeat());
        ledger.grow(60 * MIB, 0);
        dirty = 60 * MIB;
        ledger.refreshed(heartbeat());
        refused(50 * MIB, 0);
        dirty = 0;
        used = 60 * MIB;
        ledger.refreshed(heartbeat());
        refused(50 * MIB, 0);
        ledger.grow(40 * MIB, 0);
    }

    private void refused(long bytes, long inodes) {
        assertEquals(
                Errno.EDQUOT,
                assertThrows(ErrnoException.class, () -> ledger.grow(bytes, inodes))
                        .errno());
    }
}
