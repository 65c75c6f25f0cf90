package dev.larder.e2e.k8s;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.e2e.Command;
import dev.larder.e2e.load.LockMain;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a user of Kubernetes does with volumes: the smoke test of every change. */
@Tag("cluster")
@Timeout(300)
final class SharedVolumeTest {
    private static final String NAMESPACE = "volumes";

    @RegisterExtension
    static final Cluster CLUSTER = new Cluster();

    @BeforeAll
    static void install() {
        Release.install(CLUSTER);
        CLUSTER.createNamespace(NAMESPACE);
    }

    @AfterAll
    static void deleteAll() {
        CLUSTER.deleteNamespace(NAMESPACE);
    }

    private static Command.Result tryIn(String pod, String command) {
        return CLUSTER.run("kubectl", "-n", NAMESPACE, "exec", pod, "--", "sh", "-c", command);
    }

    private static String in(String pod, String command) {
        return CLUSTER.exec(NAMESPACE, pod, "sh", "-c", command);
    }

    @Test
    void podsOnTwoNodesShareAVolume() {
        TestVolume volume = TestVolume.create(CLUSTER, NAMESPACE, "shared", "capacity: 1Gi");
        volume.startPod("one", "n1");
        volume.startPod("two", "n2");
        CLUSTER.awaitReady(NAMESPACE, "one");
        CLUSTER.awaitReady(NAMESPACE, "two");
        for (int i = 0; i < 5; i++) {
            in("one", "echo " + i + " > /data/turn");
            assertEquals(i + "\n", in("two", "cat /data/turn"), "close-to-open");
            in("two", "echo answer-" + i + " > /data/turn");
            assertEquals("answer-" + i + "\n", in("one", "cat /data/turn"), "close-to-open");
        }
        in("one", "mkdir /data/a && mv /data/turn /data/a/moved");
        assertEquals("moved\n", in("two", "ls /data/a"));
        assertTrue(in("two", "df -k /data | tail -1").contains(" 1048576 "), "df shows the quota");
        assertEquals("Ready", volume.get("{.status.phase}"));
    }

    @Test
    void aLockOfOneNodeIsSeenOnAnother() throws IOException {
        LoadPod.install(CLUSTER, NAMESPACE);
        TestVolume volume = TestVolume.create(CLUSTER, NAMESPACE, "locks", "capacity: 1Gi");
        LoadPod.start(volume, "holder", "n1");
        LoadPod.start(volume, "waiter", "n2");
        String lock = "/opt/larder/jre/bin/java -cp /program/load.jar " + LockMain.class.getName() + " /data/lock ";
        in("holder", "(" + lock + "20) > /dev/null 2>&1 &");
        Cluster.await("the lock is held", () -> tryIn("waiter", lock + "0").exit() == 1);
        Cluster.await("the lock is free", () -> tryIn("waiter", lock + "0").exit() == 0);
    }

    @Test
    void readOnlyAndSubPathAreWhatThePodSays() {
        TestVolume volume = TestVolume.create(CLUSTER, NAMESPACE, "paths", "capacity: 1Gi");
        volume.startPod("writer", "n1", "subPath: inner", "");
        CLUSTER.awaitReady(NAMESPACE, "writer");
        in("writer", "echo here > /data/file");
        volume.startPod("reader", "n2", "", "readOnly: true");
        CLUSTER.awaitReady(NAMESPACE, "reader");
        assertEquals("here\n", in("reader", "cat /data/inner/file"));
        Command.Result refused = tryIn("reader", "echo no > /data/inner/file");
        assertNotEquals(0, refused.exit());
        assertTrue(refused.toString().contains("Read-only file system"), refused::toString);
    }

    @Test
    void aClaimOfTheClassMakesAVolumeAndGrows() {
        CLUSTER.apply("""
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata:
                  name: claimed
                  namespace: %s
                spec:
                  storageClassName: larder
                  accessModes: [ReadWriteMany]
                  resources: {requests: {storage: 1Gi}}
                """.formatted(NAMESPACE));
        CLUSTER.kubectl(
                "-n", NAMESPACE, "wait", "--for=jsonpath={.status.phase}=Bound", "pvc/claimed", "--timeout=60s");
        TestVolume volume = new TestVolume(CLUSTER, NAMESPACE, "claimed");
        volume.startPod("user", "n1");
        CLUSTER.awaitReady(NAMESPACE, "user");
        in("user", "echo kept > /data/file");
        assertTrue(in("user", "df -k /data | tail -1").contains(" 1048576 "));
        CLUSTER.kubectl(
                "-n",
                NAMESPACE,
                "patch",
                "pvc",
                "claimed",
                "-p",
                "{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"2Gi\"}}}}");
        Cluster.await(
                "the volume has grown under the pod",
                () -> in("user", "df -k /data | tail -1").contains(" 2097152 "));
        assertEquals("kept\n", in("user", "cat /data/file"));
    }

    @Test
    void aQuotaIsANoSpaceError() {
        TestVolume volume = TestVolume.create(CLUSTER, NAMESPACE, "small", "capacity: 32Mi");
        volume.startPod("filler", "n1");
        CLUSTER.awaitReady(NAMESPACE, "filler");
        Command.Result full = tryIn("filler", "dd if=/dev/zero of=/data/big bs=1M count=100");
        assertNotEquals(0, full.exit());
        assertTrue(full.toString().matches("(?s).*(No space left|Disk quota exceeded).*"), full::toString);
        in("filler", "rm /data/big && echo again > /data/small");
    }

    @Test
    void aVolumeThatIsUsedIsDeletedWhenItIsNot() {
        TestVolume volume = TestVolume.create(CLUSTER, NAMESPACE, "gone", "capacity: 1Gi");
        volume.startPod("last", "n1");
        CLUSTER.awaitReady(NAMESPACE, "last");
        CLUSTER.kubectl("-n", NAMESPACE, "delete", "sharedvolume", "gone", "--wait=false");
        Cluster.await(
                "it says why it stays",
                () -> volume.get("{.status.conditions[*].reason}").contains("InUse"));
        in("last", "echo still > /data/file");
        CLUSTER.kubectl("-n", NAMESPACE, "delete", "pod", "last", "--wait=true");
        CLUSTER.kubectl("-n", NAMESPACE, "wait", "--for=delete", "sharedvolume/gone", "--timeout=120s");
    }
}
