package dev.larder.volume.metadata;

/** Where an extent's bytes are. The codes are stored. */
public enum ExtentKind {
    /** In the extent's row. */
    INLINE(0),
    /** In a segment that Larder wrote. */
    SEGMENT(1),
    /** In an object that Larder did not write. */
    EXTERNAL(2),
    /** In an archive; not readable until recalled. */
    ARCHIVED(3),
    /** Preallocated by fallocate: reads as zeros. */
    UNWRITTEN(4);

    private final int code;

    ExtentKind(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    public static ExtentKind of(int code) {
        for (ExtentKind kind : values()) {
            if (kind.code == code) {
                return kind;
            }
        }
        throw new IllegalArgumentException("extent kind " + code + " is not known to this version");
    }
}
