package dev.larder.cli;

import dev.larder.agent.ObjectStoreProbe;
import dev.larder.crds.Manifest;
import dev.larder.protocol.MountSpec;
import java.io.IOException;
import java.time.Duration;

/** A store that refuses is said by the command, with what to do, before an agent begins. */
final class StoreCheck {
    private static final Duration PROBE = Duration.ofSeconds(30);

    private StoreCheck() {}

    /** Writes, reads and deletes a small object. */
    static void require(Manifest manifest, MountSpec spec) {
        String what = "object store " + manifest.objectStore().metadata().name();
        try {
            ObjectStoreProbe.run(spec, PROBE);
        } catch (IOException e) {
            throw CommandFailure.failed(what, e, remedy(spec.objectStore()));
        }
    }

    private static String remedy(MountSpec.Store store) {
        if (store.directory() != null) {
            return "ls -ld " + store.directory().path();
        }
        if (store.s3() == null) {
            return null;
        }
        String endpoint = store.s3().endpoint() == null
                ? ""
                : " --endpoint-url " + store.s3().endpoint();
        return "aws s3 ls s3://" + store.s3().bucket() + "/" + endpoint
                + ", with the same credentials; then correct endpoint, bucket or credentials of the ObjectStore";
    }
}
