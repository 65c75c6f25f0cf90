package dev.larder.csi;

import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The one place where errors become gRPC codes (CSI, "Error Scheme"). Each message names what failed and why and ends in
 * the command to run next; kubelet and the sidecars show it as an event of the pod or the claim.
 */
public final class CsiErrors {
    private final String lookThere;

    /** @param lookThere the command for errors that know no better one */
    private CsiErrors(String lookThere) {
        this.lookThere = lookThere;
    }

    static CsiErrors ofNode(String nodeName) {
        return new CsiErrors("kubectl get pods -A -l 'app.kubernetes.io/component in (csi-node,node-agent)'"
                + " --field-selector spec.nodeName=" + nodeName);
    }

    public static CsiErrors ofController() {
        return new CsiErrors("kubectl get pods -A -l 'app.kubernetes.io/component in (csi-controller,operator)'");
    }

    public Status status(Throwable error) {
        return switch (error) {
            case CsiException e -> status(e.code(), e.getMessage(), e.next());
            case NodeVolumeException e -> status(code(e.reason()), e.getMessage(), next(e.reason()));
            case LinuxException e -> status(code(e), e.getMessage(), null);
            case UncheckedIOException e -> status(Status.Code.INTERNAL, e.getMessage(), null);
            case IOException e -> status(Status.Code.INTERNAL, e.toString(), null);
            default -> status(Status.Code.INTERNAL, "a bug in the driver: " + error, null);
        };
    }

    /** Those that a person must read the stack of. */
    static boolean isBug(Throwable error) {
        return switch (error) {
            case CsiException _, NodeVolumeException _, LinuxException _, UncheckedIOException _, IOException _ ->
                false;
            default -> true;
        };
    }

    private Status status(Status.Code code, String message, String next) {
        return code.toStatus().withDescription(message + "; next: " + (next == null ? lookThere : next));
    }

    private static Status.Code code(NodeVolumeException.Reason reason) {
        return switch (reason) {
            case NO_AGENT, CLOSING -> Status.Code.UNAVAILABLE;
            case REFUSED, BAD_SECRET, HELD_ELSEWHERE -> Status.Code.FAILED_PRECONDITION;
            case TIMEOUT -> Status.Code.DEADLINE_EXCEEDED;
            case FAILED -> Status.Code.INTERNAL;
        };
    }

    private static String next(NodeVolumeException.Reason reason) {
        return switch (reason) {
            case BAD_SECRET, REFUSED -> "kubectl describe sharedvolumes -A";
            case HELD_ELSEWHERE ->
                "kubectl get pods -A -o wide (the volume is free when the pods that use it on that node have ended)";
            case NO_AGENT, CLOSING, TIMEOUT, FAILED -> null;
        };
    }

    private static Status.Code code(LinuxException error) {
        return switch (error.errno()) {
            case LinuxErrno.ENOMEM, LinuxErrno.EMFILE, LinuxErrno.ENOSPC -> Status.Code.RESOURCE_EXHAUSTED;
            case LinuxErrno.ETIMEDOUT -> Status.Code.DEADLINE_EXCEEDED;
            case LinuxErrno.ENOTCONN, LinuxErrno.ECONNABORTED, LinuxErrno.EIO -> Status.Code.UNAVAILABLE;
            default -> Status.Code.INTERNAL;
        };
    }
}
