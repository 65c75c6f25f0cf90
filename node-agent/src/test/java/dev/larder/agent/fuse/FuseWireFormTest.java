package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.linux.fuse.FuseFlags;
import dev.larder.linux.fuse.InitFlag;
import dev.larder.linux.fuse.Wire.InHeader;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.Op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class FuseWireFormTest {
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

    @Test
    void malformedRequestsAreRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(InHeader.BYTES + 8L, 8);
            Request request = new Request(bytes);
            assertRefused(() -> request.int64(1));
            assertRefused(() -> request.int32(-4));
            assertRefused(() -> request.data(0, 9));
            assertRefused(() -> request.data(4, 0xffffffffL));
            assertRefused(() -> request.name(0));
            bytes.asSlice(InHeader.BYTES).fill((byte) 'x');
            assertRefused(() -> request.text(0));
            assertRefused(() -> request.text(8));
            bytes.set(JAVA_BYTE, InHeader.BYTES + 3L, (byte) 0);
            assertEquals("xxx", request.name(0).toString());
            assertRefused(() -> request.position(99));
        }
    }

    private static void assertRefused(org.junit.jupiter.api.function.Executable call) {
        assertEquals(Errno.EINVAL, assertThrows(ErrnoException.class, call).errno());
    }

    @Test
    void aResentRequestKeepsItsIdentity() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(InHeader.BYTES, 8);
            bytes.set(JAVA_LONG, InHeader.UNIQUE, 1234);
            assertEquals(new Op(4936, false), new Request(bytes).op());
            bytes.set(JAVA_LONG, InHeader.UNIQUE, 1234 | FuseFlags.UNIQUE_RESEND);
            assertEquals(new Op(4936, true), new Request(bytes).op());
            bytes.set(JAVA_INT, InHeader.UID, -1);
            assertEquals(0xffffffffL, new Request(bytes).caller().uid());
        }
    }

    @Test
    void anInterruptMayComeBeforeItsRequest() {
        Interrupts interrupts = new Interrupts();
        interrupts.interrupt(6);
        try (Interrupts.Pending early = interrupts.register(6);
                Interrupts.Pending other = interrupts.register(8)) {
            assertTrue(early.cancelled());
            assertFalse(other.cancelled());
            int[] runs = new int[1];
            other.onCancel(() -> runs[0]++);
            interrupts.interrupt(8);
            interrupts.interrupt(8);
            assertEquals(1, runs[0]);
        }
    }
}
