package dev.larder.e2e;

import static dev.larder.linux.OpenFlags.O_CLOEXEC;
import static dev.larder.linux.OpenFlags.O_CREAT;
import static dev.larder.linux.OpenFlags.O_RDWR;
import static dev.larder.linux.OpenFlags.O_TMPFILE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the conformance suite does not ask. Every check runs on the local disk first, to show that the check is right. */
class PosixBeyondTest {
    private static Larder larder;
    private static Path mount;
    private static Path disk;

    @BeforeAll
    static void mount() throws IOException {
        larder = Larder.create();
        disk = Files.createDirectory(larder.home().resolve("disk"));
        mount = larder.mount(larder.manifest("beyond"), "m");
    }

    @AfterAll
    static void umount() throws IOException {
        larder.close();
    }

    interface Body {
        void run(Path directory) throws IOException;
    }

    record Check(String name, Body body) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Check> checks() {
        return Stream.of(
                new Check("shared writable mapping", PosixBeyondTest::sharedMapping),
                new Check("O_TMPFILE and linkat", PosixBeyondTest::temporaryFile),
                new Check("O_APPEND of several processes", PosixBeyondTest::appends),
                new Check("blocks of sparse files", PosixBeyondTest::blocks),
                new Check("SEEK_HOLE and SEEK_DATA", PosixBeyondTest::seekHole),
                new Check("fallocate modes", PosixBeyondTest::fallocate),
                new Check("copy_file_range", PosixBeyondTest::copyRange),
                new Check("extended attributes", PosixBeyondTest::xattrs),
                new Check("access control lists", PosixBeyondTest::acls),
                new Check("rename flags", PosixBeyondTest::renameFlags),
                new Check("names of 255 bytes, names that are not UTF-8", PosixBeyondTest::names),
                new Check("a sparse file of 1 TiB", PosixBeyondTest::tebibyte),
                new Check("directory times", PosixBeyondTest::directoryTimes),
                new Check("an unlinked open file", PosixBeyondTest::unlinkedOpen),
                new Check("flock across processes", PosixBeyondTest::flock),
                new Check("set-user-id goes with a write", PosixBeyondTest::killSuid),
                new Check("explicit times survive the close", PosixBeyondTest::explicitTimes),
                new Check("hard links", PosixBeyondTest::hardLinks),
                new Check("special files", PosixBeyondTest::specialFiles));
    }

    @ParameterizedTest
    @MethodSource("checks")
    void asOnTheLocalDisk(Check check) throws IOException {
        String name = check.name.replaceAll("[^a-zA-Z0-9]+", "-");
        check.body.run(Files.createDirectory(disk.resolve(name)));
        check.body.run(Files.createDirectory(mount.resolve(name)));
    }

    private static void sharedMapping(Path directory) throws IOException {
        Path file = Files.write(directory.resolve("mapped"), new byte[1 << 20]);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment map = channel.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20, arena);
            for (int at = 0; at < 1 << 20; at += 4099) {
                map.set(ValueLayout.JAVA_BYTE, at, (byte) (at / 4099));
            }
            map.force();
        }
        byte[] seen = Files.readAllBytes(file);
        for (int at = 0; at < 1 << 20; at += 4099) {
            assertEquals((byte) (at / 4099), seen[at]);
        }
    }

    private static void temporaryFile(Path directory) throws IOException {
        try (Descriptor file = LinuxFile.open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
            write(file, "kept", 0);
            assertEquals(0, LinuxFile.stat(file.number()).nlink());
            try (Stream<Path> names = Files.list(directory)) {
                assertEquals(0, names.count());
            }
            String link = "/proc/%d/fd/%d".formatted(ProcessHandle.current().pid(), file.number());
            Command.run(directory, "ln", "-L", link, "named").ok();
            assertEquals(1, LinuxFile.stat(file.number()).nlink());
        }
        assertEquals("kept", Files.readString(directory.resolve("named")));
        Files.delete(directory.resolve("named"));
    }

    private static void appends(Path directory) throws IOException {
        Command.sh(directory, """
                for p in 1 2 3 4; do
                  ( for i in $(seq 1 250); do echo "$p-$i" >> log; done ) &
                done
                wait
                test "$(wc -l < log)" = 1000
                test "$(sort -u log | wc -l)" = 1000
                test "$(grep -cvE '^[1-4]-[0-9]+$' log)" = 0
                """).ok();
    }

    private static void blocks(Path directory) throws IOException {
        try (Descriptor file = create(directory, "sparse")) {
            write(file, "end", (100L << 20) - 3);
            LinuxFile.fsync(file.number());
            assertEquals(100L << 20, LinuxFile.stat(file.number()).size());
            assertTrue(LinuxFile.stat(file.number()).allocated() <= 32_768, "holes are not counted");
            LinuxFile.truncate(file.number(), 0);
            assertEquals(0, LinuxFile.stat(file.number()).allocated());
        }
    }

    private static void seekHole(Path directory) throws IOException {
        try (Descriptor file = create(directory, "holes")) {
            write(file, "x".repeat(65_536), 1 << 20);
            LinuxFile.truncate(file.number(), 4 << 20);
            int fd = file.number();
            assertEquals(1 << 20, LinuxFile.seek(fd, 0, LinuxFile.SEEK_DATA));
            assertEquals(0, LinuxFile.seek(fd, 0, LinuxFile.SEEK_HOLE));
            assertEquals((1 << 20) + 65_536, LinuxFile.seek(fd, 1 << 20, LinuxFile.SEEK_HOLE));
            assertEquals(-1, LinuxFile.seek(fd, 2 << 20, LinuxFile.SEEK_DATA));
            assertEquals(-1, LinuxFile.seek(fd, 4 << 20, LinuxFile.SEEK_HOLE));
        }
    }

    private static void fallocate(Path directory) throws IOException {
        try (Descriptor file = create(directory, "allocated")) {
            int fd = file.number();
            LinuxFile.fallocate(fd, 0, 0, 1 << 20);
            assertEquals(1 << 20, LinuxFile.stat(fd).size());
            LinuxFile.fallocate(fd, LinuxFile.FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 20);
            assertEquals(1 << 20, LinuxFile.stat(fd).size());
            assertTrue(LinuxFile.stat(fd).allocated() >= 2 << 20, "preallocated blocks count");
            write(file, "a".repeat(16_384), 0);
            LinuxFile.fallocate(fd, LinuxFile.FALLOC_FL_PUNCH_HOLE | LinuxFile.FALLOC_FL_KEEP_SIZE, 4096, 4096);
            assertEquals("a".repeat(4096) + "\0".repeat(4096) + "a".repeat(8192), read(file, 0, 16_384));
            LinuxFile.fallocate(fd, LinuxFile.FALLOC_FL_ZERO_RANGE, 8192, 4096);
            assertEquals("\0".repeat(8192) + "a".repeat(4096), read(file, 4096, 12_288));
            // COLLAPSE_RANGE and INSERT_RANGE end in the kernel: fuse_file_fallocate passes only these modes on.
            assertErrno(22, () -> LinuxFile.fallocate(fd, 0, 0, 0));
        }
    }

    private static void copyRange(Path directory) throws IOException {
        byte[] bytes = SurvivalTest.random(3_000_000, 5);
        Files.write(directory.resolve("from"), bytes);
        try (Descriptor from = LinuxFile.open(directory.resolve("from"), O_RDWR, 0);
                Descriptor to = create(directory, "to")) {
            long copied = 0;
            while (copied < bytes.length) {
                copied += LinuxFile.copyRange(from.number(), copied, to.number(), copied, bytes.length - copied);
            }
        }
        assertArrayEquals(bytes, Files.readAllBytes(directory.resolve("to")));
    }

    private static void xattrs(Path directory) throws IOException {
        Command.sh(directory, """
                touch f
                setfattr -n user.a -v 1 f && setfattr -n user.b -v "$(head -c 3000 /dev/zero | tr '\\0' x)" f
                setfattr -n trusted.c -v 0x00ff f
                test "$(getfattr --only-values -n user.a f)" = 1
                test "$(getfattr --only-values -n user.b f | wc -c)" = 3000
                test "$(getfattr -e hex -n trusted.c f | grep trusted)" = 'trusted.c=0x00ff'
                test "$(getfattr -m - f | grep -c '^[ut]')" = 3
                setfattr -x user.a f
                ! getfattr -n user.a f
                ! setfattr -x user.a f
                cp -a f g && test "$(getfattr --only-values -n user.b g | wc -c)" = 3000
                """).ok();
    }

    private static void acls(Path directory) throws IOException {
        Command.sh(directory, """
                mkdir d
                setfacl -d -m u:daemon:rwx,g:bin:rx d
                (umask 027; touch d/f; mkdir d/e)
                getfacl -c d/f d/e d > seen
                printf '%s\\n' 'user::rw-' 'user:daemon:rwx	#effective:rw-' 'group::r-x	#effective:r--' \\
                  'group:bin:r-x	#effective:r--' 'mask::rw-' 'other::r--' > expected
                head -6 seen | sed 's/\\t\\t*/\\t/' | diff - expected
                setfacl -m u:nobody:r d/f && chmod 640 d/f && getfacl -c d/f | grep -q 'mask::r--'
                setfacl -b d/f && test "$(stat -c %a d/f)" = 640
                ! getfacl -c d/f | grep -q nobody
                """).ok();
    }

    private static void renameFlags(Path directory) throws IOException {
        Files.writeString(directory.resolve("a"), "A");
        Files.writeString(directory.resolve("b"), "B");
        assertErrno(17, () -> rename(directory, "a", "b", LinuxFile.RENAME_NOREPLACE));
        rename(directory, "a", "b", LinuxFile.RENAME_EXCHANGE);
        assertEquals("B", Files.readString(directory.resolve("a")));
        assertEquals("A", Files.readString(directory.resolve("b")));
        Files.createDirectories(directory.resolve("d/e"));
        rename(directory, "a", "d", LinuxFile.RENAME_EXCHANGE);
        assertTrue(Files.isDirectory(directory.resolve("a/e")));
        assertErrno(2, () -> rename(directory, "a", "missing", LinuxFile.RENAME_EXCHANGE));
        assertErrno(22, () -> rename(directory, "a", "a/e/x", 0));
    }

    private static void rename(Path directory, String from, String to, int flags) {
        LinuxFile.renameAt(
                LinuxFile.AT_FDCWD,
                directory.resolve(from).toString(),
                LinuxFile.AT_FDCWD,
                directory.resolve(to).toString(),
                flags);
    }

    private static void names(Path directory) throws IOException {
        Command.sh(directory, """
                long=$(head -c 255 /dev/zero | tr '\\0' n)
                echo 1 > "$long" && test "$(cat "$long")" = 1
                ! touch "${long}x"
                odd=$'\\xff\\xfe\\x80 \\n\\t*'
                echo 2 > "$odd" && test "$(cat "$odd")" = 2
                test "$(ls -1Ab | grep -c '377')" = 1
                mv "$odd" $'\\xc3\\x28' && test "$(cat $'\\xc3\\x28')" = 2
                """).ok();
    }

    private static void tebibyte(Path directory) throws IOException {
        try (Descriptor file = create(directory, "big")) {
            LinuxFile.truncate(file.number(), 1L << 40);
            write(file, "last", (1L << 40) - 4);
            write(file, "mid", 1L << 39);
            assertEquals("last", read(file, (1L << 40) - 4, 4));
            assertEquals("mid\0", read(file, 1L << 39, 4));
            assertEquals("\0\0", read(file, 12345, 2));
            LinuxFile.fsync(file.number());
        }
        assertEquals(1L << 40, Files.size(directory.resolve("big")));
        Files.delete(directory.resolve("big"));
    }

    private static void directoryTimes(Path directory) throws IOException {
        Command.sh(directory, """
                mkdir d && touch -d '2001-02-03 04:05:06.123456789' d
                test "$(stat -c %y d | cut -c1-29)" = '2001-02-03 04:05:06.123456789'
                touch d/a && test "$(stat -c %Y d)" -gt 1700000000
                touch -d '2001-02-03 04:05:06.5' d && rm d/a && test "$(stat -c %Y d)" -gt 1700000000
                touch -d '2001-02-03 04:05:06.5' d && touch d/x 2>&1 && mv d/x d/y && test "$(stat -c %Y d)" -gt 1700000000
                touch -d '2001-02-03 04:05:06.5' d && echo more >> d/y && test "$(stat -c %Y d)" = "$(date -d '2001-02-03 04:05:06' +%s)"
                touch -d '1960-01-01 00:00:00.25 UTC' d/y && test "$(stat -c %Y d/y)" = -315619200
                """).ok();
    }

    private static void unlinkedOpen(Path directory) throws IOException {
        try (Descriptor file = create(directory, "gone")) {
            write(file, "before", 0);
            Files.delete(directory.resolve("gone"));
            write(file, "after", 6);
            assertEquals("beforeafter", read(file, 0, 20));
            assertEquals(0, LinuxFile.stat(file.number()).nlink());
            LinuxFile.fsync(file.number());
        }
        assertFalse(Files.exists(directory.resolve("gone")));
    }

    private static void flock(Path directory) throws IOException {
        Command.sh(directory, """
                touch lock; echo 0 > n
                for p in 1 2 3; do
                  ( for i in $(seq 1 30); do flock lock sh -c 'echo $(( $(cat n) + 1 )) > n'; done ) &
                done
                wait
                test "$(cat n)" = 90
                flock lock sh -c '! flock -n lock true'
                """).ok();
    }

    private static void killSuid(Path directory) throws IOException {
        Command.sh(directory, """
                echo x > f && chmod 6777 f && chmod 777 .
                setpriv --reuid=nobody --regid=nogroup --clear-groups sh -c 'echo y >> f'
                test "$(stat -c %a f)" = 777
                """).ok();
    }

    private static void explicitTimes(Path directory) throws IOException {
        Command.sh(directory, """
                exec 3> f; echo data >&3; touch -d '2011-11-11 11:11:11.111' f; exec 3>&-
                test "$(stat -c %y f | cut -c1-23)" = '2011-11-11 11:11:11.111'
                cp -p f g && test "$(stat -c %y g | cut -c1-23)" = '2011-11-11 11:11:11.111'
                """).ok();
    }

    private static void hardLinks(Path directory) throws IOException {
        Command.sh(directory, """
                echo one > a && ln a b && mkdir d && ln b d/c
                test "$(stat -c %h a)" = 3 && test "$(stat -c %i a)" = "$(stat -c %i d/c)"
                echo two >> d/c && test "$(wc -l < a)" = 2
                rm a && test "$(stat -c %h b)" = 2 && mv b d/c && test "$(stat -c %h b)" = 2
                ! ln d e
                """).ok();
    }

    private static void specialFiles(Path directory) throws IOException {
        Command.sh(directory, """
                mkfifo p && (echo through > p &) && test "$(cat p)" = through
                mknod n c 1 3 && test "$(stat -c %F:%t:%T n)" = 'character special file:1:3'
                ln -s "$(head -c 1000 /dev/zero | tr '\\0' t)" s && test "$(readlink s | wc -c)" = 1001
                """).ok();
    }

    private static Descriptor create(Path directory, String name) {
        return LinuxFile.open(directory.resolve(name), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    }

    private static void write(Descriptor file, String text, long offset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(text.length());
            for (int i = 0; i < text.length(); i++) {
                bytes.set(ValueLayout.JAVA_BYTE, i, (byte) text.charAt(i));
            }
            LinuxFile.pwriteFully(file.number(), bytes, offset);
        }
    }

    private static String read(Descriptor file, long offset, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(length);
            int count = (int) LinuxFile.preadFully(file.number(), into, offset);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < count; i++) {
                text.append((char) into.get(ValueLayout.JAVA_BYTE, i));
            }
            return text.toString();
        }
    }

    private static void assertErrno(int errno, org.junit.jupiter.api.function.Executable call) {
        assertEquals(errno, assertThrows(LinuxException.class, call).errno());
    }
}
