package dev.larder.crds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/manifest.md says what the types say. {@code -Dlarder.docs=write} writes the page anew. */
class ManifestPageTest {
    private static final Path PAGE = Path.of("../docs/manifest.md");

    private static final String HEAD = """
            # The manifest

            <!-- Made from the types in crds by ManifestPageTest; do not edit. -->

            A YAML file with one `SharedVolume`, the `MetadataStore` and `ObjectStore` it names, and the `Secret`s they name, as documents separated by `---`. Every document begins with

            ```yaml
            apiVersion: larder.dev/v1alpha1    # a Secret: v1
            kind: SharedVolume
            metadata:
              name: my-volume
            spec: {}
            ```

            `metadata.name` is a DNS label: at most 63 of a-z, 0-9 and -. A field that is not in these tables, a value that does not fit and fields that contradict each other are refused with their line. YAML aliases are refused. Relative paths begin at the manifest's directory. A manifest that holds a `Secret` must have mode 0600. The `examples` folder has a manifest for each kind of store.

            Quantities are written as in Kubernetes (`100Gi`, `1.5T`, `1048576`), times as `30m`, `12h` or `7d`. Where no default stands, the field must be given.
            """;

    @TempDir
    private Path directory;

    @Test
    void thePageIsWhatTheTypesSay() throws IOException {
        StringBuilder page = new StringBuilder(HEAD);
        table(page, SharedVolume.KIND, "A shared POSIX volume.", SharedVolume.Spec.class);
        table(page, MetadataStore.KIND, "Exactly one of `embedded` and `postgres`.", MetadataStore.Spec.class);
        table(page, ObjectStore.KIND, "Exactly one of `directory`, `s3` and `postgres`.", ObjectStore.Spec.class);
        page.append("""

                ## Secret

                | field | type | default | |
                |---|---|---|---|
                | `type` | `Opaque` | `Opaque` | |
                | `stringData` | map of text | | The keys that the field which names the secret asks for. |
                """);
        if ("write".equals(System.getProperty("larder.docs"))) {
            Files.writeString(PAGE, page);
        }
        assertEquals(page.toString(), Files.readString(PAGE), "stale: run this test with -Dlarder.docs=write");
    }

    private static void table(StringBuilder page, String kind, String what, Class<?> spec) {
        page.append("\n## ").append(kind).append("\n\n").append(what).append("\n\n");
        page.append("| field of `spec` | type | default | |\n|---|---|---|---|\n");
        rows(page, "", spec);
    }

    private static void rows(StringBuilder page, String prefix, Class<?> type) {
        for (RecordComponent field : type.getRecordComponents()) {
            Described described = field.getAnnotation(Described.class);
            assertNotNull(described, type.getSimpleName() + "." + field.getName() + " is not described");
            if (described.inline()) {
                rows(page, prefix, field.getType());
                continue;
            }
            String path = prefix + field.getName();
            page.append("| `%s` | %s | %s | %s |\n"
                    .formatted(path, typeOf(field), standard(field, described), described.value()));
            if (nested(field.getType())) {
                rows(page, path + ".", field.getType());
            }
        }
    }

    private static boolean nested(Class<?> type) {
        return type.isRecord() && type != Quantity.class && type != Retention.class;
    }

    private static String standard(RecordComponent field, Described described) {
        boolean literal = field.getType().isEnum()
                || field.getType() == Retention.class
                || described.byDefault().equals("false")
                || described.byDefault().matches("[a-z]+-[a-z]+-[0-9]");
        return literal && !described.byDefault().isEmpty() ? "`" + described.byDefault() + "`" : described.byDefault();
    }

    private static String typeOf(RecordComponent field) {
        Class<?> type = field.getType();
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .map(ManifestPageTest::written)
                    .collect(Collectors.joining("`, `", "`", "`"));
        }
        if (field.getName().equals("secretRef")) {
            return "object";
        }
        if (type == Quantity.class) {
            return "quantity";
        }
        if (type == Retention.class) {
            return "time";
        }
        if (type == List.class) {
            return "list of text";
        }
        if (type == Path.class) {
            return "path";
        }
        if (type == URI.class) {
            return "URL";
        }
        if (type == Long.class) {
            return "number";
        }
        if (type == boolean.class) {
            return "`true`, `false`";
        }
        return type.isRecord() ? "object" : type.getSimpleName().equals("String") ? "text" : fail(type);
    }

    private static String fail(Class<?> type) {
        throw new AssertionError("how is " + type + " written in a manifest?");
    }

    private static String written(Object constant) {
        return switch (constant) {
            case SharedVolume.Consistency consistency -> consistency.text();
            case SharedVolume.Durability durability -> durability.text();
            case SharedVolume.Compression compression -> compression.text();
            default -> constant.toString().toLowerCase(Locale.ROOT);
        };
    }

    /** A default that stands in the page literally is the one that a manifest without the field gets. */
    @Test
    void theDefaultsAreTrue() throws Exception {
        Path file = Files.writeString(directory.resolve("m.yaml"), """
                apiVersion: larder.dev/v1alpha1
                kind: SharedVolume
                metadata: {name: v}
                spec: {objectStore: o}
                ---
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: o}
                spec: {s3: {bucket: some-bucket}}
                """);
        Manifest manifest = Manifest.read(file);
        SharedVolume.Spec spec = manifest.volume().spec();
        assertEquals(
                standard(SharedVolume.Spec.class, "consistency"),
                spec.consistency().text());
        assertEquals(
                standard(SharedVolume.Spec.class, "durability"),
                spec.durability().text());
        assertEquals(
                standard(SharedVolume.Spec.class, "compression"),
                spec.compression().text());
        assertEquals(standard(SharedVolume.Spec.class, "trash"), spec.trash().text());
        assertEquals(
                standard(ObjectStore.S3.class, "region"),
                manifest.objectStore().spec().s3().region());
        assertEquals(
                standard(SharedVolume.MountOptions.class, "readOnly"),
                Boolean.toString(spec.mountOptions().readOnly()));
        assertEquals(
                standard(SharedVolume.MountOptions.class, "patience"),
                spec.mountOptions().patience().text());
    }

    private static String standard(Class<?> type, String name) {
        return Arrays.stream(type.getRecordComponents())
                .filter(field -> field.getName().equals(name))
                .findFirst()
                .orElseThrow()
                .getAnnotation(Described.class)
                .byDefault();
    }
}
