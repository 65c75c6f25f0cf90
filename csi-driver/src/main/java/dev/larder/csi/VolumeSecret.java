package dev.larder.csi;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.larder.csi.NodeVolumeException.Reason;
import dev.larder.protocol.ControlProtocol;
import dev.larder.protocol.VolumeAccess;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A volume's Secret as kubelet hands it over, checked: {@link VolumeAccess} and the files beside it.
 *
 * @param files by name, of {@link VolumeAccess#FILES}; the password is always there
 */
public record VolumeSecret(VolumeAccess access, Map<String, String> files) {
    /** Of one file; Kubernetes allows 1 MiB for the whole Secret. */
    private static final int MAX_FILE_CHARACTERS = 1 << 20;

    private static final Set<String> CODECS = Set.of("none", "zstd");
    private static final Set<String> CONSISTENCIES = Set.of("closeToOpen", "bounded");
    private static final Set<String> DURABILITIES = Set.of("onFsync", "onClose");

    /** @throws NodeVolumeException BAD_SECRET, naming the member and never its content */
    public static VolumeSecret parse(UUID volume, Map<String, String> secret) {
        VolumeAccess access = access(volume, secret.get(VolumeAccess.FILE));
        check(volume, access);
        Map<String, String> files = new TreeMap<>();
        for (String name : VolumeAccess.FILES) {
            String text = secret.get(name);
            if (text != null) {
                require(volume, text.length() <= MAX_FILE_CHARACTERS, "its member '" + name + "' is too long");
                files.put(name, text);
            }
        }
        String password = files.getOrDefault(VolumeAccess.PASSWORD, "");
        require(volume, !password.isBlank(), "it has no member '" + VolumeAccess.PASSWORD + "'");
        return new VolumeSecret(access, Map.copyOf(files));
    }

    private static VolumeAccess access(UUID volume, String text) {
        require(volume, text != null, "it has no member '" + VolumeAccess.FILE + "'");
        try {
            return ControlProtocol.json().readValue(text, VolumeAccess.class);
        } catch (JsonProcessingException e) {
            throw bad(
                    volume, "its member '" + VolumeAccess.FILE + "' is no JSON of a volume: " + e.getOriginalMessage());
        }
    }

    private static void check(UUID volume, VolumeAccess access) {
        require(volume, access != null, "its member '" + VolumeAccess.FILE + "' is empty");
        require(
                volume,
                access.version() == VolumeAccess.VERSION,
                "it is of version " + access.version() + " and this node knows version " + VolumeAccess.VERSION);
        require(volume, volume.equals(access.volumeId()), "it is the Secret of volume " + access.volumeId());
        String url = access.jdbcUrl();
        require(
                volume,
                url != null && url.startsWith("jdbc:postgresql:"),
                "jdbcUrl is no URL of a PostgreSQL database");
        require(volume, access.user() != null && !access.user().isBlank(), "it names no database user");
        VolumeAccess.Store store = access.objectStore();
        require(volume, store != null && stores(store) == 1, "it must name exactly one object store");
        require(volume, CODECS.contains(access.codec()), "codec must be one of " + CODECS);
        require(volume, CONSISTENCIES.contains(access.consistency()), "consistency must be one of " + CONSISTENCIES);
        require(volume, DURABILITIES.contains(access.durability()), "durability must be one of " + DURABILITIES);
        require(volume, access.patienceSeconds() >= 0, "patienceSeconds is negative");
        require(volume, access.cacheBytes() >= 0, "cacheBytes is negative");
    }

    private static long stores(VolumeAccess.Store store) {
        return Stream.of(store.directory(), store.s3(), store.postgres())
                .filter(Objects::nonNull)
                .count();
    }

    private static void require(UUID volume, boolean holds, String otherwise) {
        if (!holds) {
            throw bad(volume, otherwise);
        }
    }

    private static NodeVolumeException bad(UUID volume, String what) {
        return new NodeVolumeException(
                Reason.BAD_SECRET, "the Secret of the volume " + volume + " cannot be used: " + what);
    }

    /** Without the files: they are secret. */
    @Override
    public String toString() {
        return "VolumeSecret[" + access.volume() + ", generation " + access.generation() + ", files " + files.keySet()
                + "]";
    }
}
