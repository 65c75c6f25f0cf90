package dev.larder.volume.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MappedJournalTest {
    @TempDir
    Path directory;

    private MappedJournal open(Path at) {
        return MappedJournal.open(at, 16, records -> records.subList(records.size() / 2, records.size()));
    }

    @Test
    void aJournalTornAtAnyByteKeepsTheRecordsBefore() throws IOException {
        try (MappedJournal journal = open(directory.resolve("a"))) {
            for (int i = 1; i <= 5; i++) {
                journal.append(3, i, i, i, i, i, i);
            }
        }
        Path file = onlyFile(directory.resolve("a"));
        byte[] whole = Files.readAllBytes(file);
        Path torn = Files.createDirectories(directory.resolve("torn"));
        int end = 6 * JournalFile.RECORD_BYTES;
        for (int cut = JournalFile.RECORD_BYTES; cut < end; cut++) {
            byte[] bytes = whole.clone();
            java.util.Arrays.fill(bytes, cut, bytes.length, (byte) 0);
            try (Stream<Path> old = Files.list(torn)) {
                for (Path path : old.toList()) {
                    Files.delete(path);
                }
            }
            Files.write(torn.resolve(file.getFileName()), bytes);
            try (MappedJournal journal = open(torn)) {
                int least = cut / JournalFile.RECORD_BYTES - 1;
                int count = journal.records().size();
                // A cut in trailing zeros of a record's value loses nothing.
                assertTrue(count == least || count == least + 1 && cut % 64 > 56, "cut " + cut + " left " + count);
                journal.append(4, 0, 0, 0, 0, 0, 0);
                assertEquals(count + 1, journal.records().size());
                assertEquals(count + 1, journal.records().getLast().sequence());
            }
        }
    }

    @Test
    void aFlippedBitEndsTheJournalThere() throws IOException {
        try (MappedJournal journal = open(directory)) {
            for (int i = 1; i <= 5; i++) {
                journal.append(3, i, i, i, i, i, i);
            }
        }
        Path file = onlyFile(directory);
        byte[] bytes = Files.readAllBytes(file);
        bytes[3 * JournalFile.RECORD_BYTES + 20] ^= 1;
        Files.write(file, bytes);
        try (MappedJournal journal = open(directory)) {
            assertEquals(2, journal.records().size());
        }
    }

    @Test
    void growsWithoutACompactionAndShrinksWithOne() throws IOException {
        try (MappedJournal journal = open(directory)) {
            for (int i = 0; i < 1000; i++) {
                journal.append(1, i, 0, 0, 0, 0, 0);
            }
            assertEquals(1000, journal.records().size());
            assertTrue(journal.isCrowded() || journal.records().size() == 1000);
            journal.compact();
            assertEquals(500, journal.records().size());
            assertEquals(500, journal.records().getFirst().value(0));
            journal.append(1, 1000, 0, 0, 0, 0, 0);
        }
        try (MappedJournal journal = open(directory)) {
            List<MappedJournal.JournalRecord> records = journal.records();
            assertEquals(501, records.size());
            assertEquals(1001, records.getLast().sequence());
        }
        assertTrue(Files.exists(onlyFile(directory)));
    }

    @Test
    void anUnpublishedSuccessorIsIgnored() throws IOException {
        try (MappedJournal journal = open(directory)) {
            journal.append(1, 7, 0, 0, 0, 0, 0);
        }
        Files.write(directory.resolve("99"), new byte[4096]);
        try (MappedJournal journal = open(directory)) {
            assertEquals(7, journal.records().getFirst().value(0));
        }
    }

    private static Path onlyFile(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> all = files.toList();
            assertEquals(1, all.size());
            return all.getFirst();
        }
    }
}
