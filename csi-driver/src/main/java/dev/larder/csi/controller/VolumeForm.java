package dev.larder.csi.controller;

import dev.larder.crds.SharedVolume.Consistency;
import dev.larder.crds.SharedVolume.Durability;
import dev.larder.crds.v1alpha1.Group;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeSpec;
import dev.larder.crds.v1alpha1.SharedVolumeSpec.AccessMode;
import dev.larder.crds.v1alpha1.SharedVolumeSpec.Claim;
import dev.larder.crds.v1alpha1.SharedVolumeSpec.DeletionPolicy;
import dev.larder.crds.v1alpha1.SharedVolumeStatus;
import dev.larder.crds.v1alpha1.SharedVolumeStatus.Phase;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A claim's volume written as a SharedVolume, and read back. */
final class VolumeForm {
    /** CSI's name for the volume, which may be longer than a DNS label. */
    static final String CSI_NAME = Group.NAME + "/csi-name";

    /** namespace/name of the claim, for people. */
    static final String CLAIM = Group.NAME + "/claim";

    private static final String[] UNITS = {"Ei", "Pi", "Ti", "Gi", "Mi", "Ki"};

    private VolumeForm() {}

    static SharedVolume write(WantedVolume wanted) {
        ClaimNames names = wanted.names();
        ObjectMetaBuilder metadata = new ObjectMetaBuilder()
                .withNamespace(names.namespace())
                .withName(names.name())
                .addToLabels("app.kubernetes.io/managed-by", Group.DRIVER)
                .addToAnnotations(CSI_NAME, names.csiName())
                .addToAnnotations(Group.PERSISTENT_VOLUME, names.persistentVolume());
        if (names.claim() != null) {
            metadata.addToAnnotations(CLAIM, names.claim());
        }
        SharedVolume volume = new SharedVolume();
        volume.setMetadata(metadata.build());
        volume.setSpec(spec(wanted));
        return volume;
    }

    private static SharedVolumeSpec spec(WantedVolume wanted) {
        VolumeSettings settings = wanted.settings();
        return new SharedVolumeSpec(
                settings.metadataStore(),
                settings.objectStore(),
                Quantity.parse(quantity(wanted.capacityBytes())),
                null,
                null,
                consistency(settings.consistency()),
                durability(settings.durability()),
                null,
                Claim.External,
                wanted.accessModes().stream().map(AccessMode::valueOf).toList(),
                DeletionPolicy.valueOf(settings.deletionPolicy()),
                null,
                null);
    }

    private static Consistency consistency(String text) {
        return Arrays.stream(Consistency.values())
                .filter(word -> word.text().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(text));
    }

    private static Durability durability(String text) {
        return Arrays.stream(Durability.values())
                .filter(word -> word.text().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(text));
    }

    static VolumeObject read(SharedVolume volume) {
        ObjectMeta metadata = volume.getMetadata();
        SharedVolumeSpec spec = volume.getSpec();
        SharedVolumeStatus status = volume.getStatus() == null ? SharedVolumeStatus.none() : volume.getStatus();
        UUID id = status.volumeId() == null ? null : UUID.fromString(status.volumeId());
        boolean made = status.phase() == Phase.Ready || status.phase() == Phase.Degraded;
        return new VolumeObject(
                metadata.getNamespace(),
                metadata.getName(),
                metadata.getUid(),
                csiName(metadata, spec),
                settings(spec),
                bytes(spec.capacity()),
                id,
                status.capacity() == null ? 0 : bytes(Quantity.parse(status.capacity())),
                id != null && made,
                metadata.getDeletionTimestamp() != null,
                problem(status.conditions()));
    }

    private static String csiName(ObjectMeta metadata, SharedVolumeSpec spec) {
        Map<String, String> annotations = metadata.getAnnotations();
        return spec.claim() == Claim.External && annotations != null ? annotations.get(CSI_NAME) : null;
    }

    private static VolumeSettings settings(SharedVolumeSpec spec) {
        return new VolumeSettings(
                spec.metadataStore(),
                spec.objectStore(),
                spec.consistency() == null ? null : spec.consistency().text(),
                spec.durability() == null ? null : spec.durability().text(),
                spec.deletionPolicy() == null ? null : spec.deletionPolicy().name());
    }

    /** The first condition that does not hold, in the order in which the operator makes them true. */
    private static String problem(List<Condition> conditions) {
        return conditions.stream()
                .filter(condition -> "False".equals(condition.getStatus()))
                .findFirst()
                .map(condition -> condition.getReason() + ": " + condition.getMessage())
                .orElse(null);
    }

    private static long bytes(Quantity quantity) {
        return quantity == null
                ? 0
                : Quantity.getAmountInBytes(quantity).toBigInteger().longValueExact();
    }

    /** Exact, with the largest unit of which it is a multiple. */
    static String quantity(long bytes) {
        for (int i = 0; i < UNITS.length; i++) {
            long unit = 1L << (10 * (UNITS.length - i));
            if (bytes > 0 && bytes % unit == 0) {
                return bytes / unit + UNITS[i];
            }
        }
        return Long.toString(bytes);
    }
}
