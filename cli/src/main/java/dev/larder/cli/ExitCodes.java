package dev.larder.cli;

/** What the command's exit status says; the help of each command lists those that it uses. */
final class ExitCodes {
    static final int OK = 0;
    static final int FAILED = 1;
    /** Wrong arguments, or a manifest that was refused. */
    static final int USAGE = 2;
    /** fsck: problems were found and are still there. */
    static final int FINDINGS = 3;
    /** umount: unmounted, but changes that no fsync had made durable may be lost. */
    static final int LOST = 4;

    private ExitCodes() {}
}
