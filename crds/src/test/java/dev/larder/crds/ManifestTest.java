package dev.larder.crds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ManifestTest {
    private static final String VOLUME = """
            apiVersion: larder.dev/v1alpha1
            kind: SharedVolume
            metadata:
              name: v
            """;
    private static final String SECRET = """
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: login}
            stringData: {username: larder, password: hush}
            """;

    @TempDir
    private Path directory;

    static Stream<Path> examples() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("../examples"))) {
            return files.filter(file -> file.toString().endsWith(".yaml")).toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void everyExampleParses(Path example) throws Exception {
        Manifest manifest = read(Files.readString(example));
        assertNotNull(manifest.volume().metadata().name());
    }

    @Test
    void aLoneVolumeGetsEverythingByDefault() throws Exception {
        Manifest manifest = read(VOLUME + "spec: {}\n");
        SharedVolume.Spec spec = manifest.volume().spec();
        assertNotNull(manifest.metadataStore().spec().embedded());
        assertNotNull(manifest.objectStore().spec().directory());
        assertNull(spec.capacity());
        assertEquals(Duration.ofDays(1), spec.trash().duration());
        assertEquals(SharedVolume.Consistency.CLOSE_TO_OPEN, spec.consistency());
        assertEquals(SharedVolume.Durability.ON_FSYNC, spec.durability());
        assertFalse(spec.mountOptions().readOnly());
        assertNotNull(read(VOLUME + "spec:\n").volume(), "a spec without a value is empty");
    }

    @Test
    void everyFieldIsRead() throws Exception {
        Manifest manifest = read(VOLUME + """
                  labels: {team: vision}
                spec:
                  metadataStore: pg
                  objectStore: bucket
                  capacity: 1.5Gi
                  inodes: 1000
                  trash: "0"
                  consistency: bounded
                  durability: onClose
                  compression: zstd
                  cache: {directory: hot, capacity: 500M}
                  mountOptions: {readOnly: true}
                ---
                apiVersion: larder.dev/v1alpha1
                kind: MetadataStore
                metadata: {name: pg}
                spec:
                  postgres: {url: 'postgresql://db:5433', secretRef: {name: login}}
                ---
                apiVersion: larder.dev/v1alpha1
                kind: ObjectStore
                metadata: {name: bucket}
                spec:
                  s3:
                    endpoint: https://s3.example.com
                    bucket: my-bucket
                    prefix: a/b
                    region: eu-central-1
                    pathStyle: false
                    credentials: {secretFile: keys}
                    proxy: {url: 'http://proxy:3128', noProxy: [localhost]}
                    storageClass: STANDARD_IA
                    caBundle: ca.pem
                    checksum: sha256
                """ + SECRET);
        SharedVolume.Spec spec = manifest.volume().spec();
        assertEquals((3L << 30) / 2, spec.capacity().bytes());
        assertEquals(1000, spec.inodes());
        assertEquals(Duration.ZERO, spec.trash().duration());
        assertEquals(SharedVolume.Consistency.BOUNDED, spec.consistency());
        assertEquals(SharedVolume.Durability.ON_CLOSE, spec.durability());
        assertEquals(SharedVolume.Compression.ZSTD, spec.compression());
        assertEquals(directory.resolve("hot"), spec.cache().directory(), "relative to the manifest");
        assertEquals(500_000_000, spec.cache().capacity().bytes());
        assertTrue(spec.mountOptions().readOnly());
        assertEquals(
                "login", manifest.metadataStore().spec().postgres().secret().secretRef());
        assertEquals("hush", manifest.secrets().get("login").get("password"));
        ObjectStore.S3 s3 = manifest.objectStore().spec().s3();
        assertEquals("a/b/", s3.prefix());
        assertEquals(List.of("localhost"), s3.proxy().noProxy());
        assertEquals(directory.resolve("keys"), s3.credentials().secretFile());
        assertEquals(directory.resolve("ca.pem"), s3.caBundle());
        assertEquals(ObjectStore.Checksum.SHA256, s3.checksum());
        assertFalse(s3.pathStyle());
        assertFalse(manifest.toString().contains("hush"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            spec: {capacty: 1Gi}                     | 5 | unknown field spec.capacty: did you mean capacity?
            spec: {zebra: 1}                         | 5 | unknown field spec.zebra (known: cache,
            spec: {capacity: 10Gb}                   | 5 | spec.capacity '10Gb' is not a quantity such as 100Gi
            spec: {capacity: 0}                      | 5 | spec.capacity '0' is not more than zero
            spec: {capacity: 9Ei}                    | 5 | spec.capacity '9Ei' is more than
            spec: {capacity: -1}                     | 5 | spec.capacity '-1' is not a quantity
            spec: {capacity: [1Gi]}                  | 5 | spec.capacity is a list, not text
            spec: {inodes: many}                     | 5 | spec.inodes is text, not a whole number
            spec: {inodes: 0}                        | 5 | spec.inodes '0' is not a whole number above zero
            spec: {trash: 1w}                        | 5 | spec.trash '1w' is not a time such as 12h
            spec: {consistency: strong}              | 5 | spec.consistency 'strong' is none of closeToOpen, bounded
            spec: {compression: true}                | 5 | spec.compression is a boolean, not text: put it in quotes
            spec: {mountOptions: {readOnly: "no"}}   | 5 | spec.mountOptions.readOnly is text, not true or false
            spec: {mountOptions: {readOnly: no}}     | 5 | spec.mountOptions.readOnly is 'no': write true or false
            spec: {cache: 10Gi}                      | 5 | spec.cache is not a mapping of fields
            spec: {cache: {capacity: 1Gi, capacity: 2Gi}} | 5 | spec.cache.capacity is given twice
            spec: {trash: 1d, trash: 2d}             | 5 | spec.trash is given twice, first in line 5
            spec: {metadataStore: pg}                | 1 | names MetadataStore 'pg', which is not in this file
            spec: {objectStore: Not_a_name}          | 5 | is not a DNS label
            spec: {cache: !!java.net.URL [x]}        | 5 | Global tag is not allowed
            spec: &a {cache: *a}                     | 5 | YAML aliases (*a) are not taken
            spec: {                                  | 6 | not YAML
            spec: {deletionPolicy: Retain}           | 5 | unknown field spec.deletionPolicy
            """)
    void aWrongVolumeIsRefusedWithItsLine(String spec, int line, String reason) {
        refused(VOLUME + spec + "\n", line, reason);
    }

    @Test
    void whatIsNotASharedVolumeIsRefused() {
        refused(
                VOLUME.replace("v1alpha1", "v1") + "spec: {}\n",
                1,
                "apiVersion of a SharedVolume is larder.dev/v1alpha1");
        refused(VOLUME.replace("SharedVolume", "SharedVolum") + "spec: {}\n", 2, "did you mean SharedVolume?");
        refused(VOLUME.replace("SharedVolume", "Pod") + "spec: {}\n", 2, "'Pod' is not known: a manifest holds");
        refused(VOLUME.replace("name: v", "name: My.Volume") + "spec: {}\n", 4, "metadata.name 'My.Volume'");
        refused(VOLUME, 1, "spec is missing");
        refused(VOLUME + "spec: {}\n---\n" + VOLUME + "spec: {}\n", 7, "a second SharedVolume");
        refused("- a\n- b\n", 1, "the document is not a mapping");
        refused("just text", 1, "the document is not a mapping");
        refused("---\n---\n", 1, "no SharedVolume stands in this file");
        refused("kind: SharedVolume\nspec: {}\n", 1, "apiVersion is missing");
    }

    @Test
    void storesThatContradictThemselvesAreRefused() {
        objectStore("directory: {}\n  postgres: {}", 12, "contradicts spec.directory");
        objectStore("{}", 10, "spec needs one of directory, s3, postgres");
        objectStore("directory: {shared: true}", 11, "needs the path that every machine sees");
        objectStore("s3: {}", 11, "spec.s3.bucket is missing");
        objectStore("s3: {bucket: UPPER}", 11, "'UPPER' is not a bucket's name");
        objectStore("s3: {bucket: abc, endpoint: 'ftp://x'}", 11, "'ftp://x' is not a URL");
        objectStore("s3: {bucket: abc, endpoint: 'http://me:pw@x'}", 11, "a secret does not stand in a URL");
        objectStore("s3: {bucket: abc, prefix: ../x/y z}", 11, "is not a prefix");
        objectStore("s3: {bucket: abc, credentials: {}}", 11, "needs one of secretRef, secretFile");
        objectStore("s3: {bucket: abc, credentials: {secretRef: {name: nope}}}", 7, "Secret 'nope', which is not in");
        metadataStore("postgres: {url: 'postgresql://u:p@h', secretFile: f}", 11, "put both into the secret");
        metadataStore("postgres: {url: 'postgresql://h?password=x', secretFile: f}", 11, "put both into the secret");
        metadataStore("postgres: {url: 'postgresql://h?ssl=true', secretFile: f}", 11, "has parameters");
        metadataStore("postgres: {url: 'postgresql://h?sslmode=prefer', secretFile: f}", 11, "an sslmode other than");
        metadataStore("postgres: {url: 'postgresql://h?sslmode=verify-full', secretFile: f}", 11, "needs sslrootcert");
        metadataStore("postgres: {url: 'postgresql://h?sslrootcert=/c', secretFile: f}", 11, "and only then");
        metadataStore("postgres: {url: 'postgresql://h?sslcert=c', secretFile: f}", 11, "needs an absolute path");
        metadataStore("postgres: {url: 'postgresql://h?sslcert=/c', secretFile: f}", 11, "both of sslcert and sslkey");
        metadataStore("postgres: {url: 'mysql://h/db', secretFile: f}", 11, "is not of the form postgresql://");
        metadataStore("postgres: {url: 'postgresql://h:1,h:1', secretFile: f}", 11, "names h:1 twice");
        metadataStore("postgres: {url: 'postgresql://h,', secretFile: f}", 11, "is not of the form postgresql://");
        metadataStore("postgres: {url: 'postgresql://h:99999', secretFile: f}", 11, "is not of the form postgresql://");
        metadataStore("postgres: {url: 'postgresql://h/db', secretFile: f}", 11, "is not of the form postgresql://");
        metadataStore(
                "postgres: {url: 'postgresql://h?targetServerType=any', secretFile: f}", 11, "every mount writes");
        metadataStore("postgres: {url: 'postgresql://h'}", 11, "needs one of secretRef, secretFile");
        metadataStore("postgres: {url: 'postgresql://h', secretFile: f}", 1, "say 'shared: true'");
        metadataStore("embedded: {port: 1}", 11, "unknown field spec.embedded.port");
    }

    @Test
    void aStoreOrSecretThatNobodyNamesIsRefused() {
        refused(
                VOLUME + "spec: {}\n" + store("ObjectStore", "spare", "directory: {}"),
                7,
                "is used by no SharedVolume");
        refused(VOLUME + "spec: {}\n" + SECRET, 7, "Secret 'login' is used by no store");
        refused(
                VOLUME + "spec: {objectStore: spar}\n" + store("ObjectStore", "spare", "directory: {}"),
                1,
                "did you mean");
    }

    @Test
    void aSecretThatOthersMayReadIsRefused() throws Exception {
        String text = VOLUME + "spec: {metadataStore: pg, objectStore: db}\n"
                + store("MetadataStore", "pg", "postgres: {url: 'postgresql://h', secretRef: {name: login}}")
                + store("ObjectStore", "db", "postgres: {}")
                + SECRET;
        assertEquals("larder", read(text).secrets().get("login").get("username"));
        Path file = write(text, "rw-r-----");
        InvalidManifestException refused = assertThrows(InvalidManifestException.class, () -> Manifest.read(file));
        assertTrue(refused.getMessage().contains("chmod 600"), refused.getMessage());
        assertFalse(refused.getMessage().contains("hush"), refused.getMessage());
        refused(text.replace("password: hush", "pasword: hush"), 19, "Secret 'login' lacks the key password");
    }

    @Test
    void aSecretFileIsReadOnlyWhenItIsPrivate() throws Exception {
        Path file = directory.resolve("secret");
        SecretSource source = new SecretSource(null, file);
        assertMessage("does not exist", source);
        Files.writeString(file, "# of the store\naccessKeyId = AK\n\nsecretAccessKey=hush=\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertMessage("chmod 600", source);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        assertEquals(
                "hush=",
                SecretReader.resolve(source, java.util.Map.of(), SecretReader.S3_KEYS, SecretReader.S3_OPTIONAL_KEYS)
                        .get("secretAccessKey"));
        Files.writeString(file, "accessKeyId=AK\n");
        assertMessage("lacks the key secretAccessKey", source);
        Files.writeString(file, "hush\n");
        assertMessage("is not key=value", source);
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertMessage("is not text", source);
    }

    private static void assertMessage(String part, SecretSource source) {
        IOException refused = assertThrows(
                IOException.class,
                () -> SecretReader.resolve(
                        source, java.util.Map.of(), SecretReader.S3_KEYS, SecretReader.S3_OPTIONAL_KEYS));
        assertTrue(refused.getMessage().contains(part), refused.getMessage());
        assertFalse(refused.getMessage().contains("hush"), refused.getMessage());
    }

    @Test
    void allProblemsAreSaidAtOnce() {
        InvalidManifestException refused = assertThrows(
                InvalidManifestException.class,
                () -> read(VOLUME + "spec:\n  capacity: big\n  inodes: -1\n  durabilty: onClose\n"));
        assertEquals(
                List.of(6, 7, 8),
                refused.problems().stream().map(Problem::line).sorted().toList());
        assertEquals(3, refused.getMessage().lines().count());
    }

    @Test
    void garbageGetsOneClearLine() throws Exception {
        refusedOnce(new byte[0], "is empty");
        refusedOnce(" \n\n".getBytes(java.nio.charset.StandardCharsets.UTF_8), "is empty");
        refusedOnce(new byte[] {0x7f, 'E', 'L', 'F', 0, 1}, "control character 0x7f");
        byte[] noise = new byte[100_000];
        new Random(7).nextBytes(noise);
        refusedOnce(noise, "is not text");
        refusedOnce(new byte[Documents.MAX_BYTES + 1], "a manifest has at most");
        refusedOnce("[".repeat(5_000).getBytes(java.nio.charset.StandardCharsets.UTF_8), "not YAML");
        refusedOnce("a: b: c: d".getBytes(java.nio.charset.StandardCharsets.UTF_8), "not YAML");
        StringBuilder laughs = new StringBuilder("a0: &a0 [x,x]\n");
        for (int i = 1; i < 40; i++) {
            laughs.append("a%d: &a%d [*a%d,*a%d]\n".formatted(i, i, i - 1, i - 1));
        }
        refusedOnce(laughs.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8), "aliases (*a0) are not taken");
        assertTrue(assertThrows(InvalidManifestException.class, () -> Manifest.read(directory))
                .getMessage()
                .contains("is a directory"));
        assertTrue(assertThrows(InvalidManifestException.class, () -> Manifest.read(directory.resolve("none")))
                .getMessage()
                .contains("there is no such file"));
    }

    private void refusedOnce(byte[] content, String reason) throws IOException {
        Path file = directory.resolve("garbage.yaml");
        Files.write(file, content);
        InvalidManifestException refused = assertThrows(InvalidManifestException.class, () -> Manifest.read(file));
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
        assertEquals(1, refused.getMessage().lines().count());
        assertTrue(refused.getMessage().length() < 600, refused.getMessage());
    }

    private void objectStore(String spec, int line, String reason) {
        refused(VOLUME + "spec: {objectStore: s}\n" + store("ObjectStore", "s", spec), line, reason);
    }

    private void metadataStore(String spec, int line, String reason) {
        refused(VOLUME + "spec: {metadataStore: s}\n" + store("MetadataStore", "s", spec), line, reason);
    }

    /** After a volume of five lines the document begins in line 7, its spec in line 10. */
    private static String store(String kind, String name, String spec) {
        return "---\napiVersion: larder.dev/v1alpha1\nkind: %s\nmetadata: {name: %s}\nspec:%s\n"
                .formatted(kind, name, spec.equals("{}") ? " {}" : "\n  " + spec);
    }

    private void refused(String text, int line, String reason) {
        InvalidManifestException refused = assertThrows(InvalidManifestException.class, () -> read(text));
        assertTrue(
                refused.problems().stream()
                        .anyMatch(problem ->
                                problem.line() == line && problem.reason().contains(reason)),
                () -> "expected line " + line + ": " + reason + ", got " + refused.getMessage());
    }

    private Manifest read(String text) throws InvalidManifestException, IOException {
        return Manifest.read(write(text, "rw-------"));
    }

    private Path write(String text, String mode) throws IOException {
        Path file = directory.resolve("manifest.yaml");
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        return file;
    }
}
