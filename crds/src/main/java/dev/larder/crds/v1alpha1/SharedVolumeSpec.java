package dev.larder.crds.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import dev.larder.crds.SharedVolume.Compression;
import dev.larder.crds.SharedVolume.Consistency;
import dev.larder.crds.SharedVolume.Durability;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;

/** What a volume is to be. Bucket, prefix and database are assigned, never named. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value =
                "has(self.metadataStore) == has(oldSelf.metadataStore) && (!has(self.metadataStore) || self.metadataStore == oldSelf.metadataStore)",
        message = "metadataStore cannot be changed: the volume's names are there; make another SharedVolume")
@ValidationRule(
        value =
                "has(self.objectStore) == has(oldSelf.objectStore) && (!has(self.objectStore) || self.objectStore == oldSelf.objectStore)",
        message = "objectStore cannot be changed: the volume's bytes are there; make another SharedVolume")
@ValidationRule(
        value = "self.claim == oldSelf.claim",
        message = "claim cannot be changed; make another SharedVolume with spec.adopt")
@ValidationRule(
        value = "self.accessModes == oldSelf.accessModes",
        message = "accessModes cannot be changed: Kubernetes refuses it for a claim")
@ValidationRule(
        value = "has(self.adopt) == has(oldSelf.adopt) && (!has(self.adopt) || self.adopt == oldSelf.adopt)",
        message = "adopt cannot be changed: the volume has its identity already")
public record SharedVolumeSpec(
        @JsonPropertyDescription(
                "Name of the MetadataStore; default: the one with the annotation larder.dev/is-default")
        @Pattern(Patterns.DNS_LABEL)
        @Size(max = 63)
        String metadataStore,

        @JsonPropertyDescription("Name of the ObjectStore; default: the one with the annotation larder.dev/is-default")
        @Pattern(Patterns.DNS_LABEL)
        @Size(max = 63)
        String objectStore,

        @JsonPropertyDescription("Quota of bytes, such as 100Gi, as df shows it; it may grow")
        @Required
        @ValidationRule(
                value =
                        "string(self).matches('^[0-9]{1,19}([.][0-9]{1,9})?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$') && quantity(string(self)).isGreaterThan(quantity('0')) && quantity(string(self)).isLessThan(quantity('8Ei'))",
                message = "capacity must be a quantity such as 100Gi, more than zero and less than 8Ei")
        @ValidationRule(
                value = "quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0",
                message = "capacity may only grow")
        Quantity capacity,

        @JsonPropertyDescription("Quota of files and directories, as df -i shows it; default: none") @Min(1)
        Long inodes,

        @JsonPropertyDescription("How long a removed file can be brought back, such as 12h or 7d; \"0\" keeps nothing")
        @Default("1d")
        @Pattern("^(0|[0-9]{1,6}[smhd])$")
        String trash,

        @JsonPropertyDescription(
                "What an open sees of other nodes: everything closed before, or a state that may be a fraction of a second old")
        @Default("closeToOpen")
        Consistency consistency,

        @JsonPropertyDescription("When data is durable: at fsync, or every close is an fsync too") @Default("onFsync")
        Durability durability,

        @JsonPropertyDescription("Of what is written from now on") @Default("none")
        Compression compression,

        @JsonPropertyDescription(
                "Managed: the operator makes a PersistentVolumeClaim of the same name. External: the SharedVolume was made for a claim that is there")
        @Default("Managed")
        Claim claim,

        @JsonPropertyDescription("Of the claim")
        @Default("[\"ReadWriteMany\"]")
        @Size(min = 1, max = 4)
        @ValidationRule(
                value = "!('ReadWriteOncePod' in self) || self.size() == 1",
                message = "accessModes: ReadWriteOncePod stands alone")
        List<AccessMode> accessModes,

        @JsonPropertyDescription(
                "What happens to the data when the SharedVolume is deleted: Retain keeps it until an administrator acts, Delete removes it after a time in which spec.adopt brings it back")
        @Default("Retain")
        DeletionPolicy deletionPolicy,

        @JsonPropertyDescription("How it is mounted") MountOptions mountOptions,

        @JsonPropertyDescription("The uuid of a volume that was deleted: its data is taken over")
        @Pattern(Patterns.UUID)
        @Size(max = 36)
        String adopt) {

    /** Who makes the claim. */
    public enum Claim {
        /** The operator makes PV and PVC; {@code spec.capacity} is the truth. */
        Managed,
        /** The PVC was there first and is the truth for the size. */
        External
    }

    public enum AccessMode {
        ReadWriteMany,
        ReadOnlyMany,
        ReadWriteOnce,
        ReadWriteOncePod
    }

    public enum DeletionPolicy {
        Retain,
        Delete
    }

    /** How a volume is mounted. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record MountOptions(
            @JsonPropertyDescription(
                    "How long operations wait for a database or store that does not answer before they fail; 5s to 1h")
            @Default("2m")
            @Pattern("^[0-9]{1,6}[smh]$")
            @Size(max = 7)
            @ValidationRule(
                    value =
                            "self.matches('^[0-9]{1,6}[smh]$') && duration(self) >= duration('5s') && duration(self) <= duration('1h')",
                    message = "patience must be a time from 5s to 1h")
            String patience) {}
}
