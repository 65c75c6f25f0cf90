package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignRequest;
import software.amazon.awssdk.http.auth.spi.signer.SignedRequest;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;

class ChecksummedPayloadTest {
    private static final ContentStreamProvider PAYLOAD = ContentStreamProvider.fromUtf8String("bytes");

    @Test
    void aChecksummedPayloadIsNotReadAndItsChecksumIsSigned() {
        SignedRequest signed = sign("x-amz-checksum-crc32c", "AAAAAA==");
        assertEquals("UNSIGNED-PAYLOAD", header(signed, "x-amz-content-sha256"));
        assertTrue(header(signed, "Authorization").contains("x-amz-checksum-crc32c"));
        assertSame(PAYLOAD, signed.payload().orElseThrow());
    }

    @Test
    void everyOtherPayloadIsSigned() {
        SignedRequest signed = sign("x-amz-checksum-sha256", "AAAAAA==");
        assertTrue(header(signed, "x-amz-content-sha256").matches("[0-9a-f]{64}"));
        assertTrue(signed.payload().isPresent());
    }

    private static SignedRequest sign(String header, String value) {
        SdkHttpRequest put = SdkHttpRequest.builder()
                .method(SdkHttpMethod.PUT)
                .uri(URI.create("http://127.0.0.1:9000/bucket/key"))
                .putHeader(header, value)
                .build();
        return new ChecksummedPayload()
                .sign(SignRequest.builder(AwsCredentialsIdentity.create("access", "secret"))
                        .request(put)
                        .payload(PAYLOAD)
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "s3")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, "us-east-1")
                        .build());
    }

    private static String header(SignedRequest signed, String name) {
        return signed.request().firstMatchingHeader(name).orElseThrow();
    }
}
