package dev.larder.csi.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.csi.NodeVolumes;
import dev.larder.csi.VolumeSecret;
import dev.larder.protocol.MountStatus;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A node whose volumes are served by agents that say what the test tells them to, on real control sockets. */
final class FakeNode implements NodeVolumes {
    /** What an agent does with a request: writes lines, or throws to break the connection. */
    interface Agent {
        void answer(JsonNode request, Lines lines) throws IOException;
    }

    interface Lines {
        void write(String line) throws IOException;
    }

    final List<JsonNode> asked = new CopyOnWriteArrayList<>();
    volatile int agents = 1;

    private final Path directory;
    private final Map<UUID, Mounted> mounted = new ConcurrentHashMap<>();
    private final List<ServerSocketChannel> servers = new ArrayList<>();

    FakeNode(Path directory) {
        this.directory = directory;
    }

    UUID mount(String name, Agent agent) throws IOException {
        UUID id = UUID.randomUUID();
        Path socket = directory.resolve(mounted.size() + "-" + servers.size() + ".sock");
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        servers.add(server);
        Thread.ofPlatform().daemon().start(() -> serve(server, agent));
        mounted.put(id, new Mounted(id, name, socket, true));
        return id;
    }

    void leave(UUID volume) {
        mounted.computeIfPresent(volume, (id, was) -> new Mounted(id, was.name(), was.controlSocket(), false));
    }

    private void serve(ServerSocketChannel server, Agent agent) {
        while (server.isOpen()) {
            try (SocketChannel channel = server.accept();
                    BufferedReader lines = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    JsonNode request = FakeApiServer.JSON.readTree(line);
                    asked.add(request);
                    agent.answer(
                            request,
                            text -> channel.write(ByteBuffer.wrap((text + "\n").getBytes(StandardCharsets.UTF_8))));
                }
            } catch (IOException e) {
                // The next connection is taken, as by an agent that was restarted.
            }
        }
    }

    int askedFor(String command) {
        return (int) asked.stream()
                .filter(request -> request.path("command").asText().equals(command))
                .count();
    }

    @Override
    public List<Mounted> mounted() {
        return List.copyOf(mounted.values());
    }

    @Override
    public int agents() {
        return agents;
    }

    @Override
    public String name(UUID volume) {
        return mounted.get(volume).name();
    }

    @Override
    public void unmount(UUID volume, Duration patience) {
        mounted.remove(volume);
    }

    @Override
    public boolean isMounted(UUID volume) {
        return mounted.containsKey(volume);
    }

    @Override
    public Path mount(UUID volume, VolumeSecret secret, boolean exclusive, Duration patience) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void refresh(UUID volume, VolumeSecret secret) {
        throw new UnsupportedOperationException();
    }

    @Override
    public MountStatus status(UUID volume, Duration patience) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        for (ServerSocketChannel server : servers) {
            try {
                Path socket = Path.of(server.getLocalAddress().toString());
                server.close();
                Files.deleteIfExists(socket);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
