package dev.larder.protocol;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** A file that names a living process, "PID START", so that it is found again, and not another that got its number. */
public record ProcessFile(Path file) {
    /** The start is reckoned from the boot, which moves when the clock is set. */
    private static final Duration START_TOLERANCE = Duration.ofSeconds(10);

    /** Names the calling process. */
    public void write() throws IOException {
        ProcessHandle self = ProcessHandle.current();
        long started = self.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(fresh, self.pid() + " " + started + "\n");
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** The process that the file names, while it lives. */
    public Optional<ProcessHandle> living() throws IOException {
        String[] words;
        try {
            words = Files.readString(file).strip().split(" ", -1);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        if (words.length != 2 || !words[0].matches("\\d{1,18}") || !words[1].matches("\\d{1,18}")) {
            return Optional.empty();
        }
        Instant started = Instant.ofEpochMilli(Long.parseLong(words[1]));
        return ProcessHandle.of(Long.parseLong(words[0]))
                .filter(ProcessHandle::isAlive)
                .filter(process -> process.info()
                        .startInstant()
                        .map(start -> Duration.between(start, started).abs().compareTo(START_TOLERANCE) < 0)
                        .orElse(true));
    }
}
