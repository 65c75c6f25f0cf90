package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlProtocol.Progress;
import dev.larder.protocol.MountStatus;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class OutputTest {
    private static final Instant SINCE = Instant.parse("2026-01-02T03:04:05Z");
    private static final MountStatus STATUS = new MountStatus(
            "data",
            new UUID(1, 2),
            Path.of("/mnt/data"),
            "serving",
            null,
            4711,
            4710,
            SINCE,
            true,
            Path.of("/c"),
            1536,
            1 << 30,
            "embedded PostgreSQL",
            "directory /objects",
            5L << 30,
            12,
            100L << 30,
            1000,
            2,
            1,
            2048,
            true,
            Path.of("/log"));

    private static String printed(Consumer<PrintStream> action) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        action.accept(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void statusIsAnAlignedTable() {
        String table = printed(StatusCommand.table(List.of(STATUS), SINCE.plus(Duration.ofHours(25)))::print);
        assertEquals("""
                VOLUME  MOUNT POINT  STATE                              USED     INODES              CACHE  UPLOADING  SESSIONS  AGENT    UP
                data    /mnt/data    serving, read-only  5.0 GiB / 100.0 GiB  12 / 1000  1.5 KiB / 1.0 GiB    2.0 KiB         2   4711  1d1h
                """, table);
    }

    @Test
    void jsonAndYamlHaveTheNamesOfTheContract() {
        String json = printed(out -> OutputFormat.json.print(out, List.of(STATUS), () -> null));
        assertTrue(json.contains("\"mountPoint\" : \"/mnt/data\""), json);
        assertTrue(json.contains("\"agentPid\" : 4711"), json);
        assertTrue(json.contains("\"since\" : \"2026-01-02T03:04:05Z\""), json);
        String yaml = printed(out -> OutputFormat.yaml.print(out, new Answers.Purged(3), () -> null));
        assertEquals("entries: 3\n", yaml);
    }

    @Test
    void aNameCannotMoveTheCursor() {
        assertEquals("A\n\\x1b[2Jx\n", printed(new Table("A").row("\033[2Jx")::print));
    }

    @Test
    void unitsAreReadable() {
        assertEquals("0 B", Units.bytes(0));
        assertEquals("1023 B", Units.bytes(1023));
        assertEquals("1.5 KiB", Units.bytes(1536));
        assertEquals("8.0 EiB", Units.bytes(Long.MAX_VALUE));
        assertEquals("59s", Units.duration(Duration.ofSeconds(59)));
        assertEquals("2m5s", Units.duration(Duration.ofSeconds(125)));
        assertEquals("-", Units.ratio(0, 0));
        assertEquals("33.3 %", Units.ratio(1, 3));
    }

    @Test
    void progressIsABarOnATerminal() {
        AtomicLong clock = new AtomicLong();
        String drawn = printed(err -> {
            try (ProgressLine line = new ProgressLine(err, true, clock::get)) {
                line.show(new Progress("fetching", 0, 100 << 20, "bytes"));
                clock.set(Duration.ofMillis(50).toNanos());
                line.show(new Progress("fetching", 1, 100 << 20, "bytes"));
                clock.set(Duration.ofSeconds(2).toNanos());
                line.show(new Progress("fetching", 50 << 20, 100 << 20, "bytes"));
            }
        });
        assertEquals(
                "\r\033[Kfetching [........................]   0 % 0 B of 100.0 MiB"
                        + "\r\033[Kfetching [############............]  50 % 50.0 MiB of 100.0 MiB, 25.0 MiB/s, 2s to go\n",
                drawn);
    }

    @Test
    void progressIsPlainLinesElsewhere() {
        AtomicLong clock = new AtomicLong();
        String drawn = printed(err -> {
            try (ProgressLine line = new ProgressLine(err, false, clock::get)) {
                line.show(new Progress("checking", 1, 0, "files"));
                clock.set(Duration.ofSeconds(1).toNanos());
                line.show(new Progress("checking", 2, 0, "files"));
                clock.set(Duration.ofSeconds(6).toNanos());
                line.show(new Progress("checking", 9, 0, "files"));
            }
        });
        assertEquals("checking 1 files\nchecking 9 files\n", drawn);
    }

    /** The total may have been a guess. */
    @Test
    void progressBeyondTheTotalIsNotALineEach() {
        AtomicLong clock = new AtomicLong();
        String drawn = printed(err -> {
            try (ProgressLine line = new ProgressLine(err, false, clock::get)) {
                for (int done = 0; done <= 5; done++) {
                    line.show(new Progress("checking", done, 2, "files"));
                }
            }
        });
        assertEquals(2, drawn.lines().count(), drawn);
    }
}
