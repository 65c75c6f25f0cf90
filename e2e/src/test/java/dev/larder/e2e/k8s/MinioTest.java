package dev.larder.e2e.k8s;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.LocalPortForward;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.model.Credentials;

/** The object server of the cluster: what volumes with objects in S3 need of it. */
@Tag("cluster")
final class MinioTest {
    @RegisterExtension
    static final Cluster CLUSTER = new Cluster();

    private static final String BUCKET = "larder";

    private static LocalPortForward forward;

    @BeforeAll
    static void start() {
        CLUSTER.startMinio();
        forward = CLUSTER.client()
                .services()
                .inNamespace("minio")
                .withName("minio")
                .portForward(9000);
    }

    @AfterAll
    static void stopForwarding() throws IOException {
        forward.close();
    }

    @Test
    void bucketTakesObjects() {
        try (S3Client client = s3(admin())) {
            client.putObject(
                    request -> request.bucket(BUCKET).key("minio-test/object"), RequestBody.fromString("kept"));
            assertEquals("kept", read(client, "minio-test/object"));
        }
    }

    /** A session policy of AssumeRole is enforced: one volume's credentials do not reach another's prefix. */
    @Test
    void sessionIsConfinedToItsPrefix() {
        try (S3Client client = s3(confinedTo("minio-test/a/"))) {
            client.putObject(request -> request.bucket(BUCKET).key("minio-test/a/own"), RequestBody.fromString("own"));
            assertEquals("own", read(client, "minio-test/a/own"));
            S3Exception refused = assertThrows(
                    S3Exception.class,
                    () -> client.putObject(
                            request -> request.bucket(BUCKET).key("minio-test/b/other"), RequestBody.fromString("no")));
            assertEquals(403, refused.statusCode());
        }
    }

    private static String read(S3Client client, String key) {
        return client.getObjectAsBytes(request -> request.bucket(BUCKET).key(key))
                .asUtf8String();
    }

    private static AwsCredentials admin() {
        Secret secret = CLUSTER.client()
                .secrets()
                .inNamespace("minio")
                .withName("minio-admin")
                .get();
        return AwsBasicCredentials.create(text(secret, "accessKeyId"), text(secret, "secretAccessKey"));
    }

    private static String text(Secret secret, String key) {
        return new String(Base64.getDecoder().decode(secret.getData().get(key)), StandardCharsets.UTF_8);
    }

    private static AwsCredentials confinedTo(String prefix) {
        String policy = """
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                  "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::%s/%s*"]}]}
                """.formatted(BUCKET, prefix);
        try (StsClient sts = StsClient.builder()
                .endpointOverride(endpoint())
                .region(Region.US_EAST_1)
                .credentialsProvider(StaticCredentialsProvider.create(admin()))
                .build()) {
            Credentials session = sts.assumeRole(request -> request.roleArn("arn:aws:iam::000000000000:role/larder")
                            .roleSessionName("minio-test")
                            .durationSeconds(3600)
                            .policy(policy))
                    .credentials();
            return AwsSessionCredentials.create(
                    session.accessKeyId(), session.secretAccessKey(), session.sessionToken());
        }
    }

    private static S3Client s3(AwsCredentials credentials) {
        return S3Client.builder()
                .endpointOverride(endpoint())
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(StaticCredentialsProvider.create(credentials))
                .build();
    }

    private static URI endpoint() {
        return URI.create("http://127.0.0.1:" + forward.getLocalPort());
    }
}
