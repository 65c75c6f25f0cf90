package dev.larder.cli;

import dev.larder.crds.Manifest;
import dev.larder.crds.ObjectStore;
import dev.larder.crds.SecretReader;
import dev.larder.crds.SharedVolume;
import dev.larder.linux.Processes;
import dev.larder.protocol.MountSpec;
import dev.larder.schema.ServerLogin;
import dev.larder.schema.VolumeDatabase;
import dev.larder.schema.VolumeRow;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Makes what a manifest names: the server, the volume's database and roles, its directories. Every step may be repeated.
 * The caller holds the state directory's lock.
 */
final class Provisioner {
    private static final long MOST_CACHE_BYTES = 64L << 30;
    private static final int ROOT_MODE = 0755;

    private final StateDirectory state;
    private final Consumer<String> say;

    /** @param say takes a line for each thing that was made or found */
    Provisioner(StateDirectory state, Consumer<String> say) {
        this.state = state;
        this.say = say;
    }

    /**
     * @param mountPoint null = the volume is only to be administered
     * @return what an agent needs to serve the volume
     */
    MountSpec provision(Manifest manifest, Path mountPoint, boolean readOnly) {
        String name = manifest.volume().metadata().name();
        try {
            state.create();
            StateDirectory.makePrivate(state.volumes());
            Path directory = StateDirectory.makePrivate(state.volume(name));
            MetadataServer server = MetadataServer.of(manifest, state);
            VolumeRecord record = record(manifest, directory, server);
            MountSpec.Store objects = objects(manifest, directory, record);
            record = database(manifest, directory, server, record);
            return spec(manifest, mountPoint, readOnly, record, objects);
        } catch (IOException e) {
            throw CommandFailure.failed("volume " + name, StateDirectory.reason(e), "larder --state-dir=DIRECTORY ...");
        }
    }

    private VolumeRecord record(Manifest manifest, Path directory, MetadataServer server) throws IOException {
        String name = manifest.volume().metadata().name();
        String objects = describe(manifest.objectStore().spec(), directory);
        VolumeRecord known = VolumeRecord.read(directory);
        if (known == null) {
            VolumeRecord made = new VolumeRecord(
                    VolumeRecord.VERSION, name, server.newVolumeId(name), server.describe(), objects, null, null);
            made.write(directory);
            say.accept("volume " + name + ": new, id " + made.id());
            return made;
        }
        if (!server.isDescribedBy(known.server())) {
            throw moved(name, "metadata", known.server(), server.describe());
        }
        if (!known.objects().equals(objects)) {
            throw moved(name, "objects", known.objects(), objects);
        }
        if (known.server().equals(server.describe())) {
            return known;
        }
        VolumeRecord renamed = known.withServer(server.describe());
        renamed.write(directory);
        return renamed;
    }

    /** A manifest that names other stores means another volume: mounting it would show an empty one. */
    private static CommandFailure moved(String name, String what, String known, String wanted) {
        return CommandFailure.failed(
                "volume " + name,
                "its " + what + " are in " + known + ", but the manifest says " + wanted,
                "another metadata.name, or another --state-dir");
    }

    private static String describe(ObjectStore.Spec spec, Path volume) {
        if (spec.s3() != null) {
            String endpoint = spec.s3().endpoint() == null
                    ? "AWS " + spec.s3().region()
                    : "" + spec.s3().endpoint();
            return "s3://" + spec.s3().bucket() + "/" + spec.s3().prefix() + " at " + endpoint;
        }
        if (spec.postgres() != null) {
            return "the volume's database";
        }
        Path path = spec.directory().path();
        return "directory " + (path == null ? volume.resolve("objects") : path);
    }

    private VolumeRecord database(Manifest manifest, Path directory, MetadataServer server, VolumeRecord record)
            throws IOException {
        boolean running = server.isRunning();
        ServerLogin login = server.login();
        say.accept("metadata: " + server.describe() + (running ? "" : ", started"));
        VolumeRow row = row(manifest.volume(), record);
        boolean made = record.jdbcUrl() != null && Files.exists(directory.resolve(VolumeRecord.PASSWORD));
        if (made) {
            server.update(login, row);
        } else {
            VolumeDatabase database = server.create(login, row, state.machine());
            VolumeRecord.writePassword(directory, database.password());
            record = record.withDatabase(database.url(), database.user());
            record.write(directory);
        }
        // The embedded server may have got another port.
        String url = login.url(dev.larder.schema.SchemaMigration.databaseName(record.id()));
        if (!url.equals(record.jdbcUrl())) {
            record = record.withDatabase(url, record.user());
            record.write(directory);
        }
        say.accept("database: " + record.jdbcUrl() + (made ? "" : ", made"));
        if (manifest.objectStore().spec().postgres() != null) {
            MetadataServer.installObjects(login, record);
        }
        return record;
    }

    private static VolumeRow row(SharedVolume volume, VolumeRecord record) {
        SharedVolume.Spec spec = volume.spec();
        return new VolumeRow(
                record.id(),
                record.name(),
                spec.capacity() == null ? 0 : spec.capacity().bytes(),
                spec.inodes() == null ? 0 : spec.inodes(),
                spec.trash().duration(),
                Processes.effectiveUser(),
                Processes.effectiveGroup(),
                ROOT_MODE);
    }

    private MountSpec.Store objects(Manifest manifest, Path directory, VolumeRecord record) throws IOException {
        ObjectStore.Spec spec = manifest.objectStore().spec();
        say.accept("objects: " + record.objects());
        if (spec.postgres() != null) {
            return new MountSpec.Store(null, null, new MountSpec.Postgres());
        }
        if (spec.s3() != null) {
            return new MountSpec.Store(null, s3(manifest, spec.s3(), directory, record), null);
        }
        Path path = spec.directory().path();
        Path own = path == null
                ? directory.resolve("objects")
                : path.resolve(record.id().toString());
        return new MountSpec.Store(new MountSpec.Directory(StateDirectory.makePrivate(own)), null, null);
    }

    private static MountSpec.S3 s3(Manifest manifest, ObjectStore.S3 s3, Path directory, VolumeRecord record)
            throws IOException {
        URI proxy = s3.proxy() == null ? null : s3.proxy().url();
        return new MountSpec.S3(
                s3.endpoint() == null ? null : s3.endpoint().toString(),
                s3.bucket(),
                s3.prefix() + record.id() + "/",
                s3.region(),
                s3.pathStyle(),
                credentials(manifest, s3, directory),
                proxy == null ? null : proxy.toString(),
                proxy == null ? List.of() : s3.proxy().noProxy(),
                s3.storageClass(),
                s3.caBundle(),
                s3.checksum().text());
    }

    /** Read here, so that a missing or readable file is said before anything starts; the agent reads it again. */
    private static Path credentials(Manifest manifest, ObjectStore.S3 s3, Path directory) throws IOException {
        if (s3.credentials() == null) {
            return null;
        }
        Map<String, String> secret;
        try {
            secret = SecretReader.resolve(
                    s3.credentials(), manifest.secrets(), SecretReader.S3_KEYS, SecretReader.S3_OPTIONAL_KEYS);
        } catch (IOException e) {
            throw CommandFailure.failed(
                    "object store " + manifest.objectStore().metadata().name(), e, null);
        }
        if (s3.credentials().secretFile() != null) {
            return s3.credentials().secretFile();
        }
        StringBuilder lines = new StringBuilder();
        secret.forEach(
                (key, value) -> lines.append(key).append('=').append(value).append('\n'));
        Path file = directory.resolve("s3-credentials");
        StateDirectory.writePrivate(file, lines.toString().getBytes(StandardCharsets.UTF_8));
        return file;
    }

    private MountSpec spec(
            Manifest manifest, Path mountPoint, boolean readOnly, VolumeRecord record, MountSpec.Store objects)
            throws IOException {
        SharedVolume.Spec spec = manifest.volume().spec();
        // Each command that administers a volume without a mount has a record of its own.
        Path place = mountPoint == null
                ? Path.of(record.name(), Long.toString(ProcessHandle.current().pid()))
                : mountPoint;
        return new MountSpec(
                MountSpec.VERSION,
                record.name(),
                record.id(),
                mountPoint,
                state.mount(place),
                new MountSpec.Database(
                        record.jdbcUrl(),
                        record.user(),
                        state.volume(record.name()).resolve(VolumeRecord.PASSWORD)),
                objects,
                cache(spec.cache(), record.name(), mountPoint),
                spec.compression().text(),
                spec.consistency().text(),
                spec.durability().text(),
                readOnly || spec.mountOptions().readOnly(),
                false,
                spec.mountOptions().patience().duration().toSeconds());
    }

    /** Without a mount nothing is cached, and nothing is made. */
    private MountSpec.Cache cache(SharedVolume.Cache wanted, String volume, Path mountPoint) throws IOException {
        if (mountPoint == null) {
            return new MountSpec.Cache(state.root().resolve("cache").resolve(volume), MOST_CACHE_BYTES);
        }
        Path cache = wanted.directory() == null
                ? state.cache(volume, mountPoint)
                : wanted.directory().resolve(volume).resolve(StateDirectory.hash(mountPoint));
        StateDirectory.makePrivate(cache);
        long free = Files.getFileStore(cache).getUsableSpace();
        long capacity = wanted.capacity() == null
                ? Math.min(MOST_CACHE_BYTES, free / 2)
                : wanted.capacity().bytes();
        say.accept("cache: " + cache + ", at most " + Units.bytes(capacity));
        return new MountSpec.Cache(cache, capacity);
    }
}
