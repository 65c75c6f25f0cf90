package dev.larder.agent.fuse;

/** Told of every request when it has been answered, by the thread that answered it: be quick and do not throw. */
@FunctionalInterface
public interface AccessLog {
    AccessLog NONE = (opcode, inode, uid, pid, errno, nanos) -> {};

    /**
     * @param opcode of {@link dev.larder.linux.fuse.Opcode}
     * @param errno 0 = success
     * @param nanos from the arrival of the request
     */
    void answered(int opcode, long inode, long uid, int pid, int errno, long nanos);
}
