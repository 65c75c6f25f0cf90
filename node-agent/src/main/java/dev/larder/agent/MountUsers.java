package dev.larder.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Who keeps a mount busy, as fuser(1) finds it: by the links of proc(5), which never reach the mount itself. */
final class MountUsers {
    private static final int MOST = 5;

    private MountUsers() {}

    /** @return at most five, as "command (pid)"; none that this user may not look at */
    static List<String> of(Path mountPoint) {
        List<String> users = new ArrayList<>();
        long self = ProcessHandle.current().pid();
        ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> pid != self && uses(Path.of("/proc", Long.toString(pid)), mountPoint))
                .limit(MOST)
                .forEach(pid -> users.add(command(pid) + " (" + pid + ")"));
        return users;
    }

    private static boolean uses(Path process, Path mountPoint) {
        if (leadsTo(process.resolve("cwd"), mountPoint) || leadsTo(process.resolve("root"), mountPoint)) {
            return true;
        }
        for (String files : List.of("fd", "map_files")) {
            try (Stream<Path> links = Files.list(process.resolve(files))) {
                if (links.anyMatch(link -> leadsTo(link, mountPoint))) {
                    return true;
                }
            } catch (IOException | RuntimeException e) {
                // It has ended, or is not ours to look at.
            }
        }
        return false;
    }

    private static boolean leadsTo(Path link, Path mountPoint) {
        try {
            return Files.readSymbolicLink(link).startsWith(mountPoint);
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    private static String command(long pid) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), "comm"))
                    .strip();
        } catch (IOException e) {
            return "a process that has ended";
        }
    }
}
