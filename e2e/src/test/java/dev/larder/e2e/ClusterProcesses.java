package dev.larder.e2e;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxFile;
import dev.larder.linux.Mounts;
import dev.larder.linux.Mounts.MountPoint;
import dev.larder.linux.OpenFlags;
import dev.larder.linux.Processes;
import dev.larder.schema.ServerLogin;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Larder's processes as they run in a cluster, one of each, with a real API server, PostgreSQL and S3 server, and without a
 * kubelet: the test plays it.
 */
final class ClusterProcesses implements AutoCloseable {
    static final String RELEASE = "larder-system";
    private static final String CSI_NODE = "csi-node";
    private static final Duration START = Duration.ofMinutes(2);

    private final Larder larder = Larder.create();
    private final Map<String, Process> processes = new LinkedHashMap<>();
    private final S3Server s3;
    private final KubeApiServer server;
    private final KubernetesClient client;

    private ClusterProcesses() throws Exception {
        s3 = new S3Server(home().resolve("s3"), 0);
        server = KubeApiServer.start(Files.createDirectory(home().resolve("kubernetes")));
        client = server.administrator();
    }

    static ClusterProcesses start() throws Exception {
        ClusterProcesses cluster = new ClusterProcesses();
        try {
            cluster.prepare();
            cluster.launch();
            return cluster;
        } catch (IOException | RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    Path home() {
        return larder.home();
    }

    Path kubelet() {
        return home().resolve("kubelet");
    }

    Path nodeSocket() {
        return kubelet().resolve("plugins/csi.larder.dev/csi.sock");
    }

    Path controllerSocket() {
        return home().resolve("controller.sock");
    }

    private Path kubeconfig() {
        return home().resolve("kubernetes/controllers.conf");
    }

    private void prepare() throws IOException {
        server.installKinds(client);
        server.startControllers();
        client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(RELEASE)
                        .endMetadata()
                        .build())
                .create();
        ServerLogin database = larder.embedded().ensureRunning(START);
        secret("postgres-admin", Map.of("username", database.user(), "password", database.password()));
        secret("s3-keys", Map.of("accessKeyId", S3Server.ACCESS_KEY, "secretAccessKey", S3Server.SECRET_KEY));
        apply("""
                apiVersion: larder.dev/v1alpha1
                kind: MetadataStore
                metadata: {name: main, annotations: {larder.dev/is-default: "true"}}
                spec: {postgres: {url: "postgresql://127.0.0.1:%d", secretRef: {name: postgres-admin}}}
                ---
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: bucket, annotations: {larder.dev/is-default: "true"}}
                spec:
                  s3:
                    endpoint: http://127.0.0.1:%d
                    bucket: %s
                    prefix: volumes/
                    credentials: {secretRef: {name: s3-keys}}
                """.formatted(database.port(), s3.port(), S3Server.BUCKET));
    }

    private void secret(String name, Map<String, String> values) {
        client.resource(new SecretBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace(RELEASE)
                        .endMetadata()
                        .withStringData(values)
                        .build())
                .create();
    }

    private void apply(String yaml) {
        client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
                .serverSideApply();
    }

    private void launch() throws IOException {
        Files.createDirectories(kubelet());
        run(
                "operator",
                "dev.larder.operator.OperatorMain",
                "--namespace=" + RELEASE,
                "--health-port=0",
                "--refresh=1s",
                "--leader-election=false");
        run(
                "csi-controller",
                "dev.larder.csi.controller.CsiControllerMain",
                "--namespace=" + RELEASE,
                "--csi-address=" + controllerSocket(),
                "--health-port=0");
        launchNode();
        run(
                "node-agent",
                "dev.larder.agent.NodeAgentMain",
                "--node-name=node-1",
                "--run-dir=" + home().resolve("run"),
                "--cache-dir=" + home().resolve("cache"),
                "--cache-capacity=1Gi",
                "--health-port=0");
        await(nodeSocket());
        await(controllerSocket());
    }

    private void launchNode() throws IOException {
        run(
                CSI_NODE,
                "dev.larder.csi.CsiNodeMain",
                "--node-name=node-1",
                "--run-dir=" + home().resolve("run"),
                "--kubelet-dir=" + kubelet(),
                "--health-port=0");
    }

    /** kill -9, and at once a new one, as the launcher does it. */
    void killNode() throws IOException, InterruptedException {
        Process old = processes.get(CSI_NODE);
        Processes.kill((int) old.pid(), Processes.SIGKILL);
        old.waitFor();
        launchNode();
    }

    /** Resident memory of csi-node, in MB. */
    long nodeMegabytes() throws IOException {
        Path status = Path.of("/proc", Long.toString(processes.get(CSI_NODE).pid()), "status");
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
            }
        }
        throw new AssertionError("no VmRSS in " + status);
    }

    private void run(String name, String mainClass, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx" + (name.equals(CSI_NODE) ? 40 : 192) + "m",
                "-cp",
                System.getProperty("java.class.path"),
                mainClass));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        home().resolve(name + ".log").toFile()));
        builder.environment().put("KUBECONFIG", kubeconfig().toString());
        processes.put(name, builder.start());
    }

    private void await(Path socket) throws IOException {
        long end = System.nanoTime() + START.toNanos();
        while (!Files.exists(socket)) {
            if (System.nanoTime() > end || !processes.values().stream().allMatch(Process::isAlive)) {
                throw new AssertionError(socket + " does not appear\n" + logs());
            }
            try {
                TimeUnit.MILLISECONDS.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted", e);
            }
        }
    }

    List<SharedVolume> volumes() {
        return client.resources(SharedVolume.class).inAnyNamespace().list().getItems();
    }

    /** What kubelet would find through the PersistentVolume of a volume; nothing for what is no volume. */
    Map<String, String> secretOf(String volumeId) {
        for (SharedVolume volume : volumes()) {
            if (volume.getStatus() != null && volumeId.equals(volume.getStatus().volumeId())) {
                String name = volume.getStatus().persistentVolume();
                Secret secret =
                        client.secrets().inNamespace(RELEASE).withName(name).get();
                return decoded(secret.getData());
            }
        }
        return Map.of();
    }

    private static Map<String, String> decoded(Map<String, String> data) {
        Map<String, String> decoded = new TreeMap<>();
        data.forEach((name, base64) ->
                decoded.put(name, new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8)));
        return decoded;
    }

    /** Mount points below kubelet's directory. */
    List<Path> mounts() {
        return Mounts.list().stream()
                .map(MountPoint::target)
                .filter(target -> target.startsWith(kubelet()))
                .toList();
    }

    /** For a test that fails. */
    String logs() {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(home())) {
            for (Path log : files.filter(file -> file.toString().endsWith(".log"))
                    .sorted()
                    .toList()) {
                all.append("--- ").append(log.getFileName()).append('\n').append(Files.readString(log));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all.toString();
    }

    /** Directories of pods that a failed test leaves cannot be deleted before. */
    private void clearMarkers() throws IOException {
        try (Stream<Path> files = Files.walk(kubelet())) {
            for (Path path : files.filter(file -> file.endsWith("mount")).toList()) {
                try (Descriptor directory = LinuxFile.open(path, OpenFlags.O_DIRECTORY, 0)) {
                    LinuxFile.setImmutable(directory.number(), false);
                }
            }
        }
    }

    /** Mounts that are left are detached first: nothing may wait for an agent that is killed then. */
    @Override
    public void close() throws IOException {
        for (Path left : mounts().reversed()) {
            Mounts.unmount(left, Mounts.MNT_DETACH | Mounts.MNT_FORCE);
        }
        for (Process process : processes.values()) {
            process.destroyForcibly()
                    .onExit()
                    .orTimeout(START.toSeconds(), TimeUnit.SECONDS)
                    .join();
        }
        clearMarkers();
        client.close();
        server.close();
        s3.close();
        larder.close();
    }
}
