package dev.larder.operator;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.MetadataStore;
import dev.larder.crds.v1alpha1.ObjectStore;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeStatus;
import dev.larder.schema.EmbeddedPostgres;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.ServerLogin;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.storage.StorageClassBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A real API server with the controllers that bind claims, a real PostgreSQL, a real S3 server, and the operator with
 * the rights of its chart and no others.
 */
final class Bed implements AutoCloseable {
    static final String RELEASE = "larder-system";
    static final String TEAM = "team-a";
    static final String BUCKET = "volumes";
    static final String CLASS = "larder";
    private static final long PATIENCE_S = 60;

    final KubeApiServer server;
    final KubernetesClient client;
    final EmbeddedPostgres postgres;
    final ServerLogin database;
    final S3Server s3;
    private final Path directory;
    private KubernetesClient account;
    private RunningOperator operator;

    /** Is told each step; it may throw, as if the operator died there. */
    volatile java.util.function.Consumer<Step> applied = step -> {};

    Bed(Path directory) throws Exception {
        this.directory = directory;
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        postgres = new EmbeddedPostgres(directory.resolve("postgres"));
        database = postgres.ensureRunning(Duration.ofMinutes(2));
        s3 = new S3Server();
        s3.createBucket(BUCKET);
        server = KubeApiServer.start(Files.createDirectory(directory.resolve("kubernetes")));
        client = server.administrator();
        server.installKinds(client);
        server.startControllers();
        prepare();
    }

    private void prepare() throws IOException {
        for (String namespace : List.of(RELEASE, TEAM, "team-b")) {
            client.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName(namespace)
                            .endMetadata()
                            .build())
                    .create();
        }
        client.resource(new StorageClassBuilder()
                        .withNewMetadata()
                        .withName(CLASS)
                        .endMetadata()
                        .withProvisioner("csi.larder.dev")
                        .withAllowVolumeExpansion(true)
                        .withReclaimPolicy("Retain")
                        .build())
                .create();
        grantRights();
    }

    private void grantRights() throws IOException {
        try (InputStream rules = OperatorMain.class.getResourceAsStream("rbac.yaml")) {
            for (HasMetadata role : client.load(rules).items()) {
                if (role.getKind().equals("Role")) {
                    role.getMetadata().setNamespace(RELEASE);
                }
                client.resource(role).create();
            }
        }
        client.load(new java.io.ByteArrayInputStream("""
                        apiVersion: rbac.authorization.k8s.io/v1
                        kind: ClusterRoleBinding
                        metadata: {name: larder-operator}
                        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: larder-operator}
                        subjects: [{kind: ServiceAccount, name: larder-operator, namespace: larder-system}]
                        ---
                        apiVersion: rbac.authorization.k8s.io/v1
                        kind: RoleBinding
                        metadata: {name: larder-operator, namespace: larder-system}
                        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: larder-operator}
                        subjects: [{kind: ServiceAccount, name: larder-operator, namespace: larder-system}]
                        """.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .create();
    }

    /** Starts the operator; it is quick, as nobody waits here for its slow intervals. */
    void startOperator(String... arguments) throws IOException {
        List<String> all = new java.util.ArrayList<>(
                List.of("--namespace=" + RELEASE, "--health-port=0", "--refresh=1s", "--adoption=1s"));
        all.addAll(List.of(arguments));
        account = server.serviceAccount(RELEASE, "larder-operator");
        operator = RunningOperator.start(
                account,
                Options.parse(all, Map.of()),
                Files.createTempDirectory(directory, "scratch"),
                "operator-0",
                Clock.systemUTC(),
                step -> applied.accept(step),
                () -> {});
    }

    int healthPort() {
        return operator.healthPort();
    }

    void stopOperator() {
        if (operator != null) {
            operator.close();
            account.close();
            operator = null;
        }
    }

    void apply(String yaml) {
        client.load(new java.io.ByteArrayInputStream(yaml.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .serverSideApply();
    }

    void secret(String name, Map<String, String> values) {
        client.resource(new SecretBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace(RELEASE)
                        .endMetadata()
                        .withStringData(values)
                        .build())
                .serverSideApply();
    }

    /** MetadataStore "main" and ObjectStores "rows" and "bucket", the first two of them the defaults. */
    void makeStores() {
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
                metadata: {name: rows, annotations: {larder.dev/is-default: "true"}}
                spec: {postgres: {}}
                ---
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: bucket}
                spec: {s3: {endpoint: "%s", bucket: %s, prefix: larder/, credentials: {secretRef: {name: s3-keys}}}}
                """.formatted(database.port(), s3.endpoint(), BUCKET));
    }

    void volume(String name, String spec) {
        apply("apiVersion: larder.dev/v1alpha1\nkind: SharedVolume\nmetadata: {name: " + name + ", namespace: " + TEAM
                + "}\nspec: " + spec + "\n");
    }

    Resource<SharedVolume> volume(String name) {
        return client.resources(SharedVolume.class).inNamespace(TEAM).withName(name);
    }

    SharedVolume await(String name, Predicate<SharedVolumeStatus> wanted) {
        return volume(name)
                .waitUntilCondition(
                        volume -> volume != null && volume.getStatus() != null && wanted.test(volume.getStatus()),
                        PATIENCE_S,
                        TimeUnit.SECONDS);
    }

    SharedVolume awaitReady(String name) {
        return await(name, status -> isTrue(status, "Ready"));
    }

    Condition awaitReason(String name, String type, String reason) {
        return await(
                        name,
                        status -> condition(status, type) != null
                                && condition(status, type).getReason().equals(reason))
                .getStatus()
                .conditions()
                .stream()
                .filter(condition -> condition.getType().equals(type))
                .findFirst()
                .orElseThrow();
    }

    Condition awaitMessage(String name, String type, String part) {
        return condition(
                await(
                                name,
                                status -> condition(status, type) != null
                                        && condition(status, type).getMessage().contains(part))
                        .getStatus(),
                type);
    }

    /** An event of this reason whose text has this part. */
    void awaitEvent(String namespace, String reason, String part) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        while (client.events().v1().events().inNamespace(namespace).list().getItems().stream()
                .noneMatch(event ->
                        reason.equals(event.getReason()) && event.getNote().contains(part))) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("no event " + reason + " about " + part + " in " + namespace);
            }
            Thread.sleep(100);
        }
    }

    void awaitGone(String name) {
        volume(name).waitUntilCondition(volume -> volume == null, PATIENCE_S, TimeUnit.SECONDS);
    }

    static boolean isTrue(SharedVolumeStatus status, String type) {
        return condition(status, type) != null
                && condition(status, type).getStatus().equals("True");
    }

    static Condition condition(SharedVolumeStatus status, String type) {
        return status.conditions().stream()
                .filter(condition -> condition.getType().equals(type))
                .findFirst()
                .orElse(null);
    }

    Secret secretOf(SharedVolume volume) {
        return client.secrets()
                .inNamespace(RELEASE)
                .withName(volume.getStatus().persistentVolume())
                .get();
    }

    PersistentVolume persistentVolumeOf(SharedVolume volume) {
        return client.persistentVolumes()
                .withName(volume.getStatus().persistentVolume())
                .get();
    }

    PersistentVolumeClaim claim(String name) {
        return client.persistentVolumeClaims().inNamespace(TEAM).withName(name).get();
    }

    MetadataStore metadataStore(String name) {
        return client.resources(MetadataStore.class).withName(name).get();
    }

    ObjectStore objectStore(String name) {
        return client.resources(ObjectStore.class).withName(name).get();
    }

    /** The first column of the first row, as the server's administrator; null without a row. */
    String ask(UUID volume, String sql) throws SQLException {
        return ask(SchemaMigration.databaseName(volume), database.user(), database.password(), sql);
    }

    String ask(String name, String user, String password, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(database.url(name), user, password);
                Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return null;
            }
            try (ResultSet rows = statement.getResultSet()) {
                return rows.next() ? rows.getString(1) : null;
            }
        }
    }

    static UUID id(SharedVolume volume) {
        return UUID.fromString(volume.getStatus().volumeId());
    }

    @Override
    public void close() {
        stopOperator();
        client.close();
        server.close();
        s3.close();
        postgres.crash();
    }
}
