package dev.larder.e2e.load;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** What programs do: read, map, write in place, append, write anew and rename, lock. Each in its own directory. */
final class Works {
    private static final int BLOCK = 4096;
    private static final int FIXED_BYTES = 3 << 20;

    private Works() {}

    static Map<String, Work> in(Path directory) throws IOException {
        Files.createDirectories(directory);
        byte[] fixed = new byte[FIXED_BYTES];
        new Random(1).nextBytes(fixed);
        Path file = directory.resolve("fixed");
        Files.write(file, fixed);
        Map<String, Work> works = new LinkedHashMap<>();
        works.put("read", new Reading(file, fixed));
        works.put("mmap", new Mapping(file, fixed));
        works.put("write", new Writing(directory.resolve("written")));
        works.put("append", new Appending(directory.resolve("appended")));
        works.put("rename", new Renaming(directory));
        works.put("lock", new Locking(directory.resolve("lock")));
        return works;
    }

    private static void require(boolean right, String what) {
        if (!right) {
            throw new AssertionError(what);
        }
    }

    /** A descriptor that stays open, and one that is opened for the purpose. */
    private static final class Reading implements Work {
        private final Path file;
        private final byte[] expected;
        private final Random random = new Random(2);
        private FileChannel kept;

        Reading(Path file, byte[] expected) {
            this.file = file;
            this.expected = expected;
        }

        @Override
        public void once() throws IOException {
            if (kept == null) {
                kept = FileChannel.open(file, StandardOpenOption.READ);
            }
            read(kept);
            try (FileChannel fresh = FileChannel.open(file, StandardOpenOption.READ)) {
                read(fresh);
            }
        }

        private void read(FileChannel channel) throws IOException {
            int at = random.nextInt(expected.length - BLOCK);
            ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
            channel.read(buffer, at);
            require(
                    Arrays.equals(
                                    Arrays.copyOfRange(expected, at, at + buffer.position()),
                                    0,
                                    buffer.position(),
                                    buffer.array(),
                                    0,
                                    buffer.position())
                            && buffer.position() == BLOCK,
                    "wrong bytes of " + file + " at " + at);
        }

        @Override
        public void close() throws IOException {
            if (kept != null) {
                kept.close();
                kept = null;
            }
        }
    }

    private static final class Mapping implements Work {
        private final Path file;
        private final byte[] expected;
        private final Random random = new Random(3);

        Mapping(Path file, byte[] expected) {
            this.file = file;
            this.expected = expected;
        }

        @Override
        public void once() throws IOException {
            try (Arena arena = Arena.ofShared();
                    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, expected.length, arena);
                for (int i = 0; i < 16; i++) {
                    int at = random.nextInt(expected.length);
                    require(
                            mapped.get(ValueLayout.JAVA_BYTE, at) == expected[at],
                            "wrong mapped byte of " + file + " at " + at);
                }
            }
        }
    }

    /** Blocks of one file, each with its number and how often it was written. */
    private static final class Writing implements Work {
        private static final int BLOCKS = 256;
        private final Path file;
        private final Random random = new Random(4);
        private final long[] generations = new long[BLOCKS];
        private FileChannel channel;
        private long rounds;

        Writing(Path file) {
            this.file = file;
        }

        @Override
        public void once() throws IOException {
            if (channel == null) {
                channel = FileChannel.open(
                        file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            }
            int block = random.nextInt(BLOCKS);
            ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
            while (buffer.hasRemaining()) {
                buffer.putLong(((long) block << 48) + rounds);
            }
            // Unknown until the write has been answered.
            generations[block] = -1;
            channel.write(buffer.flip(), (long) block * BLOCK);
            generations[block] = rounds++;
            if (rounds % 50 == 0) {
                channel.force(true);
            }
            check(channel, random.nextInt(BLOCKS));
        }

        private void check(FileChannel from, int block) throws IOException {
            if (generations[block] <= 0) {
                return;
            }
            ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
            require(from.read(buffer, (long) block * BLOCK) == BLOCK, "block " + block + " of " + file + " is short");
            buffer.flip();
            while (buffer.hasRemaining()) {
                long found = buffer.getLong();
                require(
                        found == ((long) block << 48) + generations[block],
                        "block " + block + " of " + file + " is " + Long.toHexString(found) + ", not of round "
                                + generations[block]);
            }
        }

        @Override
        public void verify() throws IOException {
            close();
            try (FileChannel fresh = FileChannel.open(file, StandardOpenOption.READ)) {
                for (int block = 0; block < BLOCKS; block++) {
                    check(fresh, block);
                }
            }
        }

        @Override
        public void close() throws IOException {
            if (channel != null) {
                FileChannel closing = channel;
                channel = null;
                closing.close();
            }
        }
    }

    /** Records of eight bytes, each one more than the last. */
    private static final class Appending implements Work {
        private final Path file;
        private long next;

        Appending(Path file) {
            this.file = file;
        }

        @Override
        public void once() throws IOException {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                channel.write(ByteBuffer.allocate(Long.BYTES).putLong(next).flip());
            }
            next++;
        }

        /** One that failed may be there or not; those that were answered are, in order. */
        @Override
        public void verify() throws IOException {
            ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file));
            long wanted = 0;
            while (all.remaining() >= Long.BYTES) {
                long found = all.getLong();
                require(found == wanted || found == wanted - 1, "record " + wanted + " of " + file + " is " + found);
                wanted = found + 1;
            }
            require(wanted >= next, file + " ends at " + wanted + ", " + next + " were appended");
        }
    }

    /** As a checkpoint is written: a new file beside, forced, renamed over the old one. */
    private static final class Renaming implements Work {
        private final Path directory;
        private long last = -1;
        private long next;

        Renaming(Path directory) {
            this.directory = directory;
        }

        @Override
        public void once() throws IOException {
            Path fresh = directory.resolve("checkpoint.new");
            Path file = directory.resolve("checkpoint");
            try (FileChannel channel = FileChannel.open(
                    fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.allocate(Long.BYTES).putLong(next).flip());
                channel.force(true);
            }
            long writing = next++;
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
            last = writing;
            verify();
        }

        @Override
        public void verify() throws IOException {
            if (last >= 0) {
                long found = ByteBuffer.wrap(Files.readAllBytes(directory.resolve("checkpoint")))
                        .getLong();
                require(found == last || found == next - 1, "the checkpoint is " + found + ", not " + last);
            }
        }
    }

    private static final class Locking implements Work {
        private final Path file;

        Locking(Path file) {
            this.file = file;
        }

        @Override
        public void once() throws IOException {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                channel.write(ByteBuffer.allocate(1), 0);
                require(lock.isValid(), "the lock of " + file);
            }
        }
    }
}
