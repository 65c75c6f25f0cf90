package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class S3StoreTest extends ObjectStoreContract {
    private static final String BUCKET = "volumes";
    private static final S3Options.Limits HASTY =
            new S3Options.Limits(Duration.ofSeconds(1), Duration.ofMillis(500), Duration.ofSeconds(2), 2, 8);

    private static final String KEYS_PASSWORD = "of-a-test";

    private static S3Server server;

    private S3Store opened;

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
        server.createBucket(BUCKET);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void close() {
        if (opened != null) {
            opened.close();
        }
    }

    @Override
    ObjectStore store() {
        return open(server.options(BUCKET));
    }

    @Test
    void prefixesDoNotSeeEachOther() throws IOException {
        ObjectStore one = store();
        one.put("a", Bytes.empty(1));
        S3Store other = open(server.options(BUCKET));
        assertEquals(Map.of(), listed(other, ""));
    }

    @Test
    void sha256IsUnderstoodToo() throws IOException {
        S3Store store = open(server.options(BUCKET).checksum(S3Options.Checksum.SHA256));
        store.put("a", Bytes.random(new Random(1), 100_000));
        assertEquals(100_000, store.size("a"));
    }

    @Test
    void trustsTheCertificatesItIsGivenAndNoOther(@TempDir Path directory) throws Exception {
        Path keys = directory.resolve("server.p12");
        Path certificate = directory.resolve("server.pem");
        keytool("-genkeypair", keys, "-keyalg", "EC", "-dname", "CN=s3", "-ext", "san=ip:127.0.0.1");
        keytool("-exportcert", keys, "-rfc", "-file", certificate.toString());
        try (S3Server secure = new S3Server(keys, KEYS_PASSWORD)) {
            secure.createBucket(BUCKET);
            S3Store store = open(secure.options(BUCKET).caBundle(certificate));
            store.put("a", Bytes.random(new Random(1), 100_000));
            assertEquals(100_000, store.size("a"));
            refused(secure.options(BUCKET).limits(HASTY), "certificate", "caBundle");
        }
    }

    private static void keytool(String command, Path keyStore, String... more) throws Exception {
        List<String> words = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin/keytool").toString(), command));
        words.addAll(List.of("-keystore", keyStore.toString(), "-storepass", KEYS_PASSWORD, "-alias", "server"));
        words.addAll(List.of(more));
        Process run = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, run.waitFor(), said);
    }

    @Test
    void refusalsSayWhatToDo() {
        refused(server.options("no-such-bucket"), "NoSuchBucket", "create it");
        refused(
                server.options(BUCKET).credentials(() -> new S3Credentials("stranger", "secret", null)),
                "InvalidAccessKeyId",
                "does not know the access key");
        refused(
                server.options(BUCKET)
                        .credentials(() -> new S3Credentials(S3Server.RIGHT.accessKey(), "wrong-secret", null)),
                "SignatureDoesNotMatch",
                "secret key");
    }

    @Test
    void aMissingBucketIsNotAMissingObject() {
        S3Store store = open(server.options("no-such-bucket"));
        assertThrows(StoreAccessException.class, () -> store.size("a"));
        assertThrows(StoreAccessException.class, () -> store.get("a", 0, Bytes.empty(1)));
        assertThrows(StoreAccessException.class, () -> store.list("", each -> {}));
    }

    @Test
    void credentialsAreAskedForAgain() throws IOException {
        AtomicReference<S3Credentials> now = new AtomicReference<>(S3Server.RIGHT);
        S3Store store = open(server.options(BUCKET).credentials(now::get));
        store.put("a", Bytes.empty(1));
        now.set(new S3Credentials("revoked", "secret", null));
        assertThrows(StoreAccessException.class, () -> store.put("a", Bytes.empty(1)));
        now.set(S3Server.RIGHT);
        store.put("a", Bytes.empty(1));
    }

    @Test
    void aServerThatIsAwayIsNoRefusal() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        S3Store away = open(server.options(BUCKET).limits(HASTY).endpoint(URI.create("http://127.0.0.1:" + free)));
        IOException failure = assertThrows(IOException.class, () -> away.put("a", Bytes.empty(1)));
        assertFalse(failure instanceof StoreAccessException);
        assertTrue(failure.getMessage().contains("127.0.0.1:" + free), failure.getMessage());
    }

    @Test
    void aServerThatNeverAnswersMeetsTheDeadline() throws IOException {
        try (ServerSocket silent = new ServerSocket(0)) {
            S3Store store = open(server.options(BUCKET)
                    .limits(HASTY)
                    .endpoint(URI.create("http://127.0.0.1:" + silent.getLocalPort())));
            assertThrows(StoreTimeoutException.class, () -> store.get("a", 0, Bytes.empty(1)));
        }
    }

    @Test
    void theProxyIsUsedAndToldWhoAsks() throws IOException {
        try (CountingProxy proxy = new CountingProxy()) {
            String url = proxy.endpoint().toString().replace("//", "//larder:p%40ss@");
            S3Store store = open(server.options(BUCKET).proxy(HttpProxy.parse(url, "")));
            store.put("through", Bytes.random(new Random(2), 10_000));
            assertEquals(10_000, store.size("through"));
            assertEquals(2, proxy.requests.size(), proxy.requests.toString());
            assertTrue(proxy.requests.getFirst().startsWith("PUT /" + BUCKET), proxy.requests.toString());
            String expected = Base64.getEncoder().encodeToString("larder:p@ss".getBytes(StandardCharsets.UTF_8));
            assertEquals("Basic " + expected, proxy.authorizations.getFirst());
        }
    }

    @Test
    void noProxyIsRespected() throws IOException {
        try (CountingProxy proxy = new CountingProxy()) {
            for (String noProxy : List.of("127.0.0.1", "example.com, 127.0.0.0/8", "*")) {
                S3Store store = open(server.options(BUCKET)
                        .proxy(HttpProxy.parse(proxy.endpoint().toString(), noProxy)));
                store.put("direct", Bytes.empty(10));
            }
            assertEquals(List.of(), proxy.requests);
        }
    }

    @Test
    void secretsAreNeverPrinted() {
        HttpProxy proxy = HttpProxy.parse("http://user:hidden@proxy.example:3128", "localhost");
        S3Credentials credentials = new S3Credentials("access", "hidden", "hidden");
        S3Options options = server.options(BUCKET)
                .credentials(() -> credentials)
                .proxy(proxy)
                .build();
        for (Object printed : List.of(proxy, credentials, options, new S3Store(options))) {
            assertFalse(
                    printed.toString().contains("hidden"), printed.getClass().getSimpleName());
        }
        var malformed = assertThrows(IllegalArgumentException.class, () -> HttpProxy.parse("http://u:hidden@ x", ""));
        assertFalse(malformed.toString().contains("hidden") || malformed.getCause() != null);
    }

    @Test
    void theSdkIsNotLoadedBeforeTheFirstRequest() throws Exception {
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-Xlog:class+load",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LazyS3.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        assertTrue(output.contains("dev.larder.volume.objects.S3Store "));
        assertFalse(output.contains("software.amazon"), "a class of the SDK was loaded");
    }

    /** Makes a store and asks nothing of it. */
    static final class LazyS3 {
        private LazyS3() {}

        public static void main(String[] args) {
            try (S3Store store = new S3Store(
                    S3Options.bucket("b").credentials(() -> S3Server.RIGHT).build())) {
                System.out.println(store.describe());
            }
        }
    }

    private static void refused(S3Options.Builder options, String code, String remedy) {
        try (S3Store store = new S3Store(options.build())) {
            var refusal = assertThrows(StoreAccessException.class, store::probe);
            assertTrue(refusal.getMessage().contains(code), refusal.getMessage());
            assertTrue(refusal.getMessage().contains(remedy), refusal.getMessage());
            assertFalse(refusal.getMessage().contains("secret-0123456789"), refusal.getMessage());
        }
    }

    private S3Store open(S3Options.Builder options) {
        close();
        opened = new S3Store(options.prefix("tests/" + UUID.randomUUID()).build());
        return opened;
    }
}
