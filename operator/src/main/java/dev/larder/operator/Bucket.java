package dev.larder.operator;

import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.Delete;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;

/** What the operator does in the bucket of an ObjectStore. Every failure is a {@link Problem} that names the bucket. */
final class Bucket implements AutoCloseable {
    private static final int PAGE = 1000;
    private static final int MOST_OWNER_BYTES = 64 << 10;

    private final S3Client client;
    private final ObjectStoreSpec.S3 spec;
    private final String store;

    /** @param keys null = the SDK's own chain */
    Bucket(String store, ObjectStoreSpec.S3 spec, Keys keys) {
        this.store = store;
        this.spec = spec;
        this.client = S3Clients.open(spec, keys);
    }

    /** The volume's own folder. */
    static String prefix(ObjectStoreSpec.S3 spec, UUID volume) {
        return spec.prefix() + volume + "/";
    }

    private String ownerKey(UUID volume) {
        return spec.prefix() + volume + ".owner.json";
    }

    /** That the bucket is there and its objects can be listed. */
    void probe() {
        attempt(
                "list",
                () -> client.listObjectsV2(
                        list -> list.bucket(spec.bucket()).prefix(spec.prefix()).maxKeys(1)));
    }

    /** @return empty when nobody owns the volume's folder */
    Optional<Owner> owner(UUID volume) {
        String key = ownerKey(volume);
        return attempt("read " + key + " in", () -> {
            try (ResponseInputStream<GetObjectResponse> object =
                    client.getObject(get -> get.bucket(spec.bucket()).key(key))) {
                String text = new String(object.readNBytes(MOST_OWNER_BYTES), StandardCharsets.UTF_8);
                Owner owner = Owner.parse(text);
                if (owner == null) {
                    throw new Problem(
                            Problem.Cause.OwnedByAnother,
                            place() + ": object " + key + " is no record of an owner; nothing there is touched. "
                                    + "Look at it, and remove it if nobody needs the folder beside it");
                }
                return Optional.of(owner);
            } catch (NoSuchKeyException e) {
                return Optional.empty();
            } catch (java.io.IOException e) {
                throw failed("read " + key + " in", e);
            }
        });
    }

    boolean isEmpty(UUID volume) {
        return attempt(
                        "list",
                        () -> client.listObjectsV2(list -> list.bucket(spec.bucket())
                                .prefix(prefix(spec, volume))
                                .maxKeys(1)))
                .contents()
                .isEmpty();
    }

    void own(Owner owner) {
        String key = ownerKey(owner.volumeId());
        attempt(
                "write " + key + " into",
                () -> client.putObject(
                        put -> put.bucket(spec.bucket()).key(key).contentType("application/json"),
                        RequestBody.fromString(owner.json())));
    }

    /**
     * Deletes objects of the volume's folder, and its owner's record when none is left.
     *
     * @param pages of at most 1000 objects that are deleted by this call
     * @return whether nothing is left
     */
    boolean purge(UUID volume, int pages) {
        for (int page = 0; page < pages; page++) {
            List<ObjectIdentifier> keys = attempt(
                            "list",
                            () -> client.listObjectsV2(list -> list.bucket(spec.bucket())
                                    .prefix(prefix(spec, volume))
                                    .maxKeys(PAGE)))
                    .contents()
                    .stream()
                    .map(object -> ObjectIdentifier.builder().key(object.key()).build())
                    .toList();
            if (keys.isEmpty()) {
                attempt(
                        "delete in",
                        () -> client.deleteObject(
                                delete -> delete.bucket(spec.bucket()).key(ownerKey(volume))));
                return true;
            }
            delete(keys);
        }
        return false;
    }

    private void delete(List<ObjectIdentifier> keys) {
        DeleteObjectsResponse response = attempt(
                "delete in",
                () -> client.deleteObjects(delete -> delete.bucket(spec.bucket())
                        .delete(Delete.builder().objects(keys).quiet(true).build())));
        if (!response.errors().isEmpty()) {
            var first = response.errors().getFirst();
            throw new Problem(
                    Problem.Cause.ObjectStoreFailed,
                    place() + ": cannot delete " + first.key() + ": " + first.message() + "; " + remedy());
        }
    }

    private <T> T attempt(String what, Supplier<T> call) {
        try {
            return call.get();
        } catch (SdkException e) {
            throw failed(what, e);
        }
    }

    private Problem failed(String what, Exception e) {
        return new Problem(
                Problem.Cause.ObjectStoreFailed,
                "cannot " + what + " " + place() + ": " + S3Clients.reason(e) + "; " + remedy(),
                e);
    }

    private String place() {
        return "bucket " + spec.bucket() + " at "
                + (spec.endpoint() == null ? "AWS " + spec.region() : spec.endpoint());
    }

    private String remedy() {
        return "kubectl describe objectstore " + store;
    }

    @Override
    public void close() {
        client.close();
    }
}
