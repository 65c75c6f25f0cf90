package dev.larder.csi;

/** What happens to volumes of this node that people should hear of: the reasons of Kubernetes events. */
public enum VolumeEvent {
    /** No agent came in time: the volume's users get errors instead of waiting for ever. */
    MOUNT_ABORTED("MountAborted", true),
    /** A mount that was dead is there again. */
    MOUNT_REVIVED("MountRevived", false),
    /** A pod's fsGroup was not given the root directory, for somebody has chosen another owner. */
    FS_GROUP_KEPT("FsGroupChangesNothing", true),
    /** A newer Secret cannot be used: the volume goes on with the last one. */
    SECRET_NOT_ADOPTED("SecretNotAdopted", true);

    private final String reason;
    private final boolean warning;

    VolumeEvent(String reason, boolean warning) {
        this.reason = reason;
        this.warning = warning;
    }

    /** As people read and filter it; it never changes. */
    public String reason() {
        return reason;
    }

    public boolean isWarning() {
        return warning;
    }
}
