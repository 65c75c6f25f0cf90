package dev.larder.operator;

import dev.larder.crds.v1alpha1.SharedVolume;
import dev.larder.schema.VolumeLogins.Side;
import dev.larder.schema.VolumeRegistry;
import dev.larder.schema.VolumeState;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Secret;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * All that a plan is made from, read at one moment.
 *
 * @param volume with its identity in the status
 * @param entry of the metadata server's registry
 * @param state of the volume's database; empty while it is not finished
 * @param prefixOwned whether the folder in the bucket is known to be ours; true without a bucket
 * @param objectTables whether the tables for objects are known to be there; true unless the bytes are in PostgreSQL
 * @param enabled logins that can connect
 * @param passwordWorks whether the Secret's login and password are taken by the database
 */
record Observed(
        SharedVolume volume,
        UUID id,
        Stores.Chosen stores,
        Optional<VolumeRegistry.Entry> entry,
        Optional<VolumeState> state,
        boolean prefixOwned,
        boolean objectTables,
        Set<Side> enabled,
        Optional<Secret> secret,
        boolean passwordWorks,
        Optional<PersistentVolume> persistentVolume,
        Optional<PersistentVolumeClaim> claim,
        Instant at) {}
