package dev.larder.agent.fuse;

import dev.larder.linux.fuse.FuseFlags;
import dev.larder.linux.fuse.InitFlag;
import dev.larder.linux.fuse.Negotiated;
import dev.larder.linux.fuse.Wire.CreateIn;
import dev.larder.linux.fuse.Wire.GetxattrIn;
import dev.larder.linux.fuse.Wire.GetxattrOut;
import dev.larder.linux.fuse.Wire.LinkIn;
import dev.larder.linux.fuse.Wire.MkdirIn;
import dev.larder.linux.fuse.Wire.MknodIn;
import dev.larder.linux.fuse.Wire.ReadIn;
import dev.larder.linux.fuse.Wire.Rename2In;
import dev.larder.linux.fuse.Wire.RenameIn;
import dev.larder.linux.fuse.Wire.SetxattrIn;
import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileSystem.Created;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/** Decodes requests about names, directories and extended attributes, and encodes what the file system answers. */
final class NameOperations {
    private static final int SETXATTR_IN_WITHOUT_EXTENSION = 8;

    private final FileSystem fileSystem;
    private final FuseKernel kernel;
    private final int setxattrBytes;

    NameOperations(FileSystem fileSystem, FuseKernel kernel, Negotiated negotiated) {
        this.fileSystem = fileSystem;
        this.kernel = kernel;
        this.setxattrBytes = negotiated.has(InitFlag.SETXATTR_EXT) ? SetxattrIn.BYTES : SETXATTR_IN_WITHOUT_EXTENSION;
    }

    void lookup(Request request, Reply reply) {
        FileName name = request.name(0);
        Attributes attributes;
        try {
            attributes = fileSystem.lookup(request.caller(), request.nodeid(), name);
        } catch (ErrnoException e) {
            long timeoutMillis = fileSystem.kernelTimeoutMillis();
            if (e.errno() != Errno.ENOENT || timeoutMillis <= 0) {
                throw e;
            }
            reply.missingEntry(timeoutMillis);
            return;
        }
        entry(reply, attributes);
    }

    private void entry(Reply reply, Attributes attributes) {
        kernel.known(attributes.inode());
        reply.entry(attributes, fileSystem.kernelTimeoutMillis());
    }

    void mknod(Request request, Reply reply) {
        FileName name = request.name(MknodIn.BYTES);
        int mode = request.int32(MknodIn.MODE);
        int umask = request.int32(MknodIn.UMASK);
        long rdev = request.uint32(MknodIn.RDEV);
        entry(reply, fileSystem.mknod(request.op(), request.caller(), request.nodeid(), name, mode, rdev, umask));
    }

    void mkdir(Request request, Reply reply) {
        FileName name = request.name(MkdirIn.BYTES);
        int mode = (request.int32(MkdirIn.MODE) & ~Attributes.S_IFMT) | Attributes.S_IFDIR;
        int umask = request.int32(MkdirIn.UMASK);
        entry(reply, fileSystem.mknod(request.op(), request.caller(), request.nodeid(), name, mode, 0, umask));
    }

    void symlink(Request request, Reply reply) {
        FileName name = request.name(0);
        byte[] target = request.text(name.bytes().length + 1);
        entry(reply, fileSystem.symlink(request.op(), request.caller(), request.nodeid(), name, target));
    }

    void link(Request request, Reply reply) {
        FileName name = request.name(LinkIn.BYTES);
        long inode = request.int64(LinkIn.OLDNODEID);
        entry(reply, fileSystem.link(request.op(), request.caller(), inode, request.nodeid(), name));
    }

    void unlink(Request request) {
        fileSystem.unlink(request.op(), request.caller(), request.nodeid(), request.name(0));
    }

    void rmdir(Request request) {
        fileSystem.rmdir(request.op(), request.caller(), request.nodeid(), request.name(0));
    }

    void rename(Request request) {
        rename(request, request.int64(RenameIn.NEWDIR), RenameIn.BYTES, 0);
    }

    void rename2(Request request) {
        rename(request, request.int64(Rename2In.NEWDIR), Rename2In.BYTES, request.int32(Rename2In.FLAGS));
    }

    private void rename(Request request, long newParent, int namesAt, int flags) {
        FileName name = request.name(namesAt);
        FileName newName = request.name(namesAt + name.bytes().length + 1);
        fileSystem.rename(request.op(), request.caller(), request.nodeid(), name, newParent, newName, flags);
    }

    void create(Request request, Reply reply) {
        FileName name = request.name(CreateIn.BYTES);
        int mode = request.int32(CreateIn.MODE);
        int umask = request.int32(CreateIn.UMASK);
        int flags = request.int32(CreateIn.FLAGS);
        created(reply, fileSystem.create(request.op(), request.caller(), request.nodeid(), name, mode, umask, flags));
    }

    void tmpfile(Request request, Reply reply) {
        int mode = request.int32(CreateIn.MODE);
        int umask = request.int32(CreateIn.UMASK);
        int flags = request.int32(CreateIn.FLAGS);
        created(reply, fileSystem.tmpfile(request.op(), request.caller(), request.nodeid(), mode, umask, flags));
    }

    private void created(Reply reply, Created created) {
        entry(reply, created.attributes());
        reply.opened(created.opened());
    }

    void readlink(Request request, Reply reply) {
        reply.append(fileSystem.readlink(request.caller(), request.nodeid()));
    }

    /**
     * The kernel keeps a listing until a local change, or until {@link FuseKernel} tells it of another session's; while
     * the change feed is silent it keeps nothing.
     */
    void opendir(Reply reply) {
        boolean cacheable = fileSystem.kernelTimeoutMillis() > 0;
        reply.opened(0, cacheable ? FuseFlags.FOPEN_CACHE_DIR | FuseFlags.FOPEN_KEEP_CACHE : 0, 0);
    }

    void readdir(Request request, Reply reply, boolean plus) {
        long cookie = request.int64(ReadIn.OFFSET);
        long inode = request.nodeid();
        DirectoryReply sink =
                new DirectoryReply(reply, request.uint32(ReadIn.SIZE), plus, fileSystem.kernelTimeoutMillis());
        if (cookie < DirectoryReply.COOKIE_DOT_DOT) {
            long parent = fileSystem.attributes(request.caller(), inode).parent();
            if (!sink.dots(cookie, inode, parent == 0 ? inode : parent)) {
                return;
            }
        }
        long after = cookie <= DirectoryReply.COOKIE_DOT_DOT ? 0 : cookie;
        fileSystem.list(request.caller(), inode, after, plus, plus ? knowing(sink) : sink);
    }

    private FileSystem.DirectorySink knowing(DirectoryReply sink) {
        return (name, inode, type, cookie, attributes) -> {
            Objects.requireNonNull(attributes, "a listing with attributes");
            boolean taken = sink.entry(name, inode, type, cookie, attributes);
            if (taken) {
                kernel.known(inode);
            }
            return taken;
        };
    }

    void getxattr(Request request, Reply reply) {
        long size = request.uint32(GetxattrIn.SIZE);
        sized(reply, size, fileSystem.getXattr(request.caller(), request.nodeid(), request.name(GetxattrIn.BYTES)));
    }

    void listxattr(Request request, Reply reply) {
        ByteArrayOutputStream names = new ByteArrayOutputStream();
        for (FileName name : fileSystem.listXattr(request.caller(), request.nodeid())) {
            names.writeBytes(name.bytes());
            names.write(0);
        }
        sized(reply, request.uint32(GetxattrIn.SIZE), names.toByteArray());
    }

    /** Size 0 asks how much there is. */
    private static void sized(Reply reply, long size, byte[] content) {
        if (size == 0) {
            reply.append(GetxattrOut.BYTES).set(ValueLayout.JAVA_INT, GetxattrOut.SIZE, content.length);
        } else if (content.length > size) {
            throw new ErrnoException(Errno.ERANGE);
        } else {
            reply.append(content);
        }
    }

    void setxattr(Request request) {
        FileName name = request.name(setxattrBytes);
        long size = request.uint32(SetxattrIn.SIZE);
        byte[] value =
                request.data(setxattrBytes + name.bytes().length + 1, size).toArray(ValueLayout.JAVA_BYTE);
        boolean killSgid = setxattrBytes == SetxattrIn.BYTES
                && (request.int32(SetxattrIn.SETXATTR_FLAGS) & FuseFlags.SETXATTR_ACL_KILL_SGID) != 0;
        int flags = request.int32(SetxattrIn.FLAGS);
        fileSystem.setXattr(request.op(), request.caller(), request.nodeid(), name, value, flags, killSgid);
    }

    void removexattr(Request request) {
        fileSystem.removeXattr(request.op(), request.caller(), request.nodeid(), request.name(0));
    }
}
