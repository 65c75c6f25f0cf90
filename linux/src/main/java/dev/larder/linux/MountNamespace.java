package dev.larder.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The mount namespace of a process, such as a container's (mount_namespaces(7), setns(2)). Found through /proc, so only
 * those of the same PID namespace or below are seen.
 *
 * @param id inode of the namespace, the same for all processes in it
 * @param pid one of these
 */
public record MountNamespace(String id, int pid) {
    private static final int CLONE_FS = 0x200;
    private static final int CLONE_NEWNS = 0x20000;
    private static final Path PROC = Path.of("/proc");

    private static final class Unshare {
        static final MethodHandle HANDLE = Native.longs("unshare");
    }

    private static final class Setns {
        static final MethodHandle HANDLE = Native.longs("setns");
    }

    /** All but the caller's own. Processes that end meanwhile are left out. */
    public static List<MountNamespace> others() {
        Map<String, MountNamespace> found = new LinkedHashMap<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            String own = id(PROC.resolve("self"));
            for (Path process : processes) {
                String id = id(process);
                if (id != null && !id.equals(own)) {
                    found.putIfAbsent(
                            id,
                            new MountNamespace(
                                    id, Integer.parseInt(process.getFileName().toString())));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + PROC, e);
        }
        return List.copyOf(found.values());
    }

    private static String id(Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("ns/mnt")).toString();
        } catch (IOException e) {
            return null;
        }
    }

    /** What is mounted there, as its processes see it; nothing when they have ended. */
    public List<Mounts.MountPoint> mounts() {
        try {
            return Mounts.list(PROC.resolve(Integer.toString(pid)).resolve("mountinfo"));
        } catch (UncheckedIOException e) {
            return List.of();
        }
    }

    /**
     * Runs work that changes what is mounted there, on a thread of its own: a thread that has entered a namespace cannot
     * share its root directory with others any more, and ends with the work. Paths in it are those of the namespace.
     *
     * @throws LinuxException what the work threw; ETIMEDOUT: it hangs, and goes on
     */
    public void run(Duration deadline, Runnable work) {
        AtomicReference<RuntimeException> failure = new AtomicReference<>();
        try (Descriptor namespace = LinuxFile.open(namespaceFile(), OpenFlags.O_RDONLY, 0)) {
            Thread thread = Thread.ofPlatform()
                    .daemon()
                    .name("namespace-of-" + pid)
                    .start(() -> {
                        try {
                            enter(namespace);
                            work.run();
                        } catch (RuntimeException e) {
                            failure.set(e);
                        }
                    });
            if (!thread.join(deadline)) {
                throw new LinuxException("work in the mount namespace of", LinuxErrno.ETIMEDOUT, "pid " + pid);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LinuxException("work in the mount namespace of", LinuxErrno.EINTR, "pid " + pid);
        }
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    private Path namespaceFile() {
        return PROC.resolve(Integer.toString(pid)).resolve("ns/mnt");
    }

    private void enter(Descriptor namespace) {
        try (Scratch scratch = Scratch.take()) {
            Call.ints("unshare", null, Unshare.HANDLE, scratch, CLONE_FS, 0, 0, 0);
            Call.ints("setns", "pid " + pid, Setns.HANDLE, scratch, namespace.number(), CLONE_NEWNS, 0, 0);
        }
    }
}
