package dev.larder.csi;

import csi.v1.Csi.NodeGetCapabilitiesRequest;
import csi.v1.Csi.NodeGetCapabilitiesResponse;
import csi.v1.Csi.NodeGetInfoRequest;
import csi.v1.Csi.NodeGetInfoResponse;
import csi.v1.Csi.NodeGetVolumeStatsRequest;
import csi.v1.Csi.NodeGetVolumeStatsResponse;
import csi.v1.Csi.NodePublishVolumeRequest;
import csi.v1.Csi.NodePublishVolumeResponse;
import csi.v1.Csi.NodeStageVolumeRequest;
import csi.v1.Csi.NodeStageVolumeResponse;
import csi.v1.Csi.NodeUnpublishVolumeRequest;
import csi.v1.Csi.NodeUnpublishVolumeResponse;
import csi.v1.Csi.NodeUnstageVolumeRequest;
import csi.v1.Csi.NodeUnstageVolumeResponse;
import csi.v1.NodeGrpc;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Stands before a csi-node and adds the Secret that a PersistentVolume would refer to, as kubelet does: csi-sanity knows
 * one Secret for all volumes.
 */
public final class SecretProxy extends NodeGrpc.NodeImplBase implements AutoCloseable {
    private final UnixChannel node;
    private final Function<String, Map<String, String>> secretOf;
    private final ExecutorService executor = CallExecutor.create();
    private UnixServer server;

    private SecretProxy(UnixChannel node, Function<String, Map<String, String>> secretOf) {
        this.node = node;
        this.secretOf = secretOf;
    }

    /** @param secretOf the Secret's members by volume_id, none for what is no volume */
    public static SecretProxy start(Path socket, Path nodeSocket, Function<String, Map<String, String>> secretOf)
            throws IOException {
        SecretProxy proxy = new SecretProxy(UnixChannel.open(nodeSocket), secretOf);
        proxy.server = UnixServer.start(socket, proxy.executor, List.of(), proxy, new IdentityService(() -> true));
        return proxy;
    }

    private NodeGrpc.NodeBlockingStub calls() {
        return NodeGrpc.newBlockingStub(node.channel()).withDeadlineAfter(120, TimeUnit.SECONDS);
    }

    private static <T> void forward(StreamObserver<T> observer, Supplier<T> call) {
        try {
            observer.onNext(call.get());
            observer.onCompleted();
        } catch (StatusRuntimeException e) {
            observer.onError(e);
        }
    }

    @Override
    public void nodeStageVolume(NodeStageVolumeRequest request, StreamObserver<NodeStageVolumeResponse> observer) {
        Map<String, String> secret = secretOf.apply(request.getVolumeId());
        forward(
                observer,
                () -> calls().nodeStageVolume(
                                request.toBuilder().putAllSecrets(secret).build()));
    }

    @Override
    public void nodePublishVolume(
            NodePublishVolumeRequest request, StreamObserver<NodePublishVolumeResponse> observer) {
        Map<String, String> secret = secretOf.apply(request.getVolumeId());
        forward(
                observer,
                () -> calls().nodePublishVolume(
                                request.toBuilder().putAllSecrets(secret).build()));
    }

    @Override
    public void nodeUnstageVolume(
            NodeUnstageVolumeRequest request, StreamObserver<NodeUnstageVolumeResponse> observer) {
        forward(observer, () -> calls().nodeUnstageVolume(request));
    }

    @Override
    public void nodeUnpublishVolume(
            NodeUnpublishVolumeRequest request, StreamObserver<NodeUnpublishVolumeResponse> observer) {
        forward(observer, () -> calls().nodeUnpublishVolume(request));
    }

    @Override
    public void nodeGetVolumeStats(
            NodeGetVolumeStatsRequest request, StreamObserver<NodeGetVolumeStatsResponse> observer) {
        forward(observer, () -> calls().nodeGetVolumeStats(request));
    }

    @Override
    public void nodeGetCapabilities(
            NodeGetCapabilitiesRequest request, StreamObserver<NodeGetCapabilitiesResponse> observer) {
        forward(observer, () -> calls().nodeGetCapabilities(request));
    }

    @Override
    public void nodeGetInfo(NodeGetInfoRequest request, StreamObserver<NodeGetInfoResponse> observer) {
        forward(observer, () -> calls().nodeGetInfo(request));
    }

    @Override
    public void close() {
        server.close();
        node.close();
        executor.shutdownNow();
    }
}
