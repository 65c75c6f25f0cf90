package dev.larder.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnixSocketTest {
    private static final Duration SOON = Duration.ofMillis(50);
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    @TempDir
    Path directory;

    @Test
    void descriptorsTravelWithTheirMessage() throws Exception {
        Path path = directory.resolve("f");
        Files.writeString(path, "content");
        List<UnixSocket> pair = UnixSocket.pair();
        try (UnixSocket a = pair.get(0);
                UnixSocket b = pair.get(1);
                Descriptor file = LinuxFile.open(path, OpenFlags.O_RDONLY, 0)) {
            a.send("two".getBytes(UTF_8), List.of(file, file), DEADLINE);
            a.send("none".getBytes(UTF_8), List.of(), DEADLINE);
            UnixSocket.Message first = b.receive(DEADLINE);
            assertEquals("two", new String(first.bytes(), UTF_8));
            assertEquals(2, first.descriptors().size());
            assertEquals(7, LinuxFile.stat(first.descriptors().get(1).number()).size());
            first.closeDescriptors();
            UnixSocket.Message second = b.receive(DEADLINE);
            assertEquals("none", new String(second.bytes(), UTF_8));
            assertEquals(List.of(), second.descriptors());
            assertNull(b.receive(SOON));
        }
    }

    @Test
    void theLargestMessageArrivesWholeAndALargerOneIsRefused() {
        List<UnixSocket> pair = UnixSocket.pair();
        try (UnixSocket a = pair.get(0);
                UnixSocket b = pair.get(1)) {
            byte[] large = new byte[UnixSocket.MAX_MESSAGE_BYTES];
            large[large.length - 1] = 9;
            a.send(large, List.of(), DEADLINE);
            assertEquals(9, b.receive(DEADLINE).bytes()[large.length - 1]);
            assertThrows(IllegalArgumentException.class, () -> a.send(new byte[large.length + 1], List.of(), DEADLINE));
        }
    }

    @Test
    void aClosedPeerIsSeen() {
        List<UnixSocket> pair = UnixSocket.pair();
        try (UnixSocket a = pair.get(0)) {
            pair.get(1).close();
            assertEquals(0, a.receive(DEADLINE).bytes().length);
            LinuxException e = assertThrows(LinuxException.class, () -> a.send(new byte[1], List.of(), DEADLINE));
            assertEquals(LinuxErrno.EPIPE, e.errno());
        }
    }

    @Test
    void listensConnectsAndKnowsThePeer() {
        Path path = directory.resolve("s");
        try (UnixSocket server = UnixSocket.listen(path, 4)) {
            assertNull(server.accept(SOON));
            try (UnixSocket client = UnixSocket.connect(path);
                    UnixSocket accepted = server.accept(DEADLINE)) {
                assertEquals(ProcessHandle.current().pid(), accepted.peer().pid());
                assertEquals(Processes.effectiveUser(), accepted.peer().uid());
                assertEquals(Processes.effectiveGroup(), accepted.peer().gid());
                client.send("hello".getBytes(UTF_8), List.of(), DEADLINE);
                assertEquals("hello", new String(accepted.receive(DEADLINE).bytes(), UTF_8));
            }
            assertEquals(
                    LinuxErrno.EADDRINUSE,
                    assertThrows(LinuxException.class, () -> UnixSocket.listen(path, 1))
                            .errno());
        }
        assertEquals(
                LinuxErrno.ECONNREFUSED,
                assertThrows(LinuxException.class, () -> UnixSocket.connect(path))
                        .errno());
        Path longPath = Path.of("/" + "x".repeat(108));
        assertEquals(
                LinuxErrno.ENAMETOOLONG,
                assertThrows(LinuxException.class, () -> UnixSocket.connect(longPath))
                        .errno());
    }
}
