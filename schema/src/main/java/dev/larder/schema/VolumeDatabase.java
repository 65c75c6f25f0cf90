package dev.larder.schema;

/** The login of a volume's agents. */
public record VolumeDatabase(String url, String user, String password) {
    /** Without the password. */
    @Override
    public String toString() {
        return user + " at " + url;
    }
}
