package dev.larder.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.linux.fuse.FuseFlags;
import dev.larder.linux.fuse.Wire.InHeader;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.Op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class FuseWireFormTest {
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
