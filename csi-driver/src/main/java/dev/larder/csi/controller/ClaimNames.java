package dev.larder.csi.controller;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/**
 * Where a claim's SharedVolume is and what it is called.
 *
 * @param namespace the claim's, or the release's when the provisioner does not tell (--extra-create-metadata)
 * @param name of the SharedVolume: a hash of CSI's name, because that may be longer than a DNS label
 * @param csiName CSI's name for the volume
 * @param claim for people: namespace/name, or null
 * @param persistentVolume the one that the provisioner makes; its Secret is called the same
 */
record ClaimNames(String namespace, String name, String csiName, String claim, String persistentVolume) {
    private static final String CLAIM_NAMESPACE = "csi.storage.k8s.io/pvc/namespace";
    private static final String CLAIM_NAME = "csi.storage.k8s.io/pvc/name";
    private static final String VOLUME_NAME = "csi.storage.k8s.io/pv/name";
    private static final Set<String> KNOWN = Set.of(CLAIM_NAMESPACE, CLAIM_NAME, VOLUME_NAME);

    private static final String NAME_PREFIX = "pvc-";
    private static final int HASH_DIGITS = 32;

    /** Of the provisioner, which makes them itself: a StorageClass cannot set them. */
    static boolean isKnown(String parameter) {
        return KNOWN.contains(parameter);
    }

    static ClaimNames of(String csiName, Map<String, String> parameters, String releaseNamespace) {
        String namespace = parameters.getOrDefault(CLAIM_NAMESPACE, releaseNamespace);
        String claim = parameters.get(CLAIM_NAME);
        return new ClaimNames(
                namespace,
                NAME_PREFIX + hash(csiName),
                csiName,
                claim == null ? null : namespace + "/" + claim,
                parameters.getOrDefault(VOLUME_NAME, csiName));
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, HASH_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
