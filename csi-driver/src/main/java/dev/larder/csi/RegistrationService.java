package dev.larder.csi;

import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pluginregistration.Pluginregistration.InfoRequest;
import pluginregistration.Pluginregistration.PluginInfo;
import pluginregistration.Pluginregistration.RegistrationStatus;
import pluginregistration.Pluginregistration.RegistrationStatusResponse;
import pluginregistration.RegistrationGrpc;

/** What kubelet's plugin watcher asks (k8s.io/kubelet, pluginregistration v1); kubelet tries again when it failed. */
final class RegistrationService extends RegistrationGrpc.RegistrationImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(RegistrationService.class);

    private final Path csiSocket;
    private volatile boolean registered;

    RegistrationService(Path csiSocket) {
        this.csiSocket = csiSocket;
    }

    boolean isRegistered() {
        return registered;
    }

    @Override
    public void getInfo(InfoRequest request, StreamObserver<PluginInfo> observer) {
        observer.onNext(PluginInfo.newBuilder()
                .setType("CSIPlugin")
                .setName(Driver.NAME)
                .setEndpoint(csiSocket.toString())
                .addSupportedVersions(Driver.CSI_VERSION)
                .build());
        observer.onCompleted();
    }

    @Override
    public void notifyRegistrationStatus(
            RegistrationStatus request, StreamObserver<RegistrationStatusResponse> observer) {
        registered = request.getPluginRegistered();
        if (registered) {
            LOG.info("registered with kubelet");
        } else {
            LOG.error("kubelet refused the registration cause={}", request.getError());
        }
        observer.onNext(RegistrationStatusResponse.getDefaultInstance());
        observer.onCompleted();
    }
}
