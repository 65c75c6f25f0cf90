package dev.larder.linux.fuse;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.Mounts;
import dev.larder.linux.OpenFlags;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** mount(2) of a FUSE file system, by root. None of these calls asks anything of the mount itself, so none can hang. */
public final class FuseMount {
    private static final Path DEVICE = Path.of("/dev/fuse");

    private FuseMount() {}

    /**
     * @param allowOther other users than the one that mounts may look in
     * @param subtype shows as fuse.SUBTYPE in the table of mounts
     */
    public record Options(boolean readOnly, boolean allowOther, String subtype) {
        public static final Options DEFAULT = new Options(false, true, "larder");
    }

    /**
     * Mounts; the kernel waits for {@link FuseInit#negotiate} before it lets anybody in.
     *
     * @param source what the table of mounts shows as the device
     * @return the descriptor to serve; the mount is dead once its last duplicate is closed
     */
    public static Descriptor mount(Path directory, String source, Options options) {
        Descriptor device = LinuxFile.open(DEVICE, OpenFlags.O_RDWR, 0);
        try {
            long flags = Mounts.MS_NOSUID | Mounts.MS_NODEV | (options.readOnly ? Mounts.MS_RDONLY : 0);
            String text = "fd=" + device.number() + ",rootmode=40000,user_id=0,group_id=0,default_permissions"
                    + (options.allowOther ? ",allow_other" : "");
            Mounts.mount(source, directory, "fuse." + options.subtype, flags, text);
            return device;
        } catch (RuntimeException e) {
            device.close();
            throw e;
        }
    }

    /**
     * Raises the kernel's read-ahead of a mount, which INIT can only lower.
     *
     * @throws LinuxException ENOENT when nothing is mounted there
     */
    public static void setReadAhead(Path directory, int kibibytes) throws IOException {
        Mounts.MountPoint mount = Mounts.at(directory);
        if (mount == null) {
            throw new LinuxException("read-ahead", LinuxErrno.ENOENT, "no mount at " + directory);
        }
        Path setting = Path.of("/sys/class/bdi/" + mount.major() + ":" + mount.minor() + "/read_ahead_kb");
        Files.writeString(setting, Integer.toString(kibibytes));
    }

    /** @param lazily detach now, end when the last user is gone */
    public static void unmount(Path directory, boolean lazily) {
        Mounts.unmount(directory, lazily ? Mounts.MNT_DETACH : 0);
    }
}
