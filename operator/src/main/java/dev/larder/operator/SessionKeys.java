package dev.larder.operator;

import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import dev.larder.operator.Problem.Cause;
import java.net.URI;
import java.util.UUID;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.StsClientBuilder;
import software.amazon.awssdk.services.sts.model.Credentials;

/** Keys that reach one volume's folder and nothing else, and die after a time: STS AssumeRole with a session policy. */
final class SessionKeys {
    static final int DEFAULT_SECONDS = 3600;

    private SessionKeys() {}

    static int seconds(ObjectStoreSpec.Credentials credentials) {
        return credentials.durationSeconds() == null ? DEFAULT_SECONDS : credentials.durationSeconds();
    }

    /** @param keys of the store, which may assume the role */
    static Keys issue(String store, ObjectStoreSpec.S3 spec, Keys keys, UUID volume) {
        ObjectStoreSpec.Credentials credentials = spec.credentials();
        try (StsClient sts = open(spec, keys)) {
            Credentials issued = sts.assumeRole(role -> role.roleArn(credentials.roleArn())
                            .roleSessionName("larder-" + volume)
                            .durationSeconds(seconds(credentials))
                            .policy(policy(spec, volume)))
                    .credentials();
            return new Keys(issued.accessKeyId(), issued.secretAccessKey(), issued.sessionToken(), issued.expiration());
        } catch (SdkException e) {
            throw new Problem(
                    Cause.ObjectStoreFailed,
                    "cannot assume role " + credentials.roleArn() + " for a volume's keys: " + S3Clients.reason(e)
                            + "; kubectl describe objectstore " + store,
                    e);
        }
    }

    private static StsClient open(ObjectStoreSpec.S3 spec, Keys keys) {
        StsClientBuilder sts = StsClient.builder()
                .region(Region.of(spec.region()))
                .credentialsProvider(S3Clients.credentials(keys))
                .httpClient(S3Clients.http(spec))
                .overrideConfiguration(S3Clients::limits);
        String own = spec.credentials().stsEndpoint();
        String endpoint = own == null ? spec.endpoint() : own;
        if (endpoint != null) {
            sts.endpointOverride(URI.create(endpoint));
        }
        return sts.build();
    }

    /** What the keys may do at most, whatever the role may. */
    static String policy(ObjectStoreSpec.S3 spec, UUID volume) {
        String bucket = "arn:" + partition(spec.credentials().roleArn()) + ":s3:::" + spec.bucket();
        String folder = Bucket.prefix(spec, volume);
        return """
                {"Version":"2012-10-17","Statement":[\
                {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject","s3:AbortMultipartUpload"],\
                "Resource":["%s/%s*"]},\
                {"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["%s"],\
                "Condition":{"StringLike":{"s3:prefix":["%s*"]}}}]}""".formatted(bucket, folder, bucket, folder);
    }

    /** aws, or that of a region with its own. */
    private static String partition(String roleArn) {
        String[] parts = roleArn.split(":", 3);
        return parts.length == 3 && parts[1].startsWith("aws") ? parts[1] : "aws";
    }
}
