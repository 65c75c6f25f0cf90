package dev.larder.volume.objects;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.security.GeneralSecurityException;
import java.util.Set;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;

/**
 * S3's error codes in the store's words, once.
 *
 * @see <a href="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html">Error responses</a>
 */
final class S3Errors {
    private static final Set<String> EXPIRED = Set.of("ExpiredToken", "TokenRefreshRequired", "InvalidToken");

    private final String bucket;
    private final String place;

    S3Errors(String bucket, String place) {
        this.bucket = bucket;
        this.place = place;
    }

    static boolean isNotFound(SdkException failure) {
        return failure instanceof SdkServiceException service && service.statusCode() == 404;
    }

    IOException explain(String operation, String key, SdkException failure) {
        if (failure instanceof AwsServiceException service) {
            AwsErrorDetails details = service.awsErrorDetails();
            String code = details == null || details.errorCode() == null
                    ? Integer.toString(service.statusCode())
                    : details.errorCode();
            return explain(operation, key, code, details == null ? "" : details.errorMessage(), failure);
        }
        if (failure instanceof ApiCallTimeoutException
                || failure instanceof ApiCallAttemptTimeoutException
                || innermostCause(failure) instanceof SocketTimeoutException) {
            return new StoreTimeoutException(
                    place + " did not answer a " + operation + " of " + key + " in time", failure);
        }
        if (innermostCause(failure) instanceof GeneralSecurityException untrusted) {
            return new StoreAccessException(
                    "the certificate of " + place + " is not trusted: " + untrusted.getMessage()
                            + "; name the certificates to trust as caBundle",
                    failure);
        }
        if (String.valueOf(failure.getMessage()).contains("Unable to load credentials")) {
            return new StoreAccessException(
                    "no credentials for " + place + ": give an access key in the volume's secret, or set"
                            + " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile",
                    failure);
        }
        return new IOException("cannot " + operation + " " + key + " at " + place + ": " + innermost(failure), failure);
    }

    IOException explain(String operation, String key, String code, String message, Throwable cause) {
        if (code.equals("NoSuchKey") || (code.equals("404") && operation.equals("get"))) {
            return new MissingObjectException(key);
        }
        String remedy = remedy(code, operation);
        return remedy != null
                ? new StoreAccessException(place + " refuses to " + operation + " (" + code + "): " + remedy, cause)
                : new IOException(place + " failed to " + operation + " " + key + " (" + code + "): " + message, cause);
    }

    private String remedy(String code, String operation) {
        if (EXPIRED.contains(code)) {
            return "the session token has expired; renew the credentials";
        }
        return switch (code) {
            case "NoSuchBucket" ->
                "there is no bucket '" + bucket + "'; create it or correct the bucket's name and the endpoint";
            case "InvalidAccessKeyId" -> "the server does not know the access key; correct the volume's credentials";
            case "SignatureDoesNotMatch" ->
                "the secret key does not belong to the access key; correct the volume's credentials";
            case "RequestTimeTooSkewed" -> "this machine's clock differs too much from the server's; set it";
            case "PermanentRedirect", "AuthorizationHeaderMalformed", "301" ->
                "the bucket is in another region; correct the region";
            case "InvalidObjectState" -> "the object is archived; restore it first";
            case "InvalidStorageClass" -> "the server does not know the storage class; correct it";
            case "AccessDenied", "AllAccessDisabled", "403" ->
                "the credentials are not allowed to " + operation + " there; allow s3:GetObject, s3:PutObject,"
                        + " s3:DeleteObject and s3:ListBucket on bucket '" + bucket + "'";
            default -> null;
        };
    }

    private static String innermost(Throwable failure) {
        Throwable cause = innermostCause(failure);
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    private static Throwable innermostCause(Throwable failure) {
        Throwable at = failure;
        while (at.getCause() != null) {
            at = at.getCause();
        }
        return at;
    }
}
