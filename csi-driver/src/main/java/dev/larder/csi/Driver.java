package dev.larder.csi;

/** Names that can never change: they stand in PersistentVolumes, on nodes and in kubelet's records. */
public final class Driver {
    public static final String NAME = "csi.larder.dev";

    /** Of the CSI specification. */
    static final String CSI_VERSION = "1.12.0";

    /** What the table of mounts shows as the source of a volume's mounts, before the volume's uuid. */
    public static final String SOURCE_PREFIX = "larder:";

    /** Of this build; "dev" outside of a jar. */
    public static String version() {
        String version = Driver.class.getPackage().getImplementationVersion();
        return version == null ? "dev" : version;
    }

    private Driver() {}
}
