package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.testing.KubeApiServer;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.schema.VolumeRegistry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The operator ends after each step of a plan, and its successor finishes: one volume, one database, one Secret. */
@Tag(KubeApiServer.TAG)
class CrashTest {
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

    @Test
    void afterEveryStepTheSuccessorFinishes() throws Exception {
        Set<Class<?>> died = new HashSet<>();
        List<Class<? extends Step>> making = List.of(
                Step.Enter.class,
                Step.OwnPrefix.class,
                Step.MakeDatabase.class,
                Step.WriteSecret.class,
                Step.EnableLogin.class,
                Step.MakeClaim.class,
                Step.MakePersistentVolume.class);
        List<String> ids = new ArrayList<>();
        for (Class<? extends Step> last : making) {
            AtomicBoolean dead = new AtomicBoolean();
            // From this step on nothing more is done, until the next operator starts.
            bed.applied = step -> {
                if (last.isInstance(step) || dead.get()) {
                    dead.set(true);
                    died.add(last);
                    throw new IllegalStateException("the operator died after " + step);
                }
            };
            String name = "v" + making.indexOf(last);
            bed.volume(name, "{capacity: 1Gi, objectStore: bucket}");
            SharedVolume half = bed.await(name, status -> status.volumeId() != null && dead.get());
            bed.stopOperator();
            bed.applied = step -> {};
            bed.startOperator();
            SharedVolume whole = bed.awaitReady(name);
            assertEquals(Bed.id(half), Bed.id(whole), "another volume after " + last);
            ids.add(whole.getStatus().volumeId());
            String password = AccessSecret.password(bed.secretOf(whole)).orElseThrow();
            assertTrue(new dev.larder.schema.VolumeLogins(bed.database)
                    .works(Bed.id(whole), AccessSecret.side(bed.secretOf(whole)), password));
        }
        assertEquals(making.size(), died.size());
        assertEquals(
                Integer.toString(ids.size()),
                bed.ask(
                        VolumeRegistry.DATABASE,
                        bed.database.user(),
                        bed.database.password(),
                        "SELECT count(*) FROM volume"));
        assertEquals(
                ids.size(), bed.client.persistentVolumes().list().getItems().size());
        assertEquals(
                ids.size(),
                bed.client
                        .secrets()
                        .inNamespace(Bed.RELEASE)
                        .withLabel(dev.larder.crds.v1alpha1.Group.VOLUME_ID)
                        .list()
                        .getItems()
                        .size());
    }
}
