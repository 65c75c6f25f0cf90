package dev.larder.csi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.csi.NodeVolumeException.Reason;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CsiErrorsTest {
    private final CsiErrors errors = CsiErrors.ofNode("node-1");

    @ParameterizedTest
    @EnumSource(Reason.class)
    void everyReasonHasACodeAndACommand(Reason reason) {
        Status status = errors.status(new NodeVolumeException(reason, "what happened"));
        assertNotEquals(Status.Code.UNKNOWN, status.getCode());
        assertTrue(status.getDescription().matches("what happened; next: kubectl .*"), status.getDescription());
    }

    @Test
    void whatIsFullIsNoBug() {
        Status status = errors.status(new LinuxException("mkdir", LinuxErrno.ENOSPC));
        assertEquals(Status.Code.RESOURCE_EXHAUSTED, status.getCode());
        assertEquals(
                Status.Code.INTERNAL,
                errors.status(new IllegalStateException("x")).getCode());
        assertTrue(CsiErrors.isBug(new IllegalStateException("x")));
    }
}
