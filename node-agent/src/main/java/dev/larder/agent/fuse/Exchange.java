package dev.larder.agent.fuse;

import dev.larder.linux.Mapping;
import dev.larder.linux.fuse.Wire.InHeader;
import dev.larder.linux.fuse.Wire.OutHeader;
import dev.larder.linux.fuse.Wire.WriteIn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Off-heap memory of one request and its reply. A WRITE's bytes and a READ's answer begin at a page, as direct I/O on
 * the cache file wants it. It takes room as it is touched.
 */
final class Exchange {
    private static final int PAGE = 4096;
    private static final int BEFORE_WRITE_DATA = InHeader.BYTES + WriteIn.BYTES;

    final MemorySegment request;
    final MemorySegment reply;
    private final MemorySegment memory;

    /**
     * @param requestBytes payload beside the headers of a WRITE
     * @param replyBytes payload beside the header of a reply
     */
    Exchange(Arena arena, long requestBytes, long replyBytes) {
        long requestEnd = PAGE + pages(requestBytes);
        memory = Mapping.anonymous(arena, requestEnd + PAGE + pages(replyBytes));
        request = memory.asSlice(PAGE - BEFORE_WRITE_DATA, BEFORE_WRITE_DATA + requestBytes);
        reply = memory.asSlice(requestEnd + PAGE - OutHeader.BYTES, OutHeader.BYTES + replyBytes);
    }

    private static long pages(long bytes) {
        return (bytes + PAGE - 1) / PAGE * PAGE;
    }

    /** Between requests: what was touched takes no room any more. */
    void giveUp() {
        Mapping.discard(memory);
    }
}
