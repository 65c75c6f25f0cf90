package dev.larder.crds.testing;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A real API server with a real etcd on loopback ports, without nodes and without controllers. Its programs are those in
 * the directory that the property or environment variable {@value #PROGRAMS} names. For tests with the tag
 * {@value #TAG}.
 */
public final class KubeApiServer implements AutoCloseable {
    public static final String TAG = "cluster";
    public static final String PROGRAMS = "LARDER_KUBE_BIN";

    /** Kinds of Larder, in the order they are applied. */
    public static final List<String> KINDS =
            List.of("sharedvolumes", "metadatastores", "objectstores", "nodecaches", "cachewarmups");

    private static final String CONTROLLERS = "persistentvolume-binder-controller,"
            + "persistentvolumeclaim-protection-controller,persistentvolume-protection-controller,"
            + "garbage-collector-controller,namespace-controller,serviceaccount-controller";
    private static final Duration START = Duration.ofMinutes(2);
    private static final String TOKEN = "administrator-of-the-test";

    private final Path directory;
    private final List<Process> processes = new ArrayList<>();
    private final int port;

    private KubeApiServer(Path directory) throws IOException {
        this.directory = directory;
        this.port = freePort();
    }

    /**
     * Starts both and waits until they answer.
     *
     * @param directory an empty one, for their files and logs
     */
    public static KubeApiServer start(Path directory) throws IOException {
        KubeApiServer server = new KubeApiServer(directory);
        try {
            server.launch();
            server.awaitReady();
            return server;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    /**
     * Starts the controllers that bind claims, protect them and collect garbage, as they run in every cluster.
     * Nothing here waits for them.
     */
    public void startControllers() throws IOException {
        Path kubeconfig = Files.writeString(directory.resolve("controllers.conf"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: test, cluster: {server: "https://127.0.0.1:%d", insecure-skip-tls-verify: true}}]
                users: [{name: test, user: {token: %s}}]
                contexts: [{name: test, context: {cluster: test, user: test}}]
                current-context: test
                """.formatted(port, TOKEN));
        run(
                programs().resolve("kube-controller-manager"),
                "--kubeconfig=" + kubeconfig,
                "--leader-elect=false",
                "--secure-port=0",
                "--controllers=" + CONTROLLERS,
                "--pvclaimbinder-sync-period=1s");
    }

    /** A client with every right. */
    public KubernetesClient administrator() {
        return new KubernetesClientBuilder().withConfig(config().build()).build();
    }

    /** A client with the rights of a service account, which need not exist. */
    public KubernetesClient serviceAccount(String namespace, String name) {
        Config config = config().withImpersonateUsername("system:serviceaccount:" + namespace + ":" + name)
                .withImpersonateGroups("system:serviceaccounts", "system:serviceaccounts:" + namespace)
                .build();
        return new KubernetesClientBuilder().withConfig(config).build();
    }

    /** Applies the CRDs of this build and waits until their kinds can be used. */
    public void installKinds(KubernetesClient client) throws IOException {
        for (String kind : KINDS) {
            try (InputStream yaml = KubeApiServer.class.getResourceAsStream("/crds/" + kind + ".larder.dev.yaml")) {
                client.load(yaml).serverSideApply();
            }
            client.apiextensions()
                    .v1()
                    .customResourceDefinitions()
                    .withName(kind + ".larder.dev")
                    .waitUntilCondition(
                            crd -> crd != null
                                    && crd.getStatus() != null
                                    && crd.getStatus().getConditions() != null
                                    && crd.getStatus().getConditions().stream()
                                            .anyMatch(c -> c.getType().equals("Established")
                                                    && c.getStatus().equals("True")),
                            30,
                            TimeUnit.SECONDS);
            awaitListable(client, kind);
        }
    }

    /** A kind that is established answers "storage is (re)initializing" for a moment. */
    private static void awaitListable(KubernetesClient client, String kind) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (true) {
            try {
                client.raw("/apis/larder.dev/v1alpha1/" + kind);
                return;
            } catch (KubernetesClientException e) {
                if (System.nanoTime() - end > 0) {
                    throw e;
                }
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }

    private ConfigBuilder config() {
        return new ConfigBuilder(Config.empty())
                .withMasterUrl("https://127.0.0.1:" + port)
                .withOauthToken(TOKEN)
                .withCaCertFile(directory.resolve("certificates/apiserver.crt").toString())
                .withDisableHostnameVerification(true)
                .withRequestRetryBackoffLimit(0);
    }

    private void launch() throws IOException {
        Path programs = programs();
        int etcdPort = freePort();
        int peerPort = freePort();
        String etcd = "http://127.0.0.1:" + etcdPort;
        String peer = "http://127.0.0.1:" + peerPort;
        run(
                programs.resolve("etcd"),
                "--name=test",
                "--data-dir=" + directory.resolve("etcd"),
                "--listen-client-urls=" + etcd,
                "--advertise-client-urls=" + etcd,
                "--listen-peer-urls=" + peer,
                "--initial-advertise-peer-urls=" + peer,
                "--initial-cluster=test=" + peer,
                "--unsafe-no-fsync",
                "--log-level=warn");
        Path tokens = Files.writeString(
                directory.resolve("tokens.csv"), TOKEN + ",administrator,administrator,system:masters\n");
        Path key = accountKey();
        run(
                programs.resolve("kube-apiserver"),
                "--etcd-servers=" + etcd,
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--secure-port=" + port,
                "--cert-dir=" + directory.resolve("certificates"),
                "--token-auth-file=" + tokens,
                "--authorization-mode=RBAC",
                // as every cluster with a CSI driver has it
                "--allow-privileged=true",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=" + key,
                "--service-account-signing-key-file=" + key,
                "--service-cluster-ip-range=10.0.0.0/24");
    }

    private static Path programs() {
        String named = System.getProperty(PROGRAMS, System.getenv().getOrDefault(PROGRAMS, ""));
        if (named.isEmpty()) {
            throw new IllegalStateException("set " + PROGRAMS + " to a directory with etcd and kube-apiserver");
        }
        return Path.of(named);
    }

    private Path accountKey() throws IOException {
        try {
            KeyPairGenerator keys = KeyPairGenerator.getInstance("RSA");
            keys.initialize(2048);
            String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'})
                    .encodeToString(keys.generateKeyPair().getPrivate().getEncoded());
            return Files.writeString(
                    directory.resolve("accounts.key"),
                    "-----BEGIN PRIVATE KEY-----\n" + base64 + "\n-----END PRIVATE KEY-----\n");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has RSA", e);
        }
    }

    private void run(Path program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                        directory.resolve(program.getFileName() + ".log").toFile())
                .start();
        processes.add(process);
        // Also when the JVM ends before the test does.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    private void awaitReady() {
        long end = System.nanoTime() + START.toNanos();
        while (!isReady()) {
            if (System.nanoTime() - end > 0 || !processes.stream().allMatch(Process::isAlive)) {
                throw new IllegalStateException("the API server does not start; see the logs in " + directory);
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }

    private boolean isReady() {
        if (!Files.exists(directory.resolve("certificates/apiserver.crt"))) {
            return false;
        }
        try (KubernetesClient client = administrator()) {
            // The namespace is among the last things that the server makes.
            return "ok".equals(client.raw("/readyz"))
                    && client.namespaces().withName("default").get() != null;
        } catch (KubernetesClientException e) {
            return false;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Ends both; nothing is kept. */
    @Override
    public void close() {
        for (Process process : processes.reversed()) {
            process.destroyForcibly();
        }
        for (Process process : processes) {
            try {
                process.waitFor(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
