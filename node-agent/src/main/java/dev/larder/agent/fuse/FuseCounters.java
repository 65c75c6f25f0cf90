package dev.larder.agent.fuse;

import dev.larder.linux.fuse.Opcode;
import java.util.concurrent.atomic.LongAdder;

/** Requests, failures and time by opcode, since the start; read them from any thread. */
public final class FuseCounters {
    private final LongAdder[] requests = adders();
    private final LongAdder[] failures = adders();
    private final LongAdder[] nanos = adders();
    private final LongAdder handedOver = new LongAdder();

    private static LongAdder[] adders() {
        LongAdder[] adders = new LongAdder[Opcode.COUNT];
        for (int i = 0; i < adders.length; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }

    /** Numbers that are not known share slot 0. */
    private static int slot(int opcode) {
        return opcode > 0 && opcode < Opcode.COUNT ? opcode : 0;
    }

    void count(int opcode, int errno, long tookNanos) {
        int slot = slot(opcode);
        requests[slot].increment();
        nanos[slot].add(tookNanos);
        if (errno != 0) {
            failures[slot].increment();
        }
    }

    void countHandOver() {
        handedOver.increment();
    }

    public long requests(int opcode) {
        return requests[slot(opcode)].sum();
    }

    /** Answers that were not success; ENOENT of a look-up counts. */
    public long failures(int opcode) {
        return failures[slot(opcode)].sum();
    }

    public long nanos(int opcode) {
        return nanos[slot(opcode)].sum();
    }

    /** Requests that went to a virtual thread because no worker was left to read. */
    public long handedOver() {
        return handedOver.sum();
    }
}
