package dev.larder.csi.controller;

import csi.v1.Csi.CapacityRange;
import dev.larder.csi.CsiException;
import io.grpc.Status;

/**
 * CSI's CapacityRange, checked.
 *
 * @param requiredBytes at least 1
 * @param limitBytes 0 = none
 */
record Capacity(long requiredBytes, long limitBytes) {
    /** For a caller that names no size; Kubernetes always does. */
    private static final long DEFAULT_BYTES = 1L << 30;

    static Capacity parse(CapacityRange range) {
        long required = range.getRequiredBytes();
        long limit = range.getLimitBytes();
        if (required < 0 || limit < 0) {
            throw CsiException.invalid("capacity_range is negative");
        }
        if (limit > 0 && required > limit) {
            throw CsiException.invalid("capacity_range requires more than its limit");
        }
        if (required > 0) {
            return new Capacity(required, limit);
        }
        return new Capacity(limit > 0 ? Math.min(limit, DEFAULT_BYTES) : DEFAULT_BYTES, limit);
    }

    boolean allows(long bytes) {
        return bytes >= requiredBytes && (limitBytes == 0 || bytes <= limitBytes);
    }

    void requireWithinLimit(long bytes, String volume) {
        if (limitBytes > 0 && bytes > limitBytes) {
            throw new CsiException(
                    Status.Code.OUT_OF_RANGE,
                    "the volume " + volume + " has " + bytes + " bytes, more than the limit of " + limitBytes
                            + ": volumes do not shrink");
        }
    }
}
