package dev.larder.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.ControlProtocol.Progress;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a server on a real socket that says what each test tells it to. */
class ControlClientTest {
    private static final Duration SILENCE = Duration.ofSeconds(20);

    @TempDir
    private Path directory;

    private interface Call {
        void run(ControlClient client) throws Exception;
    }

    /** @return the request that the server got */
    private String serve(String answer, Call call) throws Exception {
        Path socket = directory.resolve("c.sock");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            FutureTask<String> request = new FutureTask<>(() -> {
                try (SocketChannel channel = server.accept();
                        BufferedReader lines =
                                new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
                    String line = lines.readLine();
                    channel.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8)));
                    if (answer.isEmpty()) {
                        return line + lines.readLine();
                    }
                    return line;
                }
            });
            Thread.ofPlatform().daemon().start(request);
            try (ControlClient client = ControlClient.connect(socket)) {
                call.run(client);
            }
            return request.get();
        }
    }

    @Test
    void progressComesBeforeTheResult() throws Exception {
        List<Progress> seen = new ArrayList<>();
        String answer = """
                {"progress":{"what":"fetching","done":1,"total":2,"unit":"bytes"}}
                {"result":{"files":3,"bytes":4,"failed":[],"later":"unknown members are ignored"}}
                """;
        String request = serve(answer, client -> {
            Answers.Warmup result = client.ask(
                    Command.WARMUP, Map.of("paths", List.of("/a b")), Answers.Warmup.class, SILENCE, seen::add);
            assertEquals(new Answers.Warmup(3, 4, List.of()), result);
        });
        assertEquals(List.of(new Progress("fetching", 1, 2, "bytes")), seen);
        assertEquals("{\"command\":\"warmup\",\"paths\":[\"/a b\"]}", request);
    }

    @Test
    void anErrorHasItsHint() throws Exception {
        serve("{\"error\":{\"message\":\"the bucket is gone\",\"hint\":\"larder status\"}}\n", client -> {
            ControlClient.AgentFailure failure =
                    assertThrows(ControlClient.AgentFailure.class, () -> purge(client, SILENCE));
            assertEquals("the bucket is gone", failure.getMessage());
            assertEquals("larder status", failure.hint());
        });
    }

    @Test
    void aConnectionThatEndsOrStaysSilentIsAnError() throws Exception {
        serve("{\"resu", client -> {
            IOException failure = assertThrows(IOException.class, () -> purge(client, SILENCE));
            assertTrue(failure.getMessage().contains("closed the connection"), failure.getMessage());
        });
        java.nio.file.Files.delete(directory.resolve("c.sock"));
        serve("", client -> {
            IOException failure = assertThrows(IOException.class, () -> purge(client, Duration.ofMillis(50)));
            assertTrue(failure.getMessage().contains("has said nothing"), failure.getMessage());
        });
        assertThrows(IOException.class, () -> ControlClient.connect(directory.resolve("nobody")));
    }

    private static void purge(ControlClient client, Duration silence) throws IOException, ControlClient.AgentFailure {
        client.ask(Command.TRASH_PURGE, Map.of(), Answers.Purged.class, silence, progress -> {});
    }
}
