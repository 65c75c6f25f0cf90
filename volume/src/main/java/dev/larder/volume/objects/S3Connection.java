package dev.larder.volume.objects;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.function.Supplier;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.apache5.ProxyConfiguration;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;

/**
 * Turns {@link S3Options} into a client that any S3-compatible server understands: no aws-chunked bodies, no checksum
 * trailers, no checksums nobody asked for, nothing taken from the process's environment but the default credentials.
 */
final class S3Connection {
    private S3Connection() {}

    static S3Client open(S3Options options) throws IOException {
        S3ClientBuilder client = S3Client.builder()
                .region(Region.of(options.region()))
                .forcePathStyle(options.pathStyle())
                .credentialsProvider(credentials(options.credentials()))
                .putAuthScheme(new ChecksummedPayload())
                .serviceConfiguration(
                        S3Configuration.builder().chunkedEncodingEnabled(false).build())
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .httpClient(httpClient(options))
                .overrideConfiguration(override -> override.apiCallAttemptTimeout(
                                options.limits().attempt())
                        .apiCallTimeout(options.limits().call())
                        .retryStrategy(AwsRetryStrategy.standardRetryStrategy().toBuilder()
                                .maxAttempts(options.limits().attempts())
                                .build()));
        if (options.endpoint() != null) {
            client.endpointOverride(options.endpoint());
        }
        return client.build();
    }

    private static software.amazon.awssdk.http.SdkHttpClient httpClient(S3Options options) throws IOException {
        S3Options.Limits limits = options.limits();
        Apache5HttpClient.Builder http = Apache5HttpClient.builder()
                .connectionTimeout(limits.connect())
                .connectionAcquisitionTimeout(limits.attempt())
                .socketTimeout(limits.attempt())
                .maxConnections(limits.connections())
                .tcpKeepAlive(true)
                .proxyConfiguration(proxy(options));
        if (options.caBundle() != null) {
            TrustManager[] trusted = trusted(options);
            http.tlsTrustManagersProvider(() -> trusted);
        }
        return http.build();
    }

    /** There is one host to ask for, so whether the proxy serves it is decided here, once. */
    private static ProxyConfiguration proxy(S3Options options) {
        ProxyConfiguration.Builder none =
                ProxyConfiguration.builder().useSystemPropertyValues(false).useEnvironmentVariableValues(false);
        HttpProxy proxy = options.proxy();
        if (proxy == null || !proxy.serves(host(options))) {
            return none.build();
        }
        none.endpoint(proxy.endpoint());
        if (proxy.user() != null) {
            none.username(proxy.user())
                    .password(proxy.password() == null ? "" : proxy.password())
                    .preemptiveBasicAuthenticationEnabled(true);
        }
        return none.build();
    }

    private static String host(S3Options options) {
        URI endpoint = options.endpoint();
        String host = endpoint == null ? "s3." + options.region() + ".amazonaws.com" : endpoint.getHost();
        return options.pathStyle() ? host : options.bucket() + "." + host;
    }

    private static AwsCredentialsProvider credentials(Supplier<S3Credentials> supplier) {
        return supplier == null ? DefaultCredentialsProvider.builder().build() : () -> resolve(supplier.get());
    }

    private static AwsCredentials resolve(S3Credentials given) {
        return given.sessionToken() == null
                ? AwsBasicCredentials.create(given.accessKey(), given.secretKey())
                : AwsSessionCredentials.create(given.accessKey(), given.secretKey(), given.sessionToken());
    }

    private static TrustManager[] trusted(S3Options options) throws IOException {
        try (InputStream pem = Files.newInputStream(options.caBundle())) {
            KeyStore certificates = KeyStore.getInstance(KeyStore.getDefaultType());
            certificates.load(null, null);
            int count = 0;
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                certificates.setCertificateEntry("ca-" + count++, certificate);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(certificates);
            return factory.getTrustManagers();
        } catch (IOException | GeneralSecurityException unusable) {
            throw new StoreAccessException(
                    "cannot use the CA bundle " + options.caBundle() + ": it must hold PEM certificates", unusable);
        }
    }
}
