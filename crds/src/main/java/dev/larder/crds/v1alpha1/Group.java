package dev.larder.crds.v1alpha1;

/** Names that can never change. */
public final class Group {
    public static final String NAME = "larder.dev";
    public static final String VERSION = "v1alpha1";

    /** On a MetadataStore or an ObjectStore: {@code "true"} = it is taken where a SharedVolume names none. */
    public static final String IS_DEFAULT = NAME + "/is-default";

    /** Label on everything made for a volume: its uuid. */
    public static final String VOLUME_ID = NAME + "/volume-id";

    /** Annotation on everything made for a volume: namespace/name of its SharedVolume. */
    public static final String VOLUME = NAME + "/volume";

    /**
     * Annotation on a SharedVolume with {@code claim: External}: the name of the PersistentVolume that the provisioner
     * makes, which is the name of the volume's Secret, too.
     */
    public static final String PERSISTENT_VOLUME = NAME + "/persistent-volume";

    /** Annotation on a volume's Secret: the number of its content. */
    public static final String GENERATION = NAME + "/generation";

    /** The CSI driver. */
    public static final String DRIVER = "csi.larder.dev";

    private Group() {}

    /** The name of a volume's PersistentVolume and Secret. */
    public static String persistentVolumeName(String volumeId) {
        return "larder-" + volumeId;
    }
}
