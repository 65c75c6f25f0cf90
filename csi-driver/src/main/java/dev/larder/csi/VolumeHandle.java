package dev.larder.csi;

import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * CSI's volume_id: {@code <volume uuid>[/<access>]}. Neither a namespace nor a cluster is in it, so that several
 * PersistentVolumes may share one volume.
 *
 * @param access which of the volume's accesses, or null
 */
public record VolumeHandle(UUID volume, String access) {
    /** CSI, "Size Limits". */
    static final int MAX_BYTES = 128;

    private static final Pattern SHAPE = Pattern.compile(
            "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:/([a-z0-9](?:[a-z0-9-]*[a-z0-9])?))?");

    /** @throws CsiException INVALID_ARGUMENT for everything that is not exactly a handle */
    public static VolumeHandle parse(String text) {
        if (text.isEmpty()) {
            throw CsiException.invalid("volume_id is missing");
        }
        VolumeHandle handle = parseOrNull(text);
        if (handle == null) {
            throw CsiException.invalid("volume_id '" + shown(text) + "' is not <volume uuid>[/<access>]")
                    .next("kubectl get pv -o custom-columns=NAME:.metadata.name,HANDLE:.spec.csi.volumeHandle");
        }
        return handle;
    }

    /** Null for what can be no volume of this driver. */
    public static VolumeHandle parseOrNull(String text) {
        if (text.length() > MAX_BYTES) {
            return null;
        }
        Matcher matcher = SHAPE.matcher(text);
        return matcher.matches() ? new VolumeHandle(UUID.fromString(matcher.group(1)), matcher.group(2)) : null;
    }

    private static String shown(String text) {
        String cut = text.length() > MAX_BYTES ? text.substring(0, MAX_BYTES) + "..." : text;
        return cut.replaceAll("\\p{Cntrl}", "?");
    }

    @Override
    public String toString() {
        return access == null ? volume.toString() : volume + "/" + access;
    }
}
