package dev.larder.agent.fuse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.OpenFlags;
import dev.larder.linux.fuse.InitFlag;
import dev.larder.linux.fuse.Opcode;
import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

@EnabledIf("canMount")
class FuseServerTest {
    @TempDir
    Path temporary;

    private TestMount mount;

    static boolean canMount() {
        return Files.isWritable(Path.of("/dev/fuse")) && dev.larder.linux.Processes.effectiveUser() == 0;
    }

    @BeforeEach
    void mount() throws Exception {
        mount = new TestMount(temporary);
    }

    @AfterEach
    void unmount() throws Exception {
        mount.close();
        assertTrue(mount.server.unmounted());
    }

    @Test
    void aShellMakesReadsMovesAndRemoves() throws Exception {
        assertEquals(
                "hello\nhello\nb\nmoved\nc:hello\n2",
                mount.shell("echo hello > a; cat a; mkdir d; ln -s ../a d/l; cat d/l; touch b; ls b;"
                        + " mv a moved; ls moved; ln moved c; echo c:$(cat c); stat -c %h c"));
        assertEquals(
                "600 1234:1234 -1000000000",
                mount.shell("chmod 644 moved; chown 1234:1234 moved; chmod 600 moved; touch -m -d @-1000000000 moved;"
                        + " stat -c '%a %u:%g %Y' moved"));
        assertEquals("1", mount.shell("rm -r d b c moved; ls -a | grep -c '^\\.$'"));
        assertEquals("Directory not empty", mount.shell("mkdir e; touch e/f; LC_ALL=C rmdir e 2>&1 | sed 's/.*: //'"));
        assertEquals("4096 262144 1000", mount.shell("stat -f -c '%S %b %c' ."));
    }

    @Test
    void largeFilesAreWrittenAndReadWhole() throws Exception {
        byte[] content = new byte[5 << 20];
        new Random(1).nextBytes(content);
        Path source = temporary.resolve("source");
        Files.write(source, content);
        mount.shell("cp " + source + " copy; dd if=" + source + " of=direct bs=1M oflag=direct status=none;"
                + " cmp copy " + source + "; cmp direct " + source);
        long copy = mount.fileSystem.lookup(null, 1, FileName.of("copy")).inode();
        assertArrayEquals(content, mount.fileSystem.node(copy).content);
        long before = mount.server.counters().requests(Opcode.READ);
        mount.shell("dd if=direct of=/dev/null bs=1M iflag=direct status=none");
        assertTrue(mount.server.counters().requests(Opcode.READ) - before <= 6, "reads of 1 MiB");
    }

    @Test
    void aMappedFileIsReadAndTruncationReachesOpen() throws Exception {
        mount.fileSystem.add(1, "m", "0123456789".repeat(1000).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        String script = "import mmap; f=open('m','rb'); m=mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ);"
                + "print(m[9990:10000].decode(), len(m))";
        assertEquals("0123456789 10000", mount.shell("python3 -c \"" + script + "\""));
        assertEquals("x", mount.shell("echo x > m; cat m"));
    }

    @Test
    void aLargeDirectoryIsListedOnceEach() throws Exception {
        for (int i = 0; i < 5000; i++) {
            mount.fileSystem.add(1, "entry-" + i, new byte[0]);
        }
        assertEquals("5000 5000", mount.shell("echo $(ls | sort -u | wc -l) $(ls -l | grep -c entry)"));
        assertEquals("5002", mount.shell("ls -f | wc -l"));
    }

    @Test
    void extendedAttributesRoundTrip() throws Exception {
        String script = "import os; open('x','w').close(); os.setxattr('x','user.a',b'v'*3000);"
                + " os.setxattr('x','user.b',b''); print(len(os.getxattr('x','user.a')), sorted(os.listxattr('x')));"
                + " os.removexattr('x','user.a'); print(os.listxattr('x'))";
        assertEquals("3000 ['user.a', 'user.b']\n['user.b']", mount.shell("python3 -c \"" + script + "\""));
    }

    @Test
    void aMissingNameIsRememberedUntilItIsInvalidated() throws Exception {
        mount.fileSystem.timeoutMillis = 600_000;
        mount.shell("test ! -e ghost");
        int lookups = mount.fileSystem.lookups.get();
        mount.shell("test ! -e ghost; test ! -e ghost");
        assertEquals(lookups, mount.fileSystem.lookups.get());
        mount.fileSystem.add(1, "ghost", new byte[0]);
        mount.kernel.invalidateEntry(1, FileName.of("ghost"));
        mount.shell("test -e ghost");
    }

    @Test
    void aListingIsKeptUntilAnotherSessionChangesTheDirectory() throws Exception {
        mount.fileSystem.timeoutMillis = 600_000;
        mount.fileSystem.add(1, "one", new byte[0]);
        mount.shell("ls; ls");
        int lists = mount.fileSystem.lists.get();
        assertEquals("one", mount.shell("ls"));
        assertEquals(lists, mount.fileSystem.lists.get());
        mount.fileSystem.add(1, "two", new byte[0]);
        mount.kernel.invalidateEntry(1, FileName.of("two"));
        assertEquals("one\ntwo", mount.shell("ls"));
        assertEquals("one\nthree\ntwo", mount.shell("touch three; ls"));
    }

    @Test
    void everythingCanBeDroppedAtOnce() throws Exception {
        mount.fileSystem.timeoutMillis = 600_000;
        mount.shell("mkdir d; test ! -e d/ghost");
        long d = mount.fileSystem.lookup(null, 1, FileName.of("d")).inode();
        mount.fileSystem.add(d, "ghost", new byte[0]);
        mount.kernel.invalidateAll();
        mount.shell("test -e d/ghost");
    }

    @Test
    void aBackingFileIsReadWithoutTheServer() throws Exception {
        assertTrue(mount.negotiated.has(InitFlag.PASSTHROUGH) == mount.kernel.passthrough());
        if (!mount.kernel.passthrough()) {
            return;
        }
        Path backing = temporary.resolve("backing");
        Files.writeString(backing, "from the backing file");
        try (Descriptor file = LinuxFile.open(backing, OpenFlags.O_RDWR, 0)) {
            MemoryFileSystem.Node node = mount.fileSystem.add(1, "p", new byte[21]);
            node.backingDescriptor = file.number();
            assertEquals("from the backing file", mount.shell("cat p"));
            assertEquals(0, mount.server.counters().requests(Opcode.READ));
            assertEquals(node.attributes.inode(), mount.recorded.get(node.backingId));
            mount.kernel.closeBacking(node.attributes.inode(), node.backingId);
            assertTrue(mount.recorded.isEmpty());
        }
    }

    @Test
    void aWaitingLockIsInterruptedAndNeverBlocksTheWorkers() throws Exception {
        mount.shell("touch l");
        Process holder = mount.start("exec flock -F -x l sleep 60");
        MemoryFileSystem.Node node = mount.fileSystem.node(
                mount.fileSystem.lookup(null, 1, FileName.of("l")).inode());
        TestMount.await(() -> node.lock != null);
        Process[] waiters = new Process[8];
        for (int i = 0; i < waiters.length; i++) {
            waiters[i] = mount.start("exec flock -x l true");
        }
        TestMount.await(() -> mount.fileSystem.waitingForLocks.get() == waiters.length);
        assertEquals("served", mount.shell("echo served > other; cat other"));
        waiters[0].destroyForcibly();
        TestMount.await(() -> mount.fileSystem.waitingForLocks.get() == waiters.length - 1);
        holder.destroyForcibly();
        for (int i = 1; i < waiters.length; i++) {
            TestMount.finish(waiters[i], "flock waiter " + i);
        }
        assertTrue(waiters[0].waitFor(20, TimeUnit.SECONDS));
        assertFalse(holder.isAlive() && !holder.waitFor(20, TimeUnit.SECONDS));
    }

    @Test
    void aSuccessorAnswersWhatADeadServerLeft() throws Exception {
        mount.shell("touch l");
        Process holder = mount.start("exec flock -F -x l sleep 60");
        MemoryFileSystem.Node node = mount.fileSystem.node(
                mount.fileSystem.lookup(null, 1, FileName.of("l")).inode());
        TestMount.await(() -> node.lock != null);
        Process waiter = mount.start("exec flock -x l echo got");
        TestMount.await(() -> mount.fileSystem.waitingForLocks.get() == 1);
        mount.server.abandon();
        TestMount.await(() -> mount.fileSystem.waitingForLocks.get() == 0);
        Process duringTheGap = mount.start("echo gap > g; cat g");
        mount.serve(FuseServer.Options.DEFAULT);
        assertEquals("gap", TestMount.finish(duringTheGap, "during the gap"));
        TestMount.await(() -> mount.fileSystem.waitingForLocks.get() == 1);
        holder.destroyForcibly();
        assertEquals("got", TestMount.finish(waiter, "waiter"));
    }

    @Test
    void aStoppedServerLeavesTheMountToTheNext() throws Exception {
        for (int round = 0; round < 5; round++) {
            Process work =
                    mount.start("for i in 1 2 3 4 5 6 7 8 9 10; do echo $i > f$i; cat f$i > /dev/null; done; echo ok");
            assertTrue(mount.server.stop(TestMount.DEADLINE));
            assertTrue(mount.server.awaitEnd(TestMount.DEADLINE));
            mount.serve(FuseServer.Options.DEFAULT);
            assertEquals("ok", TestMount.finish(work, "work across a stop"));
        }
    }

    @Test
    void unsupportedRequestsAreRefusedAsTheyShould() throws Exception {
        mount.shell("touch f");
        String script = """
                import fcntl, os, select
                f = os.open('f', os.O_RDWR)
                try: fcntl.ioctl(f, 0x1234)
                except OSError as e: print(e.errno)
                os.posix_fallocate(f, 0, 10)
                print(os.lseek(f, 0, os.SEEK_END))
                print(os.access('f', os.R_OK))
                os.fsync(f)
                p = select.poll()
                p.register(f, select.POLLIN)
                print(p.poll(0)[0][1])
                """;
        assertEquals("25\n10\nTrue\n1", mount.shell("python3 -c \"" + script + "\""));
        assertEquals(Attributes.ROOT, Long.parseLong(mount.shell("stat -c %i .")));
        assertTrue(Long.parseLong(mount.shell("stat -c %W f")) > 1_700_000_000L, "birth time through STATX");
    }
}
