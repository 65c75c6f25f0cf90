package dev.larder.operator;

import dev.larder.crds.v1alpha1.ObjectStore;
import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import java.util.HashMap;
import java.util.Map;

/** One client for each S3 store, replaced when the store or its keys change. Any thread may ask. */
final class Buckets implements AutoCloseable {
    private record Open(ObjectStoreSpec.S3 spec, int keys, Bucket bucket) {}

    private final Map<String, Open> open = new HashMap<>();

    /** @param keys null = the SDK's own chain */
    synchronized Bucket of(ObjectStore store, Keys keys) {
        String name = store.getMetadata().getName();
        ObjectStoreSpec.S3 spec = store.getSpec().s3();
        int fingerprint = keys == null ? 0 : keys.fingerprint();
        Open known = open.get(name);
        if (known != null && known.spec.equals(spec) && known.keys == fingerprint) {
            return known.bucket;
        }
        Bucket bucket = new Bucket(name, spec, keys);
        open.put(name, new Open(spec, fingerprint, bucket));
        if (known != null) {
            known.bucket.close();
        }
        return bucket;
    }

    synchronized void forget(String store) {
        Open known = open.remove(store);
        if (known != null) {
            known.bucket.close();
        }
    }

    @Override
    public synchronized void close() {
        open.values().forEach(one -> one.bucket.close());
        open.clear();
    }
}
