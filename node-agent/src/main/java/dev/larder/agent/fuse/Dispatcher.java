package dev.larder.agent.fuse;

import dev.larder.linux.fuse.Negotiated;
import dev.larder.linux.fuse.Opcode;
import dev.larder.linux.fuse.Wire.InterruptIn;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes a request to the file system; the one place where failures become error numbers. Any thread may call it. */
final class Dispatcher {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

    private final FileSystem fileSystem;
    private final NameOperations names;
    private final FileOperations files;
    private final Interrupts interrupts;

    Dispatcher(FileSystem fileSystem, FuseKernel kernel, Negotiated negotiated, Interrupts interrupts) {
        this.fileSystem = fileSystem;
        this.names = new NameOperations(fileSystem, kernel, negotiated);
        this.files = new FileOperations(fileSystem, kernel);
        this.interrupts = interrupts;
    }

    static boolean hasReply(int opcode) {
        return switch (opcode) {
            case Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT, Opcode.NOTIFY_REPLY -> false;
            default -> true;
        };
    }

    /** @return 0 or the error number of the reply; the reply holds nothing after an error */
    int answer(Request request, Reply reply) {
        try {
            call(request, reply);
            return 0;
        } catch (ErrnoException e) {
            return e.errno().value();
        } catch (RuntimeException | Error e) {
            LOG.error(
                    "request failed op={} unique={} inode={} answer=EIO",
                    Opcode.name(request.opcode()),
                    request.identity(),
                    request.nodeid(),
                    e);
            return Errno.EIO.value();
        }
    }

    private void call(Request request, Reply reply) {
        switch (request.opcode()) {
            case Opcode.LOOKUP -> names.lookup(request, reply);
            case Opcode.FORGET -> files.forget(request);
            case Opcode.BATCH_FORGET -> files.batchForget(request);
            case Opcode.GETATTR -> files.getattr(request, reply);
            case Opcode.STATX -> files.statx(request, reply);
            case Opcode.SETATTR -> files.setattr(request, reply);
            case Opcode.READLINK -> names.readlink(request, reply);
            case Opcode.SYMLINK -> names.symlink(request, reply);
            case Opcode.MKNOD -> names.mknod(request, reply);
            case Opcode.MKDIR -> names.mkdir(request, reply);
            case Opcode.UNLINK -> names.unlink(request);
            case Opcode.RMDIR -> names.rmdir(request);
            case Opcode.RENAME -> names.rename(request);
            case Opcode.RENAME2 -> names.rename2(request);
            case Opcode.LINK -> names.link(request, reply);
            case Opcode.OPEN -> files.open(request, reply);
            case Opcode.CREATE -> names.create(request, reply);
            case Opcode.TMPFILE -> names.tmpfile(request, reply);
            case Opcode.READ -> files.read(request, reply);
            case Opcode.WRITE -> files.write(request, reply);
            case Opcode.FLUSH -> files.flush(request);
            case Opcode.RELEASE -> files.release(request);
            case Opcode.FSYNC -> files.fsync(request);
            case Opcode.FALLOCATE -> files.fallocate(request);
            case Opcode.LSEEK -> files.lseek(request, reply);
            case Opcode.COPY_FILE_RANGE -> files.copyFileRange(request, reply, false);
            case Opcode.COPY_FILE_RANGE_64 -> files.copyFileRange(request, reply, true);
            case Opcode.OPENDIR -> names.opendir(reply);
            case Opcode.READDIR -> names.readdir(request, reply, false);
            case Opcode.READDIRPLUS -> names.readdir(request, reply, true);
            case Opcode.FSYNCDIR -> fileSystem.fsyncDirectory(request.caller(), request.nodeid());
            case Opcode.GETXATTR -> names.getxattr(request, reply);
            case Opcode.LISTXATTR -> names.listxattr(request, reply);
            case Opcode.SETXATTR -> names.setxattr(request);
            case Opcode.REMOVEXATTR -> names.removexattr(request);
            case Opcode.GETLK -> files.getlk(request, reply);
            case Opcode.SETLK -> lock(request, false);
            case Opcode.SETLKW -> lock(request, true);
            case Opcode.INTERRUPT -> interrupts.interrupt(request.int64(InterruptIn.UNIQUE) & Long.MAX_VALUE);
            case Opcode.STATFS -> files.statfs(reply);
            case Opcode.SYNCFS -> fileSystem.sync();
            case Opcode.RELEASEDIR, Opcode.DESTROY, Opcode.NOTIFY_REPLY -> {}
            case Opcode.IOCTL -> throw new ErrnoException(Errno.ENOTTY);
            // The kernel then stops asking: permissions are its own (default_permissions), poll(2) says "ready".
            case Opcode.ACCESS, Opcode.POLL, Opcode.BMAP -> throw new ErrnoException(Errno.ENOSYS);
            default -> throw new ErrnoException(request.opcode() == Opcode.INIT ? Errno.EIO : Errno.ENOSYS);
        }
    }

    private void lock(Request request, boolean wait) {
        try (Interrupts.Pending pending = interrupts.register(request.identity())) {
            files.setlk(request, wait, pending);
        }
    }
}
