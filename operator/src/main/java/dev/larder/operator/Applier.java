package dev.larder.operator;

import dev.larder.crds.v1alpha1.Group;
import dev.larder.crds.v1alpha1.ObjectStoreSpec;
import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.operator.Problem.Cause;
import dev.larder.schema.PostgresException;
import dev.larder.schema.SchemaMigration;
import dev.larder.schema.VolumeLogins;
import dev.larder.schema.VolumeLogins.Side;
import dev.larder.schema.VolumeRegistry;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries out a plan, step by step; the first failure ends it, and the next reconciliation plans anew. */
final class Applier {
    private static final Logger LOG = LoggerFactory.getLogger(Applier.class);
    private static final int UNPROCESSABLE = 422;

    private final KubernetesClient client;
    private final Options options;
    private final String clusterId;
    private final Clock clock;
    private final Consumer<Step> applied;

    /** @param applied is told each step after it is done */
    Applier(KubernetesClient client, Options options, String clusterId, Clock clock, Consumer<Step> applied) {
        this.applied = applied;
        this.client = client;
        this.options = options;
        this.clusterId = clusterId;
        this.clock = clock;
    }

    void apply(Observed seen, List<Step> plan) {
        Run run = new Run(seen);
        try {
            for (Step step : plan) {
                run.apply(step);
                LOG.info("applied volume={} id={} step={}", Made.fullName(seen.volume()), seen.id(), step);
                applied.accept(step);
            }
        } catch (PostgresException e) {
            throw Observer.databaseFailed(seen.stores().metadata().getMetadata().getName(), e);
        }
    }

    /** One plan being carried out: later steps need the Secret that an earlier one wrote. */
    private final class Run {
        private final Observed seen;
        private final UUID id;
        private final SharedVolume volume;
        private Secret secret;
        private PersistentVolumeClaim claim;

        Run(Observed seen) {
            this.seen = seen;
            this.id = seen.id();
            this.volume = seen.volume();
            this.secret = seen.secret().orElse(null);
            this.claim = seen.claim().orElse(null);
        }

        void apply(Step step) {
            SchemaMigration schema =
                    new SchemaMigration(seen.stores().database().admin());
            VolumeLogins logins = new VolumeLogins(seen.stores().database().admin());
            switch (step) {
                case Step.Enter() -> enter();
                case Step.MakeDatabase() -> schema.provision(Planner.row(seen));
                case Step.MakeObjectTables() -> schema.installObjects(id);
                case Step.SetLimits() -> schema.limit(Planner.row(seen));
                case Step.OwnPrefix() -> seen.stores().bucket().own(Observer.owner(volume, id, clusterId));
                case Step.WriteSecret write -> writeSecret(write);
                case Step.EnableLogin() ->
                    logins.enable(
                            id,
                            AccessSecret.side(secret),
                            AccessSecret.password(secret).orElseThrow());
                case Step.DisableLogin(Side side) -> logins.disable(id, side);
                case Step.MakeClaim() -> claim = makeClaim();
                case Step.GrowClaim() -> growClaim();
                case Step.MakePersistentVolume() -> makePersistentVolume();
                case Step.BindPersistentVolume() -> bindPersistentVolume();
            }
        }

        private void enter() {
            VolumeRegistry registry =
                    new VolumeRegistry(seen.stores().database().admin());
            String namespace = volume.getMetadata().getNamespace();
            String name = volume.getMetadata().getName();
            if (seen.entry().isPresent()) {
                registry.adopt(id, clusterId, namespace, name);
                return;
            }
            var entry = registry.enter(
                    id,
                    clusterId,
                    namespace,
                    name,
                    seen.stores().objects().getMetadata().getName());
            if (!entry.belongsTo(clusterId, namespace)) {
                throw new Problem(
                        Cause.OwnedByAnother,
                        "volume " + id + " was entered by " + entry.namespace() + "/" + entry.name()
                                + " of another cluster; delete this SharedVolume and make another");
            }
        }

        /** The generation is a time, so that it grows even when a Secret was lost. */
        private void writeSecret(Step.WriteSecret write) {
            long before = secret == null ? 0 : AccessSecret.generation(secret);
            long generation = Math.max(before + 1, clock.millis());
            String password = write.newPassword()
                    ? AccessSecret.newPassword()
                    : AccessSecret.password(secret).orElseThrow();
            Instant renewAt =
                    secret == null ? null : AccessSecret.renewKeysAt(secret).orElse(null);
            String keys = secret == null ? null : AccessSecret.keys(secret);
            if (write.newKeys()) {
                Keys issued = issue();
                keys = issued == null ? null : issued.file();
                renewAt = issued == null || issued.expires() == null ? null : halfLife(issued.expires());
            }
            Map<String, String> members = AccessSecret.members(seen, generation, write.side(), password, keys);
            Secret wanted = AccessSecret.build(seen, options.namespace(), generation, members);
            if (renewAt != null) {
                wanted.getMetadata().getAnnotations().put(AccessSecret.RENEW_KEYS, renewAt.toString());
            }
            retire(wanted, write.side());
            secret = secret == null ? client.resource(wanted).create() : replace(wanted);
        }

        private Instant halfLife(Instant expires) {
            Instant now = clock.instant();
            return now.plus(Duration.between(now, expires).dividedBy(2)).truncatedTo(ChronoUnit.SECONDS);
        }

        private Keys issue() {
            ObjectStoreSpec.S3 s3 = seen.stores().objects().getSpec().s3();
            boolean session = s3 != null
                    && s3.credentials() != null
                    && s3.credentials().type() == ObjectStoreSpec.CredentialType.ASSUME_ROLE;
            return session
                    ? SessionKeys.issue(
                            seen.stores().objects().getMetadata().getName(),
                            s3,
                            seen.stores().keys(),
                            id)
                    : seen.stores().keys();
        }

        private void retire(Secret wanted, Side side) {
            String already = secret == null ? "" : ClusterView.annotation(secret, AccessSecret.RETIRING);
            if (!already.isEmpty()) {
                wanted.getMetadata().getAnnotations().put(AccessSecret.RETIRING, already);
            } else if (seen.enabled().contains(side.other())) {
                wanted.getMetadata()
                        .getAnnotations()
                        .put(
                                AccessSecret.RETIRING,
                                clock.instant()
                                        .plus(options.adoption())
                                        .truncatedTo(ChronoUnit.SECONDS)
                                        .toString());
            }
        }

        private Secret replace(Secret wanted) {
            Secret locked = new SecretBuilder(wanted)
                    .editMetadata()
                    .withResourceVersion(secret.getMetadata().getResourceVersion())
                    .endMetadata()
                    .build();
            return client.resource(locked).update();
        }

        private void makePersistentVolume() {
            var wanted = Made.persistentVolume(
                    volume, claim.getMetadata().getUid(), options.namespace(), options.storageClass());
            try {
                client.resource(wanted).create();
            } catch (KubernetesClientException e) {
                if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                    throw e;
                }
                var there = client.persistentVolumes()
                        .withName(wanted.getMetadata().getName())
                        .get();
                if (there != null && !ClusterView.volumeId(there).equals(id.toString())) {
                    throw taken("PersistentVolume " + wanted.getMetadata().getName(), e);
                }
            }
        }

        private void bindPersistentVolume() {
            var there = seen.persistentVolume().orElseThrow();
            client.persistentVolumes()
                    .withName(there.getMetadata().getName())
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            "{\"metadata\":{\"resourceVersion\":\""
                                    + there.getMetadata().getResourceVersion()
                                    + "\"},\"spec\":{\"claimRef\":{\"uid\":\""
                                    + claim.getMetadata().getUid() + "\",\"resourceVersion\":null}}}");
        }

        private PersistentVolumeClaim makeClaim() {
            PersistentVolumeClaim wanted = Made.claim(volume, options.storageClass());
            try {
                return client.resource(wanted).create();
            } catch (KubernetesClientException e) {
                if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                    throw e;
                }
                return recognize(wanted, e);
            }
        }

        /** A claim of that name is there: ours, which the watch has not told yet or which lost its label, or another's. */
        private PersistentVolumeClaim recognize(PersistentVolumeClaim wanted, KubernetesClientException conflict) {
            PersistentVolumeClaim there = client.persistentVolumeClaims()
                    .inNamespace(volume.getMetadata().getNamespace())
                    .withName(volume.getMetadata().getName())
                    .get();
            if (there == null) {
                throw conflict;
            }
            if (ClusterView.volumeId(there).equals(id.toString())) {
                return there;
            }
            if (!wanted.getSpec().getVolumeName().equals(there.getSpec().getVolumeName())) {
                throw taken("PersistentVolumeClaim " + Made.fullName(volume), conflict);
            }
            return client.resource(there)
                    .edit(found -> new PersistentVolumeClaimBuilder(found)
                            .editMetadata()
                            .addToLabels(Made.labels(id))
                            .addToAnnotations(Made.annotations(volume))
                            .endMetadata()
                            .build());
        }

        private Problem taken(String what, Exception because) {
            return new Problem(
                    Cause.NameTaken,
                    what + " is there and was made for something else: it is not touched; delete it, or give the "
                            + "SharedVolume another name",
                    because);
        }

        private void growClaim() {
            String size = volume.getSpec().capacity().toString();
            try {
                client.persistentVolumeClaims()
                        .inNamespace(volume.getMetadata().getNamespace())
                        .withName(volume.getMetadata().getName())
                        .patch(
                                PatchContext.of(PatchType.JSON_MERGE),
                                "{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"" + size + "\"}}}}");
            } catch (KubernetesClientException e) {
                if (e.getCode() != UNPROCESSABLE && e.getCode() != HttpURLConnection.HTTP_FORBIDDEN) {
                    throw e;
                }
                throw new Problem(
                        Cause.StorageClassNotFound,
                        "PersistentVolumeClaim " + Made.fullName(volume) + " cannot grow to " + size + ": "
                                + e.getStatus().getMessage() + "; kubectl describe storageclass "
                                + options.storageClass() + " (" + Group.DRIVER + ", allowVolumeExpansion: true)",
                        e);
            }
        }
    }
}
