package dev.larder.crds;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;

/** Reads the specs of the kinds, with their defaults. What is wrong is noted by {@link Fields}. */
final class SpecReader {
    private static final String DEFAULT_NAME = "local";
    private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
    private static final Pattern PREFIX = Pattern.compile("([A-Za-z0-9._-]+/)*([A-Za-z0-9._-]+/?)?");
    private static final Pattern REGION = Pattern.compile("[a-z0-9-]{1,40}");
    private static final Pattern STORAGE_CLASS = Pattern.compile("[A-Z][A-Z0-9_]{1,40}");

    private static final Retention DEFAULT_PATIENCE = Retention.parse("1m");
    private static final Duration LEAST_PATIENCE = Duration.ofSeconds(5);
    private static final Duration MOST_PATIENCE = Duration.ofHours(1);

    private final Path base;

    /** @param base what relative paths begin at */
    SpecReader(Path base) {
        this.base = base;
    }

    static MetadataStore embeddedMetadata() {
        return new MetadataStore(
                new ObjectMeta(DEFAULT_NAME), new MetadataStore.Spec(new MetadataStore.Embedded(null), null));
    }

    static ObjectStore directoryObjects() {
        return new ObjectStore(
                new ObjectMeta(DEFAULT_NAME), new ObjectStore.Spec(new ObjectStore.Directory(null, false), null, null));
    }

    SharedVolume.Spec sharedVolume(Fields spec) {
        Retention trash = spec.retention("trash");
        return new SharedVolume.Spec(
                spec.dnsLabel("metadataStore"),
                spec.dnsLabel("objectStore"),
                spec.quantity("capacity"),
                spec.positive("inodes"),
                trash == null ? Retention.parse("1d") : trash,
                spec.choice(
                        "consistency",
                        SharedVolume.Consistency.class,
                        SharedVolume.Consistency::text,
                        SharedVolume.Consistency.CLOSE_TO_OPEN),
                spec.choice(
                        "durability",
                        SharedVolume.Durability.class,
                        SharedVolume.Durability::text,
                        SharedVolume.Durability.ON_FSYNC),
                spec.choice(
                        "compression",
                        SharedVolume.Compression.class,
                        SharedVolume.Compression::text,
                        SharedVolume.Compression.NONE),
                cache(spec.object("cache")),
                mountOptions(spec.object("mountOptions")));
    }

    private SharedVolume.Cache cache(Fields fields) {
        if (fields == null) {
            return new SharedVolume.Cache(null, null);
        }
        SharedVolume.Cache cache = new SharedVolume.Cache(fields.path("directory", base), fields.quantity("capacity"));
        fields.refuseUnknown();
        return cache;
    }

    private static SharedVolume.MountOptions mountOptions(Fields fields) {
        if (fields == null) {
            return new SharedVolume.MountOptions(false, DEFAULT_PATIENCE);
        }
        Retention patience = fields.retention("patience");
        if (patience != null
                && (patience.duration().compareTo(LEAST_PATIENCE) < 0
                        || patience.duration().compareTo(MOST_PATIENCE) > 0)) {
            fields.problem("patience", "is " + patience + ": write a time from 5s to 1h");
        }
        SharedVolume.MountOptions options = new SharedVolume.MountOptions(
                fields.flag("readOnly", false), patience == null ? DEFAULT_PATIENCE : patience);
        fields.refuseUnknown();
        return options;
    }

    MetadataStore.Spec metadataStore(Fields spec) {
        spec.exactlyOne("embedded", "postgres");
        Fields embedded = spec.emptyableObject("embedded");
        MetadataStore.Embedded inProcess = null;
        if (embedded != null) {
            inProcess = new MetadataStore.Embedded(embedded.path("directory", base));
            embedded.refuseUnknown();
        }
        return new MetadataStore.Spec(inProcess, database(spec.emptyableObject("postgres")));
    }

    private MetadataStore.Postgres database(Fields fields) {
        if (fields == null) {
            return null;
        }
        fields.require("url");
        MetadataStore.Postgres postgres = new MetadataStore.Postgres(databaseUrl(fields), secret(fields));
        fields.refuseUnknown();
        return postgres;
    }

    private static String databaseUrl(Fields fields) {
        String text = fields.text("url");
        if (text == null) {
            return null;
        }
        try {
            PostgresUrl.parse(text);
            return text;
        } catch (IllegalArgumentException e) {
            fields.problem("url", e.getMessage());
            return null;
        }
    }

    private SecretSource secret(Fields fields) {
        fields.exactlyOne("secretRef", "secretFile");
        Fields reference = fields.object("secretRef");
        String name = null;
        if (reference != null) {
            reference.require("name");
            name = reference.dnsLabel("name");
            reference.refuseUnknown();
        }
        return new SecretSource(name, fields.path("secretFile", base));
    }

    ObjectStore.Spec objectStore(Fields spec) {
        spec.exactlyOne("directory", "s3", "postgres");
        Fields postgres = spec.emptyableObject("postgres");
        if (postgres != null) {
            postgres.refuseUnknown();
        }
        return new ObjectStore.Spec(
                directory(spec.emptyableObject("directory")),
                s3(spec.emptyableObject("s3")),
                postgres == null ? null : new ObjectStore.Postgres());
    }

    private ObjectStore.Directory directory(Fields fields) {
        if (fields == null) {
            return null;
        }
        ObjectStore.Directory directory =
                new ObjectStore.Directory(fields.path("path", base), fields.flag("shared", false));
        if (directory.shared() && directory.path() == null) {
            fields.problem("shared", "needs the path that every machine sees");
        }
        fields.refuseUnknown();
        return directory;
    }

    private ObjectStore.S3 s3(Fields fields) {
        if (fields == null) {
            return null;
        }
        fields.require("bucket");
        URI endpoint = fields.httpUrl("endpoint");
        String prefix = fields.matching("prefix", PREFIX, "a prefix such as larder/");
        String region = fields.matching("region", REGION, "a region such as eu-central-1");
        Fields credentials = fields.object("credentials");
        SecretSource secret = null;
        if (credentials != null) {
            secret = secret(credentials);
            credentials.refuseUnknown();
        }
        ObjectStore.S3 s3 = new ObjectStore.S3(
                endpoint,
                fields.matching("bucket", BUCKET, "a bucket's name"),
                prefix == null || prefix.isEmpty() || prefix.endsWith("/") ? orEmpty(prefix) : prefix + "/",
                region == null ? "us-east-1" : region,
                fields.flag("pathStyle", endpoint != null),
                secret,
                proxy(fields.object("proxy")),
                fields.matching("storageClass", STORAGE_CLASS, "a storage class such as STANDARD_IA"),
                fields.path("caBundle", base),
                fields.choice(
                        "checksum",
                        ObjectStore.Checksum.class,
                        ObjectStore.Checksum::text,
                        ObjectStore.Checksum.CRC32C));
        fields.refuseUnknown();
        return s3;
    }

    private static String orEmpty(String text) {
        return text == null ? "" : text;
    }

    private static ObjectStore.Proxy proxy(Fields fields) {
        if (fields == null) {
            return null;
        }
        fields.require("url");
        ObjectStore.Proxy proxy = new ObjectStore.Proxy(fields.httpUrl("url"), fields.texts("noProxy"));
        fields.refuseUnknown();
        return proxy;
    }
}
