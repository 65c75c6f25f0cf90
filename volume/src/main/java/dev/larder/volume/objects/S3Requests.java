package dev.larder.volume.objects;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Error;

/** The requests of {@link S3Store}, with whole keys. Safe for any number of threads. */
final class S3Requests {
    private static final String CONTENT_TYPE = "application/octet-stream";
    private static final int COPY_BYTES = 64 << 10;
    private static final long DIGEST_STEP_BYTES = 1L << 30;

    private final S3Client client;
    private final S3Options options;
    private final S3Errors errors;

    private S3Requests(S3Client client, S3Options options, S3Errors errors) {
        this.client = client;
        this.options = options;
        this.errors = errors;
    }

    static S3Requests connect(S3Options options, String place) throws IOException {
        try {
            return new S3Requests(S3Connection.open(options), options, new S3Errors(options.bucket(), place));
        } catch (SdkException | IllegalArgumentException refused) {
            throw new StoreAccessException(
                    "cannot use " + place + ": " + refused.getMessage() + "; correct the object store's settings",
                    refused);
        }
    }

    void put(String key, MemorySegment bytes) throws IOException {
        PutObjectRequest.Builder request =
                PutObjectRequest.builder().bucket(options.bucket()).key(key).contentLength(bytes.byteSize());
        switch (options.checksum()) {
            case CRC32C -> request.checksumCRC32C(crc32c(bytes));
            case SHA256 -> request.checksumSHA256(sha256(bytes));
        }
        if (!options.storageClass().isEmpty()) {
            request.storageClass(options.storageClass());
        }
        try {
            client.putObject(
                    request.build(),
                    RequestBody.fromContentProvider(
                            () -> new SegmentInputStream(bytes), bytes.byteSize(), CONTENT_TYPE));
        } catch (SdkException failure) {
            throw errors.explain("put", key, failure);
        }
    }

    void get(String key, long offset, MemorySegment into) throws IOException {
        String range = "bytes=" + offset + "-" + (offset + into.byteSize() - 1);
        try {
            client.getObject(
                    request -> request.bucket(options.bucket()).key(key).range(range),
                    ResponseTransformer.unmanaged((response, body) -> receive(key, offset, into, response, body)));
        } catch (SdkException failure) {
            throw errors.explain("get", key, failure);
        }
    }

    long size(String key) throws IOException {
        try {
            return client.headObject(request -> request.bucket(options.bucket()).key(key))
                    .contentLength();
        } catch (SdkException failure) {
            throw S3Errors.isNotFound(failure) ? missing(key) : errors.explain("head", key, failure);
        }
    }

    void delete(List<String> keys) throws IOException {
        List<ObjectIdentifier> identifiers = keys.stream()
                .map(key -> ObjectIdentifier.builder().key(key).build())
                .toList();
        DeleteObjectsResponse response;
        try {
            response = client.deleteObjects(request -> request.bucket(options.bucket())
                    .delete(batch -> batch.objects(identifiers).quiet(true)));
        } catch (SdkException failure) {
            throw errors.explain("delete", keys.size() + " objects", failure);
        }
        for (S3Error error : response.errors()) {
            if (!"NoSuchKey".equals(error.code())) {
                throw errors.explain("delete", error.key(), error.code(), error.message(), null);
            }
        }
    }

    void list(String prefix, Consumer<ObjectStore.Listed> each) throws IOException {
        try {
            client.listObjectsV2Paginator(
                            request -> request.bucket(options.bucket()).prefix(prefix))
                    .contents()
                    .forEach(object ->
                            each.accept(new ObjectStore.Listed(object.key(), object.size(), object.lastModified())));
        } catch (SdkException failure) {
            throw errors.explain("list", prefix, failure);
        }
    }

    void close() {
        client.close();
    }

    /** HEAD has no body: whether the object or its bucket is missing is asked apart. */
    private IOException missing(String key) {
        try {
            client.headBucket(request -> request.bucket(options.bucket()));
            return new MissingObjectException(key);
        } catch (SdkException failure) {
            return S3Errors.isNotFound(failure)
                    ? errors.explain("head", key, "NoSuchBucket", "", failure)
                    : new MissingObjectException(key);
        }
    }

    /** The HTTP client only reads into arrays: one small array a request, never the content. */
    private static GetObjectResponse receive(
            String key, long offset, MemorySegment into, GetObjectResponse response, AbortableInputStream body) {
        boolean complete = false;
        try {
            requireRange(key, offset, response);
            fill(key, into, body);
            complete = body.read() < 0;
            return response;
        } catch (IOException failure) {
            throw RetryableException.create("the answer to a GET of " + key + " broke off", failure);
        } finally {
            end(body, complete);
        }
    }

    private static void requireRange(String key, long offset, GetObjectResponse response) throws IOException {
        String range = response.contentRange();
        boolean asked = range == null ? offset == 0 : range.startsWith("bytes " + offset + "-");
        if (!asked) {
            throw new IOException("the store answered range " + range + " of " + key + " instead of one from byte "
                    + offset + ": it does not support ranged reads");
        }
    }

    private static void fill(String key, MemorySegment into, InputStream body) throws IOException {
        byte[] copy = new byte[(int) Math.min(COPY_BYTES, into.byteSize())];
        long done = 0;
        while (done < into.byteSize()) {
            int count = body.read(copy, 0, (int) Math.min(copy.length, into.byteSize() - done));
            if (count < 0) {
                throw new EOFException(
                        "the store sent " + done + " of " + into.byteSize() + " bytes of " + key + " and stopped");
            }
            MemorySegment.copy(copy, 0, into, ValueLayout.JAVA_BYTE, done, count);
            done += count;
        }
    }

    /** A body read to its end gives its connection back; any other is cut. */
    private static void end(AbortableInputStream body, boolean complete) {
        if (!complete) {
            body.abort();
        }
        try {
            body.close();
        } catch (IOException alreadyBroken) {
            body.abort();
        }
    }

    private static String crc32c(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        for (long at = 0; at < bytes.byteSize(); at += DIGEST_STEP_BYTES) {
            crc.update(step(bytes, at));
        }
        byte[] value =
                ByteBuffer.allocate(Integer.BYTES).putInt((int) crc.getValue()).array();
        return Base64.getEncoder().encodeToString(value);
    }

    private static String sha256(MemorySegment bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (long at = 0; at < bytes.byteSize(); at += DIGEST_STEP_BYTES) {
                digest.update(step(bytes, at));
            }
            return Base64.getEncoder().encodeToString(digest.digest());
        } catch (NoSuchAlgorithmException everyJvmHasIt) {
            throw new IllegalStateException(everyJvmHasIt);
        }
    }

    private static ByteBuffer step(MemorySegment bytes, long at) {
        return bytes.asSlice(at, Math.min(DIGEST_STEP_BYTES, bytes.byteSize() - at))
                .asByteBuffer();
    }
}
