package dev.larder.volume.objects;

/**
 * An access key of an S3 store; short-lived ones have a session token too.
 *
 * @param secretKey never printed
 * @param sessionToken null for a long-lived key; never printed
 */
public record S3Credentials(String accessKey, String secretKey, String sessionToken) {
    @Override
    public String toString() {
        return "S3Credentials[accessKey=" + accessKey + "]";
    }
}
