package dev.larder.operator;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.larder.crds.Retention;
import dev.larder.crds.v1alpha1.Group;
import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import dev.larder.crds.v1alpha1.SharedVolumeSpec;
import dev.larder.protocol.MountSpec;
import dev.larder.protocol.VolumeAccess;
import dev.larder.schema.VolumeLogins;
import dev.larder.schema.VolumeLogins.Side;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The Secret of a volume: what nodes need to mount it. It is the truth for the password of the login that it names. */
final class AccessSecret {
    /** When the keys of the object store are to be renewed; absent for keys that live for ever. */
    static final String RENEW_KEYS = Group.NAME + "/renew-keys-at";

    /** The login that is to be disabled, and when: {@code A 2026-11-30T08:00:00Z}. */
    static final String RETIRING = Group.NAME + "/retiring-login";

    private static final String DEFAULT_PATIENCE = "2m";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private AccessSecret() {}

    /** Which login it names. */
    static Side side(Secret secret) {
        String json = SecretValues.get(secret, VolumeAccess.FILE);
        try {
            String user = json == null ? "" : JSON.readTree(json).path("user").asText();
            return user.endsWith("_" + Side.B.name().toLowerCase(Locale.ROOT)) ? Side.B : Side.A;
        } catch (JsonProcessingException e) {
            return Side.A;
        }
    }

    static Optional<String> password(Secret secret) {
        return Optional.ofNullable(SecretValues.get(secret, VolumeAccess.PASSWORD));
    }

    static String newPassword() {
        byte[] random = new byte[24];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    /** The keys that it holds, as a node reads them; null = none. */
    static String keys(Secret secret) {
        return SecretValues.get(secret, VolumeAccess.S3_CREDENTIALS);
    }

    static Optional<Instant> renewKeysAt(Secret secret) {
        String text = ClusterView.annotation(secret, RENEW_KEYS);
        return text.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(text));
    }

    static long generation(Secret secret) {
        String text = ClusterView.annotation(secret, Group.GENERATION);
        return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
    }

    /**
     * The text of every member.
     *
     * @param keys null = nodes find their own
     */
    static Map<String, String> members(Observed seen, long generation, Side side, String password, String keys) {
        Map<String, String> members = new TreeMap<>();
        members.put(VolumeAccess.FILE, json(access(seen, generation, side)));
        members.put(VolumeAccess.PASSWORD, password);
        if (keys != null) {
            members.put(VolumeAccess.S3_CREDENTIALS, keys);
        }
        if (seen.stores().database().caBundle() != null) {
            members.put(VolumeAccess.DATABASE_CA, seen.stores().database().caBundle());
        }
        ObjectStoreSpec.S3 s3 = seen.stores().objects().getSpec().s3();
        if (s3 != null && s3.caBundle() != null) {
            members.put(VolumeAccess.S3_CA, s3.caBundle());
        }
        return members;
    }

    /** Whether the Secret says what it should, with the login, password, keys and generation that it has. */
    static boolean isCurrent(Observed seen, Secret secret) {
        Map<String, String> wanted =
                members(seen, generation(secret), side(secret), password(secret).orElse(""), keys(secret));
        return SecretValues.encode(wanted).equals(secret.getData());
    }

    /** A Secret with these members; labels and annotations tell whose it is. */
    static Secret build(Observed seen, String namespace, long generation, Map<String, String> members) {
        Map<String, String> annotations = new HashMap<>(Made.annotations(seen.volume()));
        annotations.put(Group.GENERATION, Long.toString(generation));
        return new SecretBuilder()
                .withNewMetadata()
                .withName(Made.persistentVolumeName(seen.volume()))
                .withNamespace(namespace)
                .withLabels(Made.labels(seen.id()))
                .withAnnotations(annotations)
                .endMetadata()
                .withType("Opaque")
                .withData(SecretValues.encode(members))
                .build();
    }

    private static String json(VolumeAccess access) {
        try {
            return JSON.writeValueAsString(access);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of texts is JSON", e);
        }
    }

    private static VolumeAccess access(Observed seen, long generation, Side side) {
        SharedVolumeSpec spec = seen.volume().getSpec();
        String patience = spec.mountOptions() == null || spec.mountOptions().patience() == null
                ? DEFAULT_PATIENCE
                : spec.mountOptions().patience();
        return new VolumeAccess(
                VolumeAccess.VERSION,
                generation,
                Made.fullName(seen.volume()),
                seen.id(),
                seen.stores().database().nodeUrl(seen.id()),
                VolumeLogins.name(seen.id(), side),
                store(seen),
                spec.compression().text(),
                spec.consistency().text(),
                spec.durability().text(),
                Retention.parse(patience).duration().toSeconds(),
                0);
    }

    private static VolumeAccess.Store store(Observed seen) {
        ObjectStoreSpec objects = seen.stores().objects().getSpec();
        if (objects.postgres() != null) {
            return new VolumeAccess.Store(null, null, new MountSpec.Postgres());
        }
        if (objects.directory() != null) {
            Path path = Path.of(objects.directory().path(), seen.id().toString());
            return new VolumeAccess.Store(new MountSpec.Directory(path), null, null);
        }
        return new VolumeAccess.Store(null, s3(seen, objects.s3()), null);
    }

    private static VolumeAccess.S3 s3(Observed seen, ObjectStoreSpec.S3 s3) {
        ObjectStoreSpec.Proxy proxy = s3.proxy();
        return new VolumeAccess.S3(
                s3.endpoint(),
                s3.bucket(),
                Bucket.prefix(s3, seen.id()),
                s3.region(),
                s3.inPath(),
                proxy == null ? null : proxy.url(),
                proxy == null ? null : proxy.noProxy(),
                s3.storageClass(),
                s3.checksum().name().toLowerCase(Locale.ROOT));
    }
}
