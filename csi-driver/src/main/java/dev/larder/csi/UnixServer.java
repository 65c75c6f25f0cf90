package dev.larder.csi;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.buffer.UnpooledByteBufAllocator;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * A gRPC server on a Unix socket that only root may use. The socket is bound under another name and renamed: at no moment is
 * it missing, open to others, or that of the process before when this one answers. It stays when the server ends: who comes
 * next replaces it, and kubelet does not take the driver for removed.
 */
public final class UnixServer implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(5);

    /** Far above any request of kubelet and the sidecars. */
    private static final int MAX_REQUEST_BYTES = 4 << 20;

    /** Of one connection; kubelet and each sidecar have one. */
    static final int MAX_CALLS = 256;

    private final Server server;
    private final EventLoopGroup loop;

    private UnixServer(Server server, EventLoopGroup loop) {
        this.server = server;
        this.loop = loop;
    }

    /** @param executor calls run on it */
    public static UnixServer start(
            Path socket, Executor executor, List<ServerInterceptor> interceptors, BindableService... services)
            throws IOException {
        Path fresh = socket.resolveSibling("." + socket.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        try {
            NettyServerBuilder builder = NettyServerBuilder.forAddress(new DomainSocketAddress(fresh.toString()))
                    .channelType(EpollServerDomainSocketChannel.class)
                    .bossEventLoopGroup(loop)
                    .workerEventLoopGroup(loop)
                    // A pool's chunks are most of what a server that is seldom asked would hold.
                    .withChildOption(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT)
                    .maxConcurrentCallsPerConnection(MAX_CALLS)
                    .maxInboundMessageSize(MAX_REQUEST_BYTES)
                    .executor(executor);
            interceptors.forEach(builder::intercept);
            for (BindableService service : services) {
                builder.addService(service);
            }
            Server server = builder.build().start();
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
            Files.move(fresh, socket, StandardCopyOption.ATOMIC_MOVE);
            return new UnixServer(server, loop);
        } catch (IOException | RuntimeException e) {
            end(loop);
            throw e;
        }
    }

    boolean isRunning() {
        return !server.isShutdown();
    }

    /** Ends when the calls that run are answered, or soon. */
    @Override
    public void close() {
        server.shutdown();
        try {
            if (!server.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                server.shutdownNow();
            }
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
        end(loop);
    }

    private static void end(EventLoopGroup loop) {
        loop.shutdownGracefully(0, GRACE.toMillis(), TimeUnit.MILLISECONDS).awaitUninterruptibly(2 * GRACE.toMillis());
    }
}
