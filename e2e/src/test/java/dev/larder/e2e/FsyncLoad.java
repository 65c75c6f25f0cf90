package dev.larder.e2e;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.zip.CRC32C;

/**
 * A process that writes files with fsyncs and notes each promise, once it was given, in a log on another disk: "file NAME
 * SEED SIZE" (written, fsynced, its directory too), "moved NAME SEED SIZE" (written aside, fsynced, renamed over NAME) and
 * "record COUNT" (so many records of 64 bytes are fsynced in the journal). What fails is noted as "error ..." and left
 * behind; the next round takes a new name.
 */
final class FsyncLoad {
    static final int RECORD_BYTES = 64;

    private final Path directory;
    private final FileChannel log;
    private final Random random;
    private FileChannel journal;
    private long records;

    private FsyncLoad(Path directory, FileChannel log, long seed) {
        this.directory = directory;
        this.log = log;
        this.random = new Random(seed);
    }

    /** Directory on the volume, log, seed. Ends with its standard input. */
    public static void main(String[] arguments) throws Exception {
        try (FileChannel log = FileChannel.open(
                Path.of(arguments[1]),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.APPEND)) {
            FsyncLoad load = new FsyncLoad(Path.of(arguments[0]), log, Long.parseLong(arguments[2]));
            for (long round = 0; System.in.available() == 0; round++) {
                load.round(arguments[2] + "-" + round);
            }
        }
    }

    private void round(String name) throws IOException {
        long seed = random.nextLong();
        int size = random.nextInt(10) == 0 ? 1 + random.nextInt(3_000_000) : 1 + random.nextInt(30_000);
        try {
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    write(directory.resolve(name), content(seed, size));
                    syncDirectory();
                    note("file " + name + " " + seed + " " + size);
                }
                case 2 -> {
                    String target = "current-" + random.nextInt(4);
                    note("moving " + target + " " + seed + " " + size);
                    write(directory.resolve(name + ".new"), content(seed, size));
                    Files.move(
                            directory.resolve(name + ".new"),
                            directory.resolve(target),
                            StandardCopyOption.ATOMIC_MOVE,
                            StandardCopyOption.REPLACE_EXISTING);
                    syncDirectory();
                    note("moved " + target + " " + seed + " " + size);
                }
                default -> append();
            }
        } catch (IOException e) {
            note("error " + name + " " + e);
            journal = null;
        }
    }

    private void append() throws IOException {
        if (journal == null) {
            Path file = directory.resolve("journal");
            records = Files.exists(file) ? Files.size(file) / RECORD_BYTES : 0;
            journal = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
            if (journal.size() % RECORD_BYTES != 0) {
                journal.truncate(records * RECORD_BYTES);
            }
        }
        int count = 1 + random.nextInt(20);
        for (int record = 0; record < count; record++) {
            journal.write(record(records++));
        }
        journal.force(false);
        note("record " + records);
    }

    /** Its number, filler and a checksum. */
    static ByteBuffer record(long number) {
        ByteBuffer record =
                ByteBuffer.allocate(RECORD_BYTES).putLong(0, number).put(8, content(number, RECORD_BYTES - 16));
        CRC32C crc = new CRC32C();
        crc.update(record.array(), 0, RECORD_BYTES - 8);
        return record.putLong(RECORD_BYTES - 8, crc.getValue());
    }

    static byte[] content(long seed, int size) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            channel.force(true);
        }
    }

    private void syncDirectory() throws IOException {
        try (FileChannel opened = FileChannel.open(directory, StandardOpenOption.READ)) {
            opened.force(true);
        }
    }

    // One write call: a killed process leaves whole lines.
    private void note(String line) throws IOException {
        log.write(ByteBuffer.wrap((line.replace('\n', ' ') + "\n").getBytes(StandardCharsets.UTF_8)));
    }
}
