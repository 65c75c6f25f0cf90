package dev.larder.volume.objects;

import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.http.auth.aws.scheme.AwsV4AuthScheme;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.AsyncSignRequest;
import software.amazon.awssdk.http.auth.spi.signer.AsyncSignedRequest;
import software.amazon.awssdk.http.auth.spi.signer.SignRequest;
import software.amazon.awssdk.http.auth.spi.signer.SignedRequest;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.IdentityProvider;
import software.amazon.awssdk.identity.spi.IdentityProviders;

/**
 * Signature version 4 that does not read a payload whose CRC32C is among the signed headers: the server compares that, so
 * a SHA-256 beside it would find nothing more that breaks by accident. The SDK does the same over HTTPS and would read
 * the payload again over HTTP; see ADR 28 for who is to ask for {@link S3Options.Checksum#SHA256}.
 */
final class ChecksummedPayload implements AwsV4AuthScheme, AwsV4HttpSigner {
    private static final String CHECKSUM = "x-amz-checksum-crc32c";

    private final AwsV4HttpSigner signer = AwsV4HttpSigner.create();

    @Override
    public String schemeId() {
        return SCHEME_ID;
    }

    @Override
    public IdentityProvider<AwsCredentialsIdentity> identityProvider(IdentityProviders providers) {
        return providers.identityProvider(AwsCredentialsIdentity.class);
    }

    @Override
    public AwsV4HttpSigner signer() {
        return this;
    }

    @Override
    public SignedRequest sign(SignRequest<? extends AwsCredentialsIdentity> request) {
        if (request.request().firstMatchingHeader(CHECKSUM).isEmpty()) {
            return signer.sign(request);
        }
        SignedRequest signed = signer.sign(headersOf(request));
        return SignedRequest.builder()
                .request(signed.request())
                .payload(request.payload().orElse(null))
                .build();
    }

    @Override
    public CompletableFuture<AsyncSignedRequest> signAsync(AsyncSignRequest<? extends AwsCredentialsIdentity> request) {
        return signer.signAsync(request);
    }

    private static <T extends AwsCredentialsIdentity> SignRequest<T> headersOf(SignRequest<T> request) {
        return request.toBuilder()
                .payload(null)
                .putProperty(PAYLOAD_SIGNING_ENABLED, false)
                .build();
    }
}
