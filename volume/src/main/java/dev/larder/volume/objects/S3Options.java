package dev.larder.volume.objects;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * Where an S3 store is and how it is spoken to; made by {@link #bucket}, immutable.
 *
 * @param bucket name
 * @param prefix put before every key, may be empty
 * @param endpoint null for AWS
 * @param region of the bucket; "us-east-1" suits most other servers
 * @param pathStyle bucket in the path instead of the host name
 * @param storageClass empty for the bucket's default
 * @param credentials asked before every request, so they may rotate; null for the SDK's default chain
 * @param proxy null for none; the process's own proxy settings are never used
 * @param caBundle PEM certificates that replace the JVM's trusted ones; null for those
 * @param checksum sent with every PUT and checked by the store
 */
public record S3Options(
        String bucket,
        String prefix,
        URI endpoint,
        String region,
        boolean pathStyle,
        String storageClass,
        Supplier<S3Credentials> credentials,
        HttpProxy proxy,
        Path caBundle,
        Checksum checksum,
        Limits limits) {
    /** What the store computes again over the bytes of a PUT. */
    public enum Checksum {
        CRC32C,
        SHA256
    }

    /**
     * @param attempt one request with its body
     * @param call all attempts together
     * @param attempts at most, the first included
     * @param connections at most at once
     */
    public record Limits(Duration connect, Duration attempt, Duration call, int attempts, int connections) {
        public static final Limits DEFAULT =
                new Limits(Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofSeconds(90), 4, 64);
    }

    public static Builder bucket(String bucket) {
        return new Builder(bucket);
    }

    @Override
    public String toString() {
        return "S3Options[bucket=" + bucket + ", prefix=" + prefix + ", endpoint=" + endpoint + ", region=" + region
                + ", proxy=" + proxy + "]";
    }

    /** Defaults: AWS, us-east-1, the SDK's credentials, no proxy, CRC32C. */
    public static final class Builder {
        private final String bucket;
        private String prefix = "";
        private URI endpoint;
        private String region = "us-east-1";
        private boolean pathStyle;
        private String storageClass = "";
        private Supplier<S3Credentials> credentials;
        private HttpProxy proxy;
        private Path caBundle;
        private Checksum checksum = Checksum.CRC32C;
        private Limits limits = Limits.DEFAULT;

        private Builder(String bucket) {
            this.bucket = bucket;
        }

        public Builder prefix(String value) {
            prefix = value;
            return this;
        }

        public Builder endpoint(URI value) {
            endpoint = value;
            return this;
        }

        public Builder region(String value) {
            region = value;
            return this;
        }

        public Builder pathStyle(boolean value) {
            pathStyle = value;
            return this;
        }

        public Builder storageClass(String value) {
            storageClass = value;
            return this;
        }

        public Builder credentials(Supplier<S3Credentials> value) {
            credentials = value;
            return this;
        }

        public Builder proxy(HttpProxy value) {
            proxy = value;
            return this;
        }

        public Builder caBundle(Path value) {
            caBundle = value;
            return this;
        }

        public Builder checksum(Checksum value) {
            checksum = value;
            return this;
        }

        public Builder limits(Limits value) {
            limits = value;
            return this;
        }

        public S3Options build() {
            return new S3Options(
                    bucket,
                    prefix,
                    endpoint,
                    region,
                    pathStyle,
                    storageClass,
                    credentials,
                    proxy,
                    caBundle,
                    checksum,
                    limits);
        }
    }
}
