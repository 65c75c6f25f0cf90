package dev.larder.csi.controller;

import dev.larder.csi.CsiException;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A StorageClass' parameters: a closed list, so that a wrong word is refused and not ignored.
 *
 * @param metadataStore name, null = the default one
 * @param objectStore name, null = the default one
 * @param deletionPolicy what becomes of the data when the claim's volume is deleted
 */
record VolumeSettings(
        String metadataStore, String objectStore, String consistency, String durability, String deletionPolicy) {
    private static final String METADATA_STORE = "metadataStore";
    private static final String OBJECT_STORE = "objectStore";
    private static final String CONSISTENCY = "consistency";
    private static final String DURABILITY = "durability";
    private static final String DELETION_POLICY = "deletionPolicy";

    /** Reserved: every volume writes back, and what that means for a crash is durability's to say. */
    private static final String WRITE_BACK = "writeBack";

    private static final Set<String> KNOWN =
            new TreeSet<>(Set.of(METADATA_STORE, OBJECT_STORE, CONSISTENCY, DURABILITY, DELETION_POLICY));

    private static final Set<String> CONSISTENCIES = Set.of("closeToOpen", "bounded");
    private static final Set<String> DURABILITIES = Set.of("onFsync", "onClose");
    private static final Set<String> DELETION_POLICIES = Set.of("Retain", "Delete");

    /** A PersistentVolume is deleted by its reclaimPolicy alone: who said Delete there means the data. */
    private static final String DEFAULT_DELETION_POLICY = "Delete";

    /** As of the SharedVolume's own: written down, so that what is there can be compared with what is asked for. */
    private static final String DEFAULT_CONSISTENCY = "closeToOpen";

    private static final String DEFAULT_DURABILITY = "onFsync";

    private static final String DNS_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

    private static final String NEXT = "kubectl get storageclasses -o yaml, then correct its parameters";

    /** @param parameters those of the provisioner included, which are not looked at */
    static VolumeSettings parse(Map<String, String> parameters) {
        for (String key : parameters.keySet()) {
            if (!KNOWN.contains(key) && !ClaimNames.isKnown(key)) {
                String what = key.equals(WRITE_BACK) ? "is reserved and cannot be set" : "is not known";
                throw refused(
                        "the parameter '" + key.replaceAll("\\p{Cntrl}", "?") + "' " + what + "; known are " + KNOWN);
            }
        }
        return new VolumeSettings(
                store(parameters, METADATA_STORE),
                store(parameters, OBJECT_STORE),
                word(parameters, CONSISTENCY, CONSISTENCIES, DEFAULT_CONSISTENCY),
                word(parameters, DURABILITY, DURABILITIES, DEFAULT_DURABILITY),
                word(parameters, DELETION_POLICY, DELETION_POLICIES, DEFAULT_DELETION_POLICY));
    }

    private static String store(Map<String, String> parameters, String key) {
        String name = parameters.get(key);
        if (name != null && !name.matches(DNS_LABEL)) {
            throw refused("the parameter '" + key + "' is no name of a store");
        }
        return name;
    }

    private static String word(Map<String, String> parameters, String key, Set<String> words, String otherwise) {
        String word = parameters.getOrDefault(key, otherwise);
        if (!words.contains(word)) {
            throw refused("the parameter '" + key + "' must be one of " + new TreeSet<>(words));
        }
        return word;
    }

    private static CsiException refused(String message) {
        return CsiException.invalid(message).next(NEXT);
    }
}
