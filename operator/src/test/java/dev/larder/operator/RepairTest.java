package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.protocol.VolumeAccess;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.VolumeLogins;
import dev.larder.schema.VolumeLogins.Side;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What somebody changed or removed is put right; what is right is left alone. */
@Tag(KubeApiServer.TAG)
class RepairTest {
    @TempDir
    static Path directory;

    private static Bed bed;

    @BeforeAll
    static void start() throws Exception {
        bed = new Bed(directory);
        bed.startOperator();
        bed.makeStores();
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    private static SharedVolume ready(String name, String spec) {
        bed.volume(name, spec);
        return bed.awaitReady(name);
    }

    private static void patch(String name, String spec) {
        bed.volume(name).patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":" + spec + "}");
    }

    /** Waits for something that nobody tells. */
    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.holds()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("in a minute it did not come true that " + what);
            }
            Thread.sleep(100);
        }
    }

    @Test
    void itGrows() throws Exception {
        SharedVolume volume = ready("grows", "{capacity: 1Gi, inodes: 10, trash: 1d}");
        patch("grows", "{\"capacity\":\"3Gi\",\"inodes\":null,\"trash\":\"0\"}");
        bed.await("grows", status -> "3Gi".equals(status.capacity()));
        assertEquals(
                "3221225472 0 00:00:00",
                bed.ask(Bed.id(volume), "SELECT concat_ws(' ', quota_bytes, quota_inodes, trash) FROM larder.volume"));
        await(
                "the claim asks for 3Gi",
                () -> bed.claim("grows")
                        .getSpec()
                        .getResources()
                        .getRequests()
                        .get("storage")
                        .toString()
                        .equals("3Gi"));
        bed.awaitReady("grows");
    }

    @Test
    void nodesAreToldAnotherPromise() throws Exception {
        SharedVolume volume = ready("promises", "{capacity: 1Gi}");
        Secret before = bed.secretOf(volume);
        patch("promises", "{\"consistency\":\"bounded\",\"mountOptions\":{\"patience\":\"30s\"}}");
        await(
                "the Secret says bounded",
                () -> SecretValues.get(bed.secretOf(volume), VolumeAccess.FILE)
                        .contains("\"consistency\":\"bounded\""));
        Secret after = bed.secretOf(volume);
        assertTrue(AccessSecret.generation(after) > AccessSecret.generation(before));
        assertTrue(SecretValues.get(after, VolumeAccess.FILE).contains("\"patienceSeconds\":30"));
        assertEquals(AccessSecret.password(before), AccessSecret.password(after));
    }

    @Test
    void aLostSecretIsReplacedByTheOtherLogin() throws Exception {
        SharedVolume volume = ready("secretive", "{capacity: 1Gi}");
        UUID id = Bed.id(volume);
        Secret first = bed.secretOf(volume);
        String password = AccessSecret.password(first).orElseThrow();
        VolumeLogins logins = new VolumeLogins(bed.database);
        assertTrue(logins.works(id, Side.A, password));
        bed.client.resource(first).delete();
        await("there is a Secret again", () -> bed.secretOf(volume) != null);
        Secret second = bed.secretOf(volume);
        assertTrue(AccessSecret.generation(second) > AccessSecret.generation(first));
        assertEquals(Side.B, AccessSecret.side(second));
        await(
                "the new login works",
                () -> logins.works(id, Side.B, AccessSecret.password(second).orElseThrow()));
        await("the old login is disabled", () -> logins.enabled(id).equals(Set.of(Side.B)));
        assertFalse(logins.works(id, Side.A, password));
    }

    @Test
    void aLostClaimIsMadeAgainAndBound() throws Exception {
        SharedVolume volume = ready("unclaimed", "{capacity: 1Gi}");
        String uid = bed.claim("unclaimed").getMetadata().getUid();
        bed.client
                .persistentVolumeClaims()
                .inNamespace(Bed.TEAM)
                .withName("unclaimed")
                .delete();
        await("another claim is bound", () -> {
            var claim = bed.claim("unclaimed");
            return claim != null
                    && !claim.getMetadata().getUid().equals(uid)
                    && "Bound".equals(claim.getStatus().getPhase());
        });
        assertEquals(
                bed.claim("unclaimed").getMetadata().getUid(),
                bed.persistentVolumeOf(volume).getSpec().getClaimRef().getUid());
        bed.awaitReady("unclaimed");
    }

    @Test
    void quotasInTheDatabaseAreThoseOfTheManifest() throws Exception {
        SharedVolume volume = ready("drifts", "{capacity: 1Gi}");
        bed.ask(Bed.id(volume), "UPDATE larder.volume SET quota_bytes = 1");
        await(
                "the quota is right again",
                () -> "1073741824".equals(bed.ask(Bed.id(volume), "SELECT quota_bytes FROM larder.volume")));
    }

    @Test
    void usageIsShown() throws Exception {
        SharedVolume volume = ready("counts", "{capacity: 1Gi}");
        bed.ask(Bed.id(volume), "UPDATE larder.volume SET base_bytes = 1610612736, base_inodes = 12");
        bed.ask(Bed.id(volume), "SELECT larder_v1.session_open(gen_random_uuid(), false, 'node-1', '/m', 600000, 1)");
        SharedVolume shown = bed.await(
                "counts",
                status -> "1.5Gi".equals(status.used()) && Integer.valueOf(1).equals(status.nodes()));
        assertEquals(12, shown.getStatus().usedInodes());
        bed.ask(Bed.id(volume), "DELETE FROM larder.session");
    }

    @Test
    void whatIsRightIsLeftAlone() throws Exception {
        SharedVolume volume = ready("quiet", "{capacity: 1Gi, objectStore: bucket}");
        BlockingQueue<Step> steps = new LinkedBlockingQueue<>();
        await("nothing is left to do", () -> {
            bed.applied = steps::add;
            steps.clear();
            awaitReconciliations(5);
            return steps.isEmpty();
        });
        String before = versions(volume);
        awaitReconciliations(5);
        assertEquals(before, versions(bed.volume("quiet").get()));
        assertEquals(0, steps.size());
    }

    private static String versions(SharedVolume volume) {
        return Stream.<HasMetadata>of(
                        bed.volume("quiet").get(),
                        bed.secretOf(volume),
                        bed.persistentVolumeOf(volume),
                        bed.claim("quiet"))
                .map(one -> one.getKind() + one.getMetadata().getResourceVersion())
                .toList()
                .toString();
    }

    private static String get(String path) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + bed.healthPort() + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertEquals(200, answer.statusCode(), path);
            return answer.body();
        }
    }

    private static double reconciliations() throws IOException, InterruptedException {
        return get("/metrics")
                .lines()
                .filter(line -> line.startsWith("larder_operator_reconciliations_total{kind=\"sharedvolume\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static void awaitReconciliations(int more) throws Exception {
        double target = reconciliations() + more;
        await("it was reconciled " + more + " times", () -> reconciliations() >= target);
    }

    @Test
    void healthIsTold() throws Exception {
        assertEquals("ok\n", get("/healthz"));
        assertEquals("ok\n", get("/readyz"));
        assertTrue(get("/metrics").contains("larder_operator_reconciliation_seconds_count"));
    }

    @Test
    void theStoryIsToldInEvents() throws Exception {
        ready("story", "{capacity: 1Gi}");
        bed.awaitEvent(Bed.TEAM, "Provisioned", "database, logins and Secret are made");
        bed.awaitEvent(Bed.TEAM, "Ready", "pods can mount it");
        bed.volume("sad", "{capacity: 1Gi, objectStore: nothing}");
        bed.awaitEvent(Bed.TEAM, "StoreNotFound", "kubectl get objectstores");
    }

    @Test
    void oneVolumesLoginIsRefusedByAnother() {
        SharedVolume one = ready("one", "{capacity: 1Gi}");
        SharedVolume two = ready("two", "{capacity: 1Gi}");
        assertNotEquals(Bed.id(one), Bed.id(two));
        Secret a = bed.secretOf(one);
        Secret b = bed.secretOf(two);
        VolumeLogins logins = new VolumeLogins(bed.database);
        String database = SchemaMigration.databaseName(Bed.id(two));
        String login = VolumeLogins.name(Bed.id(one), AccessSecret.side(a));
        assertFalse(logins.works(
                Bed.id(two), AccessSecret.side(b), AccessSecret.password(a).orElseThrow()));
        assertEquals(
                "42501",
                org.junit.jupiter.api.Assertions.assertThrows(
                                java.sql.SQLException.class,
                                () -> bed.ask(
                                        database,
                                        login,
                                        AccessSecret.password(a).orElseThrow(),
                                        "SELECT 1"))
                        .getSQLState());
    }
}
