package dev.larder.csi.controller;

import dev.larder.csi.Calls;
import dev.larder.csi.CsiException;
import dev.larder.csi.VolumeHandle;
import io.grpc.Status;
import java.time.Duration;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the Controller service does. Each call asks for a state of a SharedVolume and waits for it; one that is cut short is
 * continued by the next. The caller holds the lock of the name or of the volume.
 */
final class ClaimVolumes {
    private static final Logger LOG = LoggerFactory.getLogger(ClaimVolumes.class);

    private final SharedVolumes volumes;
    private final Duration patience;

    /** @param patience for the operator, if the caller has more */
    ClaimVolumes(SharedVolumes volumes, Duration patience) {
        this.volumes = volumes;
        this.patience = patience;
    }

    VolumeObject create(WantedVolume wanted, Capacity capacity) {
        ClaimNames names = wanted.names();
        VolumeObject found = volumes.find(names.namespace(), names.name());
        if (found == null) {
            found = volumes.create(wanted);
            LOG.info("asked for sharedVolume={} claim={} name={}", found.fullName(), names.claim(), names.csiName());
        }
        requireSame(found, wanted, capacity);
        VolumeObject ready = volumes.await(
                names.namespace(),
                names.name(),
                volume -> volume == null || volume.deleting() || volume.ready(),
                Calls.patience(patience));
        if (ready == null || ready.deleting()) {
            throw new CsiException(
                    Status.Code.ABORTED, "the SharedVolume " + found.fullName() + " was deleted meanwhile");
        }
        // Not a code that the provisioner takes for the end: it would forget a volume that is being made.
        return require(ready, VolumeObject::ready, "is not ready");
    }

    private static void requireSame(VolumeObject found, WantedVolume wanted, Capacity capacity) {
        boolean same = wanted.names().csiName().equals(found.csiName())
                && wanted.settings().equals(found.settings())
                && capacity.allows(found.capacityBytes());
        if (!same) {
            throw new CsiException(
                            Status.Code.ALREADY_EXISTS,
                            "the SharedVolume " + found.fullName() + " is there with another size or other parameters")
                    .next(found.describe());
        }
    }

    void delete(VolumeHandle handle) {
        VolumeObject volume = volumes.find(handle.volume());
        if (volume == null) {
            return;
        }
        if (!volume.isOfClaim()) {
            throw CsiException.precondition("the volume is that of the SharedVolume " + volume.fullName()
                            + ", which was not made for a claim")
                    .next("kubectl delete sharedvolume -n " + volume.namespace() + " " + volume.name());
        }
        volumes.delete(volume);
        LOG.info("asked for the end sharedVolume={} volume={}", volume.fullName(), handle);
        VolumeObject left = volumes.await(
                volume.namespace(),
                volume.name(),
                seen -> seen == null || !seen.uid().equals(volume.uid()),
                Calls.patience(patience));
        if (left != null && left.uid().equals(volume.uid())) {
            require(left, _ -> false, "is not ended yet");
        }
    }

    /** @return the capacity in force */
    long expand(VolumeHandle handle, Capacity capacity) {
        VolumeObject volume = existing(handle);
        capacity.requireWithinLimit(volume.capacityBytes(), volume.fullName());
        if (volume.capacityBytes() < capacity.requiredBytes()) {
            if (!volume.isOfClaim()) {
                throw CsiException.precondition(
                                "the size of this volume is that of its SharedVolume " + volume.fullName())
                        .next("kubectl edit sharedvolume -n " + volume.namespace() + " " + volume.name()
                                + " (spec.capacity)");
            }
            volumes.grow(volume, capacity.requiredBytes());
            LOG.info("asked for more sharedVolume={} bytes={}", volume.fullName(), capacity.requiredBytes());
        }
        Predicate<VolumeObject> grown = seen -> seen != null && seen.servedBytes() >= capacity.requiredBytes();
        VolumeObject seen = volumes.await(volume.namespace(), volume.name(), grown, Calls.patience(patience));
        if (seen == null) {
            throw CsiException.notFound("the SharedVolume " + volume.fullName() + " was deleted meanwhile");
        }
        return require(seen, grown, "has not grown yet").servedBytes();
    }

    /** @throws CsiException NOT_FOUND */
    VolumeObject existing(VolumeHandle handle) {
        VolumeObject volume = volumes.find(handle.volume());
        if (volume == null) {
            throw CsiException.notFound("there is no SharedVolume with the uuid " + handle.volume())
                    .next("kubectl get sharedvolumes -A");
        }
        return volume;
    }

    private static VolumeObject require(VolumeObject volume, Predicate<VolumeObject> state, String otherwise) {
        if (!state.test(volume)) {
            String problem = volume.problem() == null ? "the operator has not said why" : volume.problem();
            throw new CsiException(
                            Status.Code.DEADLINE_EXCEEDED,
                            "the SharedVolume " + volume.fullName() + " " + otherwise + ": " + problem)
                    .next(volume.describe());
        }
        return volume;
    }
}
