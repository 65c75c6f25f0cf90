package dev.larder.operator;

import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Locale;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.apache5.ProxyConfiguration;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;

/** Turns the spec of an ObjectStore into clients that any S3-compatible server understands. */
final class S3Clients {
    static final Duration ATTEMPT = Duration.ofSeconds(15);
    static final Duration CALL = Duration.ofSeconds(40);
    private static final int CONNECTIONS = 8;

    private S3Clients() {}

    static S3Client open(ObjectStoreSpec.S3 spec, Keys keys) {
        S3ClientBuilder client = S3Client.builder()
                .region(Region.of(spec.region()))
                .forcePathStyle(spec.inPath())
                .credentialsProvider(credentials(keys))
                .serviceConfiguration(
                        S3Configuration.builder().chunkedEncodingEnabled(false).build())
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .httpClient(http(spec))
                .overrideConfiguration(S3Clients::limits);
        if (spec.endpoint() != null) {
            client.endpointOverride(URI.create(spec.endpoint()));
        }
        return client.build();
    }

    static void limits(ClientOverrideConfiguration.Builder override) {
        override.apiCallAttemptTimeout(ATTEMPT).apiCallTimeout(CALL);
    }

    static AwsCredentialsProvider credentials(Keys keys) {
        if (keys == null) {
            return DefaultCredentialsProvider.builder().build();
        }
        AwsCredentials credentials = keys.sessionToken() == null
                ? AwsBasicCredentials.create(keys.accessKeyId(), keys.secretAccessKey())
                : AwsSessionCredentials.create(keys.accessKeyId(), keys.secretAccessKey(), keys.sessionToken());
        return StaticCredentialsProvider.create(credentials);
    }

    static SdkHttpClient http(ObjectStoreSpec.S3 spec) {
        Apache5HttpClient.Builder http = Apache5HttpClient.builder()
                .connectionTimeout(Duration.ofSeconds(5))
                .connectionAcquisitionTimeout(ATTEMPT)
                .socketTimeout(ATTEMPT)
                .maxConnections(CONNECTIONS)
                .proxyConfiguration(proxy(spec));
        if (spec.caBundle() != null) {
            TrustManager[] trusted = trusted(spec.caBundle());
            http.tlsTrustManagersProvider(() -> trusted);
        }
        return http.build();
    }

    private static ProxyConfiguration proxy(ObjectStoreSpec.S3 spec) {
        ProxyConfiguration.Builder proxy =
                ProxyConfiguration.builder().useSystemPropertyValues(false).useEnvironmentVariableValues(false);
        if (spec.proxy() != null && !isDirect(spec)) {
            proxy.endpoint(URI.create(spec.proxy().url()));
        }
        return proxy.build();
    }

    /** A host, or a domain with or without a leading dot. */
    private static boolean isDirect(ObjectStoreSpec.S3 spec) {
        if (spec.proxy().noProxy() == null || spec.endpoint() == null) {
            return false;
        }
        String host = String.valueOf(URI.create(spec.endpoint()).getHost()).toLowerCase(Locale.ROOT);
        return spec.proxy().noProxy().stream()
                .map(exempt -> exempt.toLowerCase(Locale.ROOT).replaceFirst("^\\*?\\.", ""))
                .anyMatch(exempt -> exempt.equals("*") || host.equals(exempt) || host.endsWith("." + exempt));
    }

    private static TrustManager[] trusted(String pem) {
        try {
            KeyStore certificates = KeyStore.getInstance(KeyStore.getDefaultType());
            certificates.load(null, null);
            int count = 0;
            for (Certificate certificate : CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8)))) {
                certificates.setCertificateEntry("ca-" + count++, certificate);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(certificates);
            return factory.getTrustManagers();
        } catch (IOException | GeneralSecurityException e) {
            throw new Problem(
                    Problem.Cause.StoreNotReady,
                    "the caBundle of the ObjectStore holds no PEM certificates: " + e.getMessage(),
                    e);
        }
    }

    /** Without request ids and stack of causes. */
    static String reason(Throwable failure) {
        if (failure instanceof AwsServiceException service && service.awsErrorDetails() != null) {
            return service.awsErrorDetails().errorCode() + " ("
                    + service.awsErrorDetails().errorMessage() + ", HTTP " + service.statusCode() + ")";
        }
        return failure.getMessage();
    }
}
