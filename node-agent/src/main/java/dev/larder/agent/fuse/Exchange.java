package dev.larder.agent.fuse;

import dev.larder.linux.fuse.Wire.InHeader;
import dev.larder.linux.fuse.Wire.OutHeader;
import dev.larder.linux.fuse.Wire.WriteIn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Off-heap memory of one request and its reply. A WRITE's bytes and a READ's answer begin at a page, as direct I/O on
 * the cache file wants it.
 */
final class Exchange {
    private static final int PAGE = 4096;
    private static final int BEFORE_WRITE_DATA = InHeader.BYTES + WriteIn.BYTES;

    final MemorySegment request;
    final MemorySegment reply;

    /**
     * @param requestBytes payload beside the headers of a WRITE
     * @param replyBytes payload beside the header of a reply
     */
    Exchange(Arena arena, long requestBytes, long replyBytes) {
        request = arena.allocate(PAGE + requestBytes, PAGE).asSlice(PAGE - BEFORE_WRITE_DATA);
        reply = arena.allocate(PAGE + replyBytes, PAGE).asSlice(PAGE - OutHeader.BYTES);
    }
}
