package dev.larder.e2e.k8s;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Everything that can be killed, restarted or cut off, while a pod uses a volume. Each row runs alone, too. */
@Tag("cluster")
@Timeout(600)
final class FaultMatrixTest {
    private static final String NAMESPACE = "faults";
    private static final String NODE = "n2";
    private static final String UNHARMED = "0 errors";

    @RegisterExtension
    static final Cluster CLUSTER = new Cluster();

    private static final FaultMatrix MATRIX = new FaultMatrix();
    private static Release release;
    private static TestVolume volume;

    @BeforeAll
    static void installAndMakeAVolume() throws IOException {
        release = Release.install(CLUSTER);
        CLUSTER.createNamespace(NAMESPACE);
        LoadPod.install(CLUSTER, NAMESPACE);
        volume = TestVolume.create(CLUSTER, NAMESPACE, "faults", "capacity: 5Gi", "trash: \"0\"");
    }

    @AfterAll
    static void deleteAll() {
        CLUSTER.deleteNamespace(NAMESPACE);
    }

    private interface Fault {
        void happen() throws IOException, InterruptedException;
    }

    /** A pod works before, while and after it happens. */
    private static JsonNode under(TestInfo test, Fault fault) throws IOException, InterruptedException {
        LoadPod load = LoadPod.start(volume, "load-" + System.nanoTime() % 1_000_000_000, NODE);
        load.awaitProgress(2);
        fault.happen();
        long happened = System.nanoTime();
        load.awaitProgress(2);
        long recovery = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - happened);
        JsonNode seen = load.finish();
        MATRIX.add(test.getDisplayName(), UNHARMED, seen, recovery);
        return seen;
    }

    private static void unharmed(TestInfo test, Fault fault) throws IOException, InterruptedException {
        JsonNode seen = under(test, fault);
        assertTrue(seen.path("wrong").isNull(), seen::toString);
        assertEquals(0, seen.path("errors").asLong(), seen::toString);
    }

    @Test
    void agentKilled(TestInfo test) throws Exception {
        unharmed(test, () -> release.kill(NODE, Release.AGENT_CLASS));
    }

    @Test
    void agentContainerKilled(TestInfo test) throws Exception {
        unharmed(test, () -> release.killContainer(NODE, "node-agent"));
    }

    @Test
    void agentRollout(TestInfo test) throws Exception {
        unharmed(test, () -> {
            release.restart(Release.AGENT);
            release.awaitReady();
        });
    }

    @Test
    void pluginKilled(TestInfo test) throws Exception {
        unharmed(test, () -> release.kill(NODE, Release.PLUGIN_CLASS));
    }

    @Test
    void pluginRollout(TestInfo test) throws Exception {
        unharmed(test, () -> {
            release.restart(Release.PLUGIN);
            release.awaitReady();
        });
    }

    @Test
    void bothRolledAtOnce(TestInfo test) throws Exception {
        unharmed(test, () -> {
            release.restart(Release.AGENT, Release.PLUGIN);
            release.awaitReady();
        });
    }

    @Test
    void operatorKilled(TestInfo test) throws Exception {
        unharmed(
                test,
                () -> CLUSTER.kubectl(
                        "-n",
                        Release.NAMESPACE,
                        "delete",
                        "pod",
                        "-l",
                        "app.kubernetes.io/component=operator",
                        "--force",
                        "--grace-period=0"));
    }

    @Test
    void kubeletRestart(TestInfo test) throws Exception {
        unharmed(test, () -> CLUSTER.onNode(NODE, "pkill", "-KILL", "-x", "kubelet"));
    }

    @Test
    void containerdRestart(TestInfo test) throws Exception {
        unharmed(test, () -> {
            CLUSTER.onNode(NODE, "pkill", "-KILL", "-x", "containerd");
            Cluster.await(
                    "containerd answers",
                    () -> CLUSTER.run("e2e/cluster", "node", "sh", NODE, "ctr", "version")
                                    .exit()
                            == 0);
        });
    }

    @Test
    void databaseRestart(TestInfo test) throws Exception {
        unharmed(test, () -> {
            CLUSTER.kubectl("-n", Release.NAMESPACE, "delete", "pod", "larder-postgres-0");
            release.awaitReady();
        });
    }

    @Test
    void databaseAwayThirtySeconds(TestInfo test) throws Exception {
        unharmed(test, () -> {
            CLUSTER.kubectl("-n", Release.NAMESPACE, "scale", Release.DATABASE, "--replicas=0");
            TimeUnit.SECONDS.sleep(30);
            CLUSTER.kubectl("-n", Release.NAMESPACE, "scale", Release.DATABASE, "--replicas=1");
            release.awaitReady();
        });
    }

    @Test
    void nodePartitionedShorterThanItsLease(TestInfo test) throws Exception {
        unharmed(test, () -> {
            CLUSTER.partitionNode(NODE);
            try {
                TimeUnit.SECONDS.sleep(15);
            } finally {
                CLUSTER.healNode(NODE);
            }
            CLUSTER.awaitNode(NODE, true);
        });
    }

    /** What was open when both were gone fails once; names are there again, in the same container. */
    @Test
    void bothKilledAtOnce(TestInfo test) throws Exception {
        TestVolume other = TestVolume.create(CLUSTER, NAMESPACE, "killed", "capacity: 1Gi");
        other.startPod("sleeper", NODE);
        CLUSTER.awaitReady(NAMESPACE, "sleeper");
        CLUSTER.exec(NAMESPACE, "sleeper", "sh", "-c", "echo before > /data/file");
        CLUSTER.onNode(
                NODE, "pkill", "-KILL", "-f", Release.AGENT_CLASS + "|" + Release.PLUGIN_CLASS + "|larder-entry [cn]");
        long killed = System.nanoTime();
        Cluster.await(
                "the pod's mount is there again",
                () -> CLUSTER.run("kubectl", "-n", NAMESPACE, "exec", "sleeper", "--", "cat", "/data/file")
                        .out()
                        .equals("before\n"));
        long recovery = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - killed);
        CLUSTER.exec(NAMESPACE, "sleeper", "sh", "-c", "echo after > /data/file && mv /data/file /data/other");
        assertEquals("after\n", CLUSTER.exec(NAMESPACE, "sleeper", "cat", "/data/other"));
        assertEquals(
                0,
                CLUSTER.client()
                        .pods()
                        .inNamespace(NAMESPACE)
                        .withName("sleeper")
                        .get()
                        .getStatus()
                        .getContainerStatuses()
                        .getFirst()
                        .getRestartCount());
        MATRIX.add(test.getDisplayName(), "heals without a restart of the pod; what was open fails once", recovery);
    }

    /** The power of a node goes: its pods go with it, what was fsynced is there, and others see nothing. */
    @Test
    void nodeReboot(TestInfo test) throws Exception {
        TestVolume other = TestVolume.create(CLUSTER, NAMESPACE, "reboot", "capacity: 1Gi");
        other.startPod("victim", NODE);
        CLUSTER.awaitReady(NAMESPACE, "victim");
        CLUSTER.exec(NAMESPACE, "victim", "sh", "-c", "dd if=/dev/urandom of=/data/big bs=1M count=20 conv=fsync");
        String sum = CLUSTER.exec(NAMESPACE, "victim", "sh", "-c", "sha256sum < /data/big");
        LoadPod elsewhere = LoadPod.start(volume, "elsewhere", "n1");
        elsewhere.awaitProgress(2);
        CLUSTER.stopNode(NODE);
        long stopped = System.nanoTime();
        elsewhere.awaitProgress(2);
        other.startPod("reader", "n1");
        CLUSTER.awaitReady(NAMESPACE, "reader");
        assertEquals(sum, CLUSTER.exec(NAMESPACE, "reader", "sh", "-c", "sha256sum < /data/big"));
        CLUSTER.startNode(NODE);
        CLUSTER.awaitNode(NODE, true);
        release.awaitReady();
        long recovery = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - stopped);
        JsonNode seen = elsewhere.finish();
        assertTrue(seen.path("wrong").isNull(), seen::toString);
        assertEquals(0, seen.path("errors").asLong(), seen::toString);
        MATRIX.add(test.getDisplayName(), "no fsynced byte lost; other nodes see nothing", seen, recovery);
    }

    /** Files of no volume fill the cache's disk; nothing may fail, for what is written needs room only until it is sent. */
    @Test
    void cacheDiskFull(TestInfo test) throws Exception {
        unharmed(test, () -> {
            String free = CLUSTER.onNode(NODE, "sh", "-c", "df --output=avail -k /var/lib/larder/cache | tail -1")
                    .strip();
            long kibibytes = Long.parseLong(free) - 20 * 1024;
            CLUSTER.onNode(NODE, "fallocate", "-l", kibibytes + "KiB", "/var/lib/larder/cache/foreign");
            try {
                TimeUnit.SECONDS.sleep(10);
            } finally {
                CLUSTER.onNode(NODE, "rm", "/var/lib/larder/cache/foreign");
            }
        });
    }
}
