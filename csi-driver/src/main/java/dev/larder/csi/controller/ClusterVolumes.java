package dev.larder.csi.controller;

import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.csi.CsiException;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.KubernetesClientTimeoutException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.grpc.Status;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** The SharedVolumes of a cluster, through its API server. */
final class ClusterVolumes implements SharedVolumes {
    /** What the API server answers to an object that its rules refuse. */
    private static final int UNPROCESSABLE = 422;

    private final KubernetesClient client;

    ClusterVolumes(KubernetesClient client) {
        this.client = client;
    }

    private Resource<SharedVolume> at(String namespace, String name) {
        return client.resources(SharedVolume.class).inNamespace(namespace).withName(name);
    }

    @Override
    public VolumeObject find(String namespace, String name) {
        return asked("get SharedVolume " + namespace + "/" + name, () -> {
            SharedVolume found = at(namespace, name).get();
            return found == null ? null : VolumeForm.read(found);
        });
    }

    @Override
    public VolumeObject find(UUID volume) {
        return list().stream()
                .filter(object -> volume.equals(object.volume()))
                .findFirst()
                .orElse(null);
    }

    /** As it is now, from the store and not from a cache: one that was just made must not look like one that is gone. */
    @Override
    public List<VolumeObject> list() {
        return asked(
                "list SharedVolumes",
                () -> client.resources(SharedVolume.class).inAnyNamespace().list().getItems().stream()
                        .map(VolumeForm::read)
                        .filter(object -> Objects.nonNull(object.volume()))
                        .toList());
    }

    @Override
    public VolumeObject create(WantedVolume wanted) {
        ClaimNames names = wanted.names();
        return asked("create SharedVolume " + names.namespace() + "/" + names.name(), () -> {
            try {
                return VolumeForm.read(client.resource(VolumeForm.write(wanted)).create());
            } catch (KubernetesClientException e) {
                SharedVolume there = e.getCode() == HttpURLConnection.HTTP_CONFLICT
                        ? at(names.namespace(), names.name()).get()
                        : null;
                if (there == null) {
                    throw e;
                }
                return VolumeForm.read(there);
            }
        });
    }

    /** The API server refuses to lower it. */
    @Override
    public void grow(VolumeObject volume, long capacityBytes) {
        String patch = "{\"spec\":{\"capacity\":\"" + VolumeForm.quantity(capacityBytes) + "\"}}";
        asked(
                "patch SharedVolume " + volume.fullName(),
                () -> at(volume.namespace(), volume.name()).patch(PatchContext.of(PatchType.JSON_MERGE), patch));
    }

    @Override
    public void delete(VolumeObject volume) {
        asked("delete SharedVolume " + volume.fullName(), () -> {
            SharedVolume there = at(volume.namespace(), volume.name()).get();
            if (there == null || !volume.uid().equals(there.getMetadata().getUid())) {
                return List.of();
            }
            return client.resource(there)
                    .lockResourceVersion(there.getMetadata().getResourceVersion())
                    .delete();
        });
    }

    @Override
    public VolumeObject await(String namespace, String name, Predicate<VolumeObject> state, Duration patience) {
        AtomicReference<VolumeObject> seen = new AtomicReference<>();
        return asked("watch SharedVolume " + namespace + "/" + name, () -> {
            try {
                at(namespace, name)
                        .waitUntilCondition(
                                object -> {
                                    seen.set(object == null ? null : VolumeForm.read(object));
                                    return state.test(seen.get());
                                },
                                patience.toMillis(),
                                TimeUnit.MILLISECONDS);
            } catch (KubernetesClientTimeoutException e) {
                return find(namespace, name);
            }
            return seen.get();
        });
    }

    /** What an API server's refusal means to the sidecars: they come again after all but INVALID_ARGUMENT. */
    private static <T> T asked(String what, Supplier<T> call) {
        try {
            return call.get();
        } catch (KubernetesClientException e) {
            String message = "cannot " + what + ": " + e.getMessage();
            throw switch (e.getCode()) {
                case UNPROCESSABLE -> CsiException.invalid(message);
                case HttpURLConnection.HTTP_CONFLICT -> new CsiException(Status.Code.ABORTED, message);
                case HttpURLConnection.HTTP_FORBIDDEN, HttpURLConnection.HTTP_UNAUTHORIZED ->
                    new CsiException(Status.Code.UNAVAILABLE, message)
                            .next("kubectl describe clusterrole larder-csi-controller");
                default -> new CsiException(Status.Code.UNAVAILABLE, message);
            };
        }
    }
}
