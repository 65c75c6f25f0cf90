package dev.larder.operator;

import dev.larder.crds.v1alpha1.Group;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.crds.v1alpha1.SharedVolumeSpec;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;

/** What is made in the cluster for a volume: names, labels, PersistentVolume and claim. */
final class Made {
    /** The provisioner names them so. */
    private static final Pattern PROVISIONED =
            Pattern.compile("(pvc|larder)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private Made() {}

    static String fullName(SharedVolume volume) {
        return volume.getMetadata().getNamespace() + "/" + volume.getMetadata().getName();
    }

    static UUID id(SharedVolume volume) {
        return UUID.fromString(volume.getStatus().volumeId());
    }

    static boolean isManaged(SharedVolume volume) {
        return volume.getSpec().claim() != SharedVolumeSpec.Claim.External;
    }

    /**
     * The name of the PersistentVolume and of the Secret that it refers to. That of an external claim is made by the
     * provisioner, which is told the Secret's name before there is a volume.
     */
    static String persistentVolumeName(SharedVolume volume) {
        String provisioned = ClusterView.annotation(volume, Group.PERSISTENT_VOLUME);
        return !isManaged(volume) && PROVISIONED.matcher(provisioned).matches()
                ? provisioned
                : Group.persistentVolumeName(volume.getStatus().volumeId());
    }

    static Map<String, String> labels(UUID id) {
        return Map.of("app.kubernetes.io/name", "larder", Group.VOLUME_ID, id.toString());
    }

    static Map<String, String> annotations(SharedVolume volume) {
        return Map.of(Group.VOLUME, fullName(volume));
    }

    private static List<String> accessModes(SharedVolume volume) {
        return volume.getSpec().accessModes().stream().map(Enum::name).toList();
    }

    /** @param claimUid of the one claim that may be bound to it */
    static PersistentVolume persistentVolume(
            SharedVolume volume, String claimUid, String releaseNamespace, String storageClass) {
        String name = persistentVolumeName(volume);
        return new PersistentVolumeBuilder()
                .withNewMetadata()
                .withName(name)
                .withLabels(labels(id(volume)))
                .withAnnotations(annotations(volume))
                .endMetadata()
                .withNewSpec()
                .addToCapacity("storage", volume.getSpec().capacity())
                .withAccessModes(accessModes(volume))
                .withPersistentVolumeReclaimPolicy("Retain")
                .withStorageClassName(storageClass)
                .withVolumeMode("Filesystem")
                .withClaimRef(new ObjectReferenceBuilder()
                        .withApiVersion("v1")
                        .withKind("PersistentVolumeClaim")
                        .withNamespace(volume.getMetadata().getNamespace())
                        .withName(volume.getMetadata().getName())
                        .withUid(claimUid)
                        .build())
                .withNewCsi()
                .withDriver(Group.DRIVER)
                .withVolumeHandle(volume.getStatus().volumeId())
                .withVolumeAttributes(Map.of("larder.dev/volume", fullName(volume)))
                .withNewNodeStageSecretRef(name, releaseNamespace)
                .withNewNodePublishSecretRef(name, releaseNamespace)
                .endCsi()
                .endSpec()
                .build();
    }

    static PersistentVolumeClaim claim(SharedVolume volume, String storageClass) {
        return new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withName(volume.getMetadata().getName())
                .withNamespace(volume.getMetadata().getNamespace())
                .withLabels(labels(id(volume)))
                .withAnnotations(annotations(volume))
                .withOwnerReferences(new OwnerReferenceBuilder()
                        .withApiVersion(volume.getApiVersion())
                        .withKind(volume.getKind())
                        .withName(volume.getMetadata().getName())
                        .withUid(volume.getMetadata().getUid())
                        .withController(true)
                        .build())
                .endMetadata()
                .withNewSpec()
                .withAccessModes(accessModes(volume))
                .withStorageClassName(storageClass)
                .withVolumeMode("Filesystem")
                .withVolumeName(persistentVolumeName(volume))
                .withNewResources()
                .addToRequests("storage", volume.getSpec().capacity())
                .endResources()
                .endSpec()
                .build();
    }
}
