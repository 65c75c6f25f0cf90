package dev.larder.schema;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The server process of a data directory, as its pid file and /proc tell. */
final class Postmaster {
    private static final int READY_LINE = 7;

    private Postmaster() {}

    /** @return the living server; after a reboot or in a new container the file's number may be another program's */
    static Optional<ProcessHandle> of(Path data) {
        List<String> lines = pidFile(data);
        if (lines.isEmpty()) {
            return Optional.empty();
        }
        long pid = Long.parseLong(lines.getFirst().strip());
        return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).filter(process -> serves(pid, data));
    }

    static boolean isReady(Path data) {
        List<String> lines = pidFile(data);
        return lines.size() > READY_LINE && lines.get(READY_LINE).strip().equals("ready");
    }

    private static List<String> pidFile(Path data) {
        try {
            return Files.readAllLines(data.resolve("postmaster.pid"));
        } catch (IOException e) {
            return List.of();
        }
    }

    private static boolean serves(long pid, Path data) {
        try {
            String command =
                    Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), StandardCharsets.ISO_8859_1);
            String own = new String(data.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
            return command.contains("\0" + own + "\0");
        } catch (IOException e) {
            return false;
        }
    }
}
