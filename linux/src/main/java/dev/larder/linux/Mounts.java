package dev.larder.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** mount(2), umount2(2) and the table of mounts of this process. */
public final class Mounts {
    public static final long MS_RDONLY = 1;
    public static final long MS_NOSUID = 2;
    public static final long MS_NODEV = 4;
    public static final long MS_NOEXEC = 8;
    public static final long MS_REMOUNT = 0x20;
    public static final long MS_NOATIME = 0x400;
    public static final long MS_BIND = 0x1000;

    /** Propagation of {@link #setPropagation}: mount_namespaces(7). */
    public static final long MS_PRIVATE = 1 << 18;

    public static final long MS_SLAVE = 1 << 19;
    public static final long MS_SHARED = 1 << 20;

    /** With a propagation: also of every mount below. */
    public static final long MS_REC = 0x4000;

    public static final int MNT_FORCE = 1;
    public static final int MNT_DETACH = 2;
    public static final int UMOUNT_NOFOLLOW = 8;

    private static final Path TABLE = Path.of("/proc/self/mountinfo");

    private static final class Mount {
        static final MethodHandle HANDLE = Native.longs("mount");
    }

    private static final class Umount2 {
        static final MethodHandle HANDLE = Native.longs("umount2");
    }

    private static final class Syscall {
        static final MethodHandle HANDLE = Native.longs("syscall");
    }

    /** asm-generic/unistd.h and syscall_64.tbl: the same on x86-64 and arm64. */
    private static final long OPEN_TREE = 428;

    private static final long MOVE_MOUNT = 429;
    private static final long MOUNT_SETATTR = 442;

    private static final int OPEN_TREE_CLONE = 1;
    private static final int MOVE_MOUNT_F_EMPTY_PATH = 4;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final long MOUNT_ATTR_RDONLY = 1;

    /** struct mount_attr: attr_set, attr_clr, propagation, userns_fd. */
    private static final int MOUNT_ATTR_BYTES = 32;

    private Mounts() {}

    /** @param options the file system's own, comma separated */
    public static void mount(String source, Path target, String type, long flags, String options) {
        try (Scratch scratch = Scratch.take()) {
            long result = Native.invoke(
                    Mount.HANDLE,
                    scratch,
                    scratch.text(source).address(),
                    scratch.text(target.toString()).address(),
                    scratch.text(type).address(),
                    flags,
                    scratch.text(options).address(),
                    0);
            if ((int) result == -1) {
                throw new LinuxException("mount", scratch.errno(), type + " on " + target);
            }
        }
    }

    /**
     * Mounts a directory of a mount once more at another place, without the mounts below it; one that is read-only never
     * was anything else, also for a process that looks on (Linux 5.12). Asks nothing of the file system.
     */
    public static void bind(Path source, Path target, boolean readOnly) {
        try (Descriptor tree = cloneTree(source)) {
            if (readOnly) {
                setReadOnly(tree);
            }
            attach(tree, target);
        }
    }

    /** A detached copy of the mount at a place: it lives as long as the descriptor or until {@link #attach}. */
    public static Descriptor cloneTree(Path source) {
        final long flags = OPEN_TREE_CLONE | OpenFlags.O_CLOEXEC | AT_SYMLINK_NOFOLLOW;
        try (Scratch scratch = Scratch.take()) {
            long path = scratch.text(source.toString()).address();
            return Descriptor.own(
                    (int) systemCall("open_tree", source, scratch, OPEN_TREE, LinuxFile.AT_FDCWD, path, flags, 0, 0));
        }
    }

    /** Before it is attached. */
    public static void setReadOnly(Descriptor tree) {
        try (Scratch scratch = Scratch.take()) {
            MemorySegment attributes = scratch.allocate(MOUNT_ATTR_BYTES);
            attributes.set(ValueLayout.JAVA_LONG, 0, MOUNT_ATTR_RDONLY);
            long empty = scratch.text("").address();
            long address = attributes.address();
            int fd = tree.number();
            systemCall(
                    "mount_setattr", null, scratch, MOUNT_SETATTR, fd, empty, AT_EMPTY_PATH, address, MOUNT_ATTR_BYTES);
        }
    }

    /** Mounts what {@link #cloneTree} gave; the last symbolic link of the target is not followed. */
    public static void attach(Descriptor tree, Path target) {
        try (Scratch scratch = Scratch.take()) {
            long empty = scratch.text("").address();
            long path = scratch.text(target.toString()).address();
            int fd = tree.number();
            final int flags = MOVE_MOUNT_F_EMPTY_PATH;
            systemCall("move_mount", target, scratch, MOVE_MOUNT, fd, empty, LinuxFile.AT_FDCWD, path, flags);
        }
    }

    private static long systemCall(
            String name, Path subject, Scratch scratch, long number, long a, long b, long c, long d, long e) {
        long result = Native.invoke(Syscall.HANDLE, scratch, number, a, b, c, d, e);
        if (result == -1) {
            throw new LinuxException(name, scratch.errno(), subject == null ? null : subject.toString());
        }
        return result;
    }

    /** @param propagation {@link #MS_PRIVATE}, {@link #MS_SLAVE} or {@link #MS_SHARED}, perhaps with {@link #MS_REC} */
    public static void setPropagation(Path target, long propagation) {
        mount("none", target, "none", propagation, "");
    }

    /** @param flags 0, {@link #MNT_DETACH}, {@link #MNT_FORCE}, {@link #UMOUNT_NOFOLLOW} */
    public static void unmount(Path target, int flags) {
        try (Scratch scratch = Scratch.take()) {
            long address = scratch.text(target.toString()).address();
            Call.ints("umount2", target.toString(), Umount2.HANDLE, scratch, address, flags, 0, 0);
        }
    }

    /**
     * One line of mountinfo (proc(5)).
     *
     * @param major device number, for /sys/class/bdi/MAJOR:MINOR
     * @param root directory of the file system that is mounted there
     * @param source what is mounted
     */
    public record MountPoint(
            int id, int major, int minor, Path root, Path target, String options, String type, String source) {
        /** The mount is, whatever its file system is. */
        public boolean readOnly() {
            return List.of(options.split(",")).contains("ro");
        }

        /** Both are mounts of one file system. */
        public boolean sameDevice(MountPoint other) {
            return major == other.major && minor == other.minor;
        }
    }

    /** All mounts, in order: of several at one place the last is on top. */
    public static List<MountPoint> list() {
        return list(TABLE);
    }

    static List<MountPoint> list(Path table) {
        List<MountPoint> mounts = new ArrayList<>();
        try {
            for (String line : Files.readString(table, StandardCharsets.UTF_8).split("\n")) {
                MountPoint mount = parse(line);
                if (mount != null) {
                    mounts.add(mount);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + table, e);
        }
        return mounts;
    }

    /** The topmost mount exactly at a directory, or null; asks nothing of the mount itself, so it never hangs. */
    public static MountPoint at(Path target) {
        Path absolute = target.toAbsolutePath().normalize();
        MountPoint found = null;
        for (MountPoint mount : list()) {
            if (mount.target().equals(absolute)) {
                found = mount;
            }
        }
        return found;
    }

    static MountPoint parse(String line) {
        String[] parts = line.split(" - ", 2);
        String[] left = parts[0].split(" ");
        if (parts.length < 2 || left.length < 6) {
            return null;
        }
        String[] right = parts[1].split(" ");
        String[] device = left[2].split(":");
        return new MountPoint(
                Integer.parseInt(left[0]),
                Integer.parseInt(device[0]),
                Integer.parseInt(device[1]),
                Path.of(unescape(left[3])),
                Path.of(unescape(left[4])),
                left[5],
                right[0],
                right.length > 1 ? unescape(right[1]) : "");
    }

    /** Space, tab, newline and backslash stand as a backslash and three octal digits. */
    private static String unescape(String text) {
        return text.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }
}
