package dev.larder.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
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
    public static final int MNT_FORCE = 1;
    public static final int MNT_DETACH = 2;

    private static final Path TABLE = Path.of("/proc/self/mountinfo");

    private static final class Mount {
        static final MethodHandle HANDLE = Native.longs("mount");
    }

    private static final class Umount2 {
        static final MethodHandle HANDLE = Native.longs("umount2");
    }

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

    /** @param flags 0, {@link #MNT_DETACH}, {@link #MNT_FORCE} */
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
     * @param source what is mounted
     */
    public record MountPoint(int id, int major, int minor, Path target, String options, String type, String source) {}

    /** All mounts, in order: of several at one place the last is on top. */
    public static List<MountPoint> list() {
        List<MountPoint> mounts = new ArrayList<>();
        try {
            for (String line : Files.readString(TABLE, StandardCharsets.UTF_8).split("\n")) {
                MountPoint mount = parse(line);
                if (mount != null) {
                    mounts.add(mount);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + TABLE, e);
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
