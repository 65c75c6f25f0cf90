package dev.larder.linux.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class FuseInitTest {
    @Test
    void aNegotiationSurvivesItsRecordAndDamageIsSeen() {
        Negotiated negotiated = FuseInit.settle(45, -1L, 131072);
        byte[] bytes = negotiated.encode();
        assertEquals(negotiated, Negotiated.decode(bytes));
        bytes[9] ^= 1;
        assertThrows(IllegalArgumentException.class, () -> Negotiated.decode(bytes));
        assertThrows(IllegalArgumentException.class, () -> Negotiated.decode(new byte[3]));
    }

    @Test
    void negotiatesDownAndNeverAsksForWritebackOrIoUring() {
        Negotiated all = FuseInit.settle(45, -1L, 131072);
        assertFalse(all.has(InitFlag.WRITEBACK_CACHE | InitFlag.OVER_IO_URING | InitFlag.AUTO_INVAL_DATA));
        assertTrue(all.has(InitFlag.PASSTHROUGH));
        assertEquals(1 << 20, all.maxWrite());
        Negotiated old = FuseInit.settle(31, InitFlag.ASYNC_READ | InitFlag.BIG_WRITES, 131072);
        assertEquals(32 * 4096, old.maxWrite());
        assertFalse(old.has(InitFlag.PASSTHROUGH));
    }
}
