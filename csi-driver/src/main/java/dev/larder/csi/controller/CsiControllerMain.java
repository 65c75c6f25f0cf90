package dev.larder.csi.controller;

import dev.larder.csi.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;

/** The command csi-controller. */
public final class CsiControllerMain {
    private CsiControllerMain() {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    static int run(String... arguments) {
        return Service.run(
                "csi-controller",
                arguments,
                new CsiControllerOptions(),
                CsiControllerOptions::check,
                CsiControllerMain::start);
    }

    private static AutoCloseable start(CsiControllerOptions options) throws IOException {
        KubernetesClient client = new KubernetesClientBuilder().build();
        try {
            CsiController controller = CsiController.start(options, new ClusterVolumes(client));
            return () -> {
                controller.close();
                client.close();
            };
        } catch (IOException | RuntimeException e) {
            client.close();
            throw e;
        }
    }
}
