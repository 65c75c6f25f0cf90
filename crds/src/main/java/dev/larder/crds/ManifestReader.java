package dev.larder.crds;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * Reads a manifest: a file of YAML documents with one SharedVolume and the stores and Secrets that it names. All of a
 * file's problems are found at once. Used by one thread.
 */
final class ManifestReader {
    private static final List<String> KINDS =
            List.of(SharedVolume.KIND, MetadataStore.KIND, ObjectStore.KIND, SecretReader.KIND);

    private final Path file;
    private final SpecReader specs;
    private final List<Problem> problems = new ArrayList<>();
    private final List<Entry<SharedVolume>> volumes = new ArrayList<>();
    private final Map<String, Entry<MetadataStore>> metadataStores = new LinkedHashMap<>();
    private final Map<String, Entry<ObjectStore>> objectStores = new LinkedHashMap<>();
    private final Map<String, Entry<Map<String, String>>> secrets = new LinkedHashMap<>();

    private record Entry<T>(int line, T object) {}

    private ManifestReader(Path file) {
        this.file = file;
        this.specs = new SpecReader(file.toAbsolutePath().getParent());
    }

    static Manifest read(Path file) throws InvalidManifestException {
        List<Node> documents = Documents.read(file);
        ManifestReader reader = new ManifestReader(file);
        for (Node document : documents) {
            if (!Tag.NULL.equals(document.getTag())) {
                reader.document(document);
            }
        }
        return reader.manifest();
    }

    private void document(Node node) {
        Fields fields = Fields.of("", node, problems);
        if (fields == null) {
            return;
        }
        fields.require("apiVersion");
        fields.require("kind");
        String apiVersion = fields.text("apiVersion");
        String kind = fields.text("kind");
        if (kind == null) {
            return;
        }
        if (!KINDS.contains(kind)) {
            String meant = KINDS.stream()
                    .filter(known -> Spelling.near(known, kind))
                    .map(known -> ": did you mean " + known + "?")
                    .findFirst()
                    .orElse(": a manifest holds " + String.join(", ", KINDS));
            fields.problem("kind", "'" + kind + "' is not known" + meant);
            return;
        }
        String version = kind.equals(SecretReader.KIND) ? "v1" : Manifest.API_VERSION;
        if (apiVersion != null && !apiVersion.equals(version)) {
            fields.problem("apiVersion", "of a " + kind + " is " + version + ", not '" + apiVersion + "'");
        }
        object(kind, fields);
        fields.refuseUnknown();
    }

    private void object(String kind, Fields fields) {
        ObjectMeta metadata = metadata(fields);
        if (kind.equals(SecretReader.KIND)) {
            refuseReadableSecret(fields);
            keep(secrets, kind, metadata, fields, SecretReader.read(fields));
            return;
        }
        Fields spec = fields.emptyableObject("spec");
        if (spec == null) {
            fields.requirePresent("spec");
            return;
        }
        switch (kind) {
            case MetadataStore.KIND ->
                keep(metadataStores, kind, metadata, fields, new MetadataStore(metadata, specs.metadataStore(spec)));
            case ObjectStore.KIND ->
                keep(objectStores, kind, metadata, fields, new ObjectStore(metadata, specs.objectStore(spec)));
            default -> volumes.add(new Entry<>(fields.line(), new SharedVolume(metadata, specs.sharedVolume(spec))));
        }
        spec.refuseUnknown();
    }

    private ObjectMeta metadata(Fields fields) {
        fields.require("metadata");
        Fields metadata = fields.object("metadata");
        if (metadata == null) {
            return new ObjectMeta("");
        }
        metadata.require("name");
        String name = metadata.dnsLabel("name");
        metadata.ignore("namespace");
        metadata.ignore("labels");
        metadata.ignore("annotations");
        metadata.refuseUnknown();
        return new ObjectMeta(name == null ? "" : name);
    }

    private <T> void keep(Map<String, Entry<T>> kept, String kind, ObjectMeta metadata, Fields fields, T object) {
        Entry<T> first = kept.putIfAbsent(metadata.name(), new Entry<>(fields.line(), object));
        if (first != null && !metadata.name().isEmpty()) {
            add(fields.line(), "a second " + kind + " '" + metadata.name() + "'; the first is in line " + first.line());
        }
    }

    /** A file that others may read must not hold a secret. */
    private void refuseReadableSecret(Fields fields) {
        try {
            if (!SecretReader.isPrivate(file)) {
                add(
                        fields.line(),
                        "the file holds a Secret and others may read it: chmod 600 " + file
                                + ", and change the secret");
            }
        } catch (IOException e) {
            add(fields.line(), "the file's mode cannot be read: " + e.getMessage());
        }
    }

    private void add(int line, String reason) {
        problems.add(new Problem(line, reason));
    }

    private Manifest manifest() throws InvalidManifestException {
        Manifest manifest = null;
        if (volumes.isEmpty()) {
            if (problems.isEmpty()) {
                add(1, "no SharedVolume stands in this file");
            }
        } else if (volumes.size() > 1) {
            add(volumes.get(1).line(), "a second SharedVolume: a manifest holds one");
        } else {
            manifest = resolve(volumes.getFirst());
        }
        if (!problems.isEmpty()) {
            throw new InvalidManifestException(file, problems);
        }
        return manifest;
    }

    private Manifest resolve(Entry<SharedVolume> volume) {
        SharedVolume.Spec spec = volume.object().spec();
        Entry<MetadataStore> metadata = named(metadataStores, MetadataStore.KIND, spec.metadataStore(), volume.line());
        Entry<ObjectStore> objects = named(objectStores, ObjectStore.KIND, spec.objectStore(), volume.line());
        refuseUnused(metadataStores, MetadataStore.KIND, "metadataStore", spec.metadataStore());
        refuseUnused(objectStores, ObjectStore.KIND, "objectStore", spec.objectStore());
        MetadataStore metadataStore = metadata != null ? metadata.object() : SpecReader.embeddedMetadata();
        ObjectStore objectStore = objects != null ? objects.object() : SpecReader.directoryObjects();
        checkShared(objects == null ? volume.line() : objects.line(), metadataStore, objectStore);
        checkSecrets(metadata, objects);
        Map<String, Map<String, String>> known = new LinkedHashMap<>();
        secrets.forEach((name, entry) -> known.put(name, entry.object()));
        return new Manifest(file, volume.object(), metadataStore, objectStore, known);
    }

    private <T> Entry<T> named(Map<String, Entry<T>> stores, String kind, String name, int line) {
        if (name == null) {
            return null;
        }
        Entry<T> store = stores.get(name);
        if (store == null) {
            add(
                    line,
                    "the SharedVolume names " + kind + " '" + name + "', which is not in this file"
                            + near(stores, name));
        }
        return store;
    }

    private static String near(Map<String, ?> stores, String name) {
        return stores.keySet().stream()
                .filter(known -> Spelling.near(known, name))
                .map(known -> ": did you mean " + known + "?")
                .findFirst()
                .orElse("");
    }

    private void refuseUnused(Map<String, ? extends Entry<?>> stores, String kind, String field, String used) {
        stores.forEach((name, entry) -> {
            if (!name.equals(used) && !name.isEmpty()) {
                add(entry.line(), kind + " '" + name + "' is used by no SharedVolume: name it in spec." + field);
            }
        });
    }

    /** Metadata that other machines reach with bytes that only this one has would lose files silently. */
    private void checkShared(int line, MetadataStore metadata, ObjectStore objects) {
        boolean remote = metadata.spec() != null && metadata.spec().postgres() != null;
        ObjectStore.Directory directory =
                objects.spec() == null ? null : objects.spec().directory();
        if (remote && directory != null && !directory.shared()) {
            add(
                    line,
                    "a directory store under a PostgreSQL that other machines reach: when each of them sees the same"
                            + " directory, name it in an ObjectStore and say 'shared: true'");
        }
    }

    private void checkSecrets(Entry<MetadataStore> metadata, Entry<ObjectStore> objects) {
        List<String> used = new ArrayList<>();
        if (metadata != null
                && metadata.object().spec() != null
                && metadata.object().spec().postgres() != null) {
            SecretSource secret = metadata.object().spec().postgres().secret();
            check(metadata.line(), secret, SecretReader.DATABASE_KEYS, Set.of(), used);
        }
        if (objects != null
                && objects.object().spec() != null
                && objects.object().spec().s3() != null) {
            SecretSource secret = objects.object().spec().s3().credentials();
            check(objects.line(), secret, SecretReader.S3_KEYS, SecretReader.S3_OPTIONAL_KEYS, used);
        }
        secrets.forEach((name, entry) -> {
            if (!used.contains(name) && !name.isEmpty()) {
                add(entry.line(), "Secret '" + name + "' is used by no store");
            }
        });
    }

    private void check(int line, SecretSource source, Set<String> keys, Set<String> optional, List<String> used) {
        if (source == null || source.secretRef() == null) {
            return;
        }
        used.add(source.secretRef());
        Entry<Map<String, String>> secret = secrets.get(source.secretRef());
        if (secret == null) {
            add(line, "names the Secret '" + source.secretRef() + "', which is not in this file");
            return;
        }
        for (String reason : SecretReader.faults(secret.object(), keys, optional)) {
            add(secret.line(), "Secret '" + source.secretRef() + "' " + reason);
        }
    }
}
