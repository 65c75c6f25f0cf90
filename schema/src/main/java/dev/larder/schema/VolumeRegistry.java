package dev.larder.schema;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Which volumes clusters have made on one server, in a small database of its own. A volume is entered here before
 * anything of it is made, and struck off after everything of it is gone: a database that is not entered is not ours, and
 * is never altered or dropped. Deleted volumes wait here until they are purged.
 */
public final class VolumeRegistry {
    /** Its database. Volumes' databases are named after uuids, so none can have this name. */
    public static final String DATABASE = "larder_registry";

    private static final String TABLE = """
            CREATE TABLE IF NOT EXISTS public.volume (
                id           uuid PRIMARY KEY,
                format       int  NOT NULL DEFAULT 1,
                cluster      text NOT NULL,
                namespace    text NOT NULL,
                name         text NOT NULL,
                object_store text NOT NULL,
                state        text NOT NULL CHECK (state IN ('LIVE', 'RETAINED', 'TRASHED')),
                since        timestamptz NOT NULL DEFAULT now(),
                purge_after  timestamptz
            )""";

    private static final String COLUMNS = "id, cluster, namespace, name, object_store, state, purge_after";

    private final ServerLogin admin;

    /** @param admin a login that may create databases */
    public VolumeRegistry(ServerLogin admin) {
        this.admin = admin;
    }

    public enum State {
        /** A SharedVolume stands for it. */
        LIVE,
        /** Its SharedVolume was deleted, its data stays until somebody adopts it. */
        RETAINED,
        /** Its SharedVolume was deleted, and its data goes after a time unless somebody adopts it. */
        TRASHED
    }

    /**
     * Whose a volume is.
     *
     * @param cluster uid of the cluster
     * @param purgeAfter null unless it is in the trash
     */
    public record Entry(
            UUID id,
            String cluster,
            String namespace,
            String name,
            String objectStore,
            State state,
            OffsetDateTime purgeAfter) {
        /** Whether it is the same volume of the same owner. */
        public boolean belongsTo(String otherCluster, String otherNamespace) {
            return cluster.equals(otherCluster) && namespace.equals(otherNamespace);
        }
    }

    /** Makes the registry if the server has none. */
    public void install() {
        try {
            try (Connection server = SchemaMigration.connect(admin, "postgres");
                    Statement statement = server.createStatement()) {
                if (!SchemaMigration.exists(server, "SELECT FROM pg_catalog.pg_database WHERE datname = ?", DATABASE)) {
                    statement.execute("CREATE DATABASE " + DATABASE + " ENCODING 'UTF8' TEMPLATE template0");
                }
                statement.execute("REVOKE ALL ON DATABASE " + DATABASE + " FROM PUBLIC");
            }
            try (Connection registry = connect();
                    Statement statement = registry.createStatement()) {
                statement.execute(TABLE);
            }
        } catch (SQLException e) {
            throw failed("make the registry of volumes", e);
        }
    }

    /** What is entered under this id. */
    public Optional<Entry> find(UUID volume) {
        try (Connection registry = connect();
                PreparedStatement query =
                        registry.prepareStatement("SELECT " + COLUMNS + " FROM public.volume WHERE id = ?")) {
            query.setObject(1, volume);
            return read(query).stream().findFirst();
        } catch (SQLException e) {
            throw failed("look up volume " + volume, e);
        }
    }

    /**
     * Enters a new volume, before anything of it is made. One that is entered already stays as it is.
     *
     * @return what is entered now: perhaps another owner's
     * @throws PostgresException when a database of the volume's name is there that nobody entered
     */
    public Entry enter(UUID volume, String cluster, String namespace, String name, String objectStore) {
        Optional<Entry> known = find(volume);
        if (known.isPresent()) {
            return known.get();
        }
        String database = SchemaMigration.databaseName(volume);
        try (Connection registry = connect()) {
            if (SchemaMigration.exists(registry, "SELECT FROM pg_catalog.pg_database WHERE datname = ?", database)) {
                throw new PostgresException("database " + database + " on " + admin
                        + " is there, but no cluster has entered it in " + DATABASE + ": it is not touched");
            }
            try (PreparedStatement insert = registry.prepareStatement(
                    "INSERT INTO public.volume (id, cluster, namespace, name, object_store, state)"
                            + " VALUES (?, ?, ?, ?, ?, 'LIVE') ON CONFLICT DO NOTHING")) {
                insert.setObject(1, volume);
                insert.setString(2, cluster);
                insert.setString(3, namespace);
                insert.setString(4, name);
                insert.setString(5, objectStore);
                insert.executeUpdate();
            }
        } catch (SQLException e) {
            throw failed("enter volume " + volume, e);
        }
        return find(volume).orElseThrow();
    }

    /**
     * A deleted volume lives again under a name, or one of another cluster, which then must not use it any more. Nothing
     * happens to one that lives in this cluster already.
     */
    public void adopt(UUID volume, String cluster, String namespace, String name) {
        change(
                volume,
                "UPDATE public.volume SET state = 'LIVE', since = now(), purge_after = NULL, cluster = ?,"
                        + " namespace = ?, name = ? WHERE (state <> 'LIVE' OR cluster <> ?) AND id = ?",
                cluster,
                namespace,
                name,
                cluster);
    }

    /** The volume that lives under this name, whatever its SharedVolume remembers. */
    public Optional<Entry> living(String cluster, String namespace, String name) {
        try (Connection registry = connect();
                PreparedStatement query = registry.prepareStatement("SELECT " + COLUMNS
                        + " FROM public.volume WHERE state = 'LIVE' AND cluster = ? AND namespace = ? AND name = ?"
                        + " ORDER BY since LIMIT 1")) {
            query.setString(1, cluster);
            query.setString(2, namespace);
            query.setString(3, name);
            return read(query).stream().findFirst();
        } catch (SQLException e) {
            throw failed("look up volume " + namespace + "/" + name, e);
        }
    }

    /** Its SharedVolume is going, its data stays. */
    public void retain(UUID volume) {
        change(
                volume,
                "UPDATE public.volume SET state = 'RETAINED', since = now(), purge_after = NULL"
                        + " WHERE id = ? AND state <> 'RETAINED'");
    }

    /** Its SharedVolume is going, its data follows after this time. One that is in the trash already keeps its time. */
    public void trash(UUID volume, Duration keep) {
        change(
                volume,
                "UPDATE public.volume SET state = 'TRASHED', since = now(),"
                        + " purge_after = now() + ?::bigint * interval '1 second' WHERE id = ? AND state <> 'TRASHED'",
                Long.toString(keep.toSeconds()));
    }

    /** Those of a cluster whose time is over, the oldest first. */
    public List<Entry> purgeable(String cluster, int most) {
        try (Connection registry = connect();
                PreparedStatement query = registry.prepareStatement("SELECT " + COLUMNS
                        + " FROM public.volume WHERE state = 'TRASHED' AND cluster = ? AND purge_after < now()"
                        + " ORDER BY purge_after LIMIT ?")) {
            query.setString(1, cluster);
            query.setInt(2, most);
            return read(query);
        } catch (SQLException e) {
            throw failed("look for volumes to purge", e);
        }
    }

    /** Strikes off a volume that is in the trash, after everything of it is gone. */
    public void strike(UUID volume) {
        change(volume, "DELETE FROM public.volume WHERE id = ? AND state = 'TRASHED'");
    }

    private void change(UUID volume, String sql, String... values) {
        try (Connection registry = connect();
                PreparedStatement statement = registry.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setString(i + 1, values[i]);
            }
            statement.setObject(values.length + 1, volume);
            statement.executeUpdate();
        } catch (SQLException e) {
            throw failed("change the entry of volume " + volume, e);
        }
    }

    private static List<Entry> read(PreparedStatement query) throws SQLException {
        List<Entry> entries = new ArrayList<>();
        try (ResultSet row = query.executeQuery()) {
            while (row.next()) {
                OffsetDateTime purge = row.getObject(7, OffsetDateTime.class);
                entries.add(new Entry(
                        row.getObject(1, UUID.class),
                        row.getString(2),
                        row.getString(3),
                        row.getString(4),
                        row.getString(5),
                        State.valueOf(row.getString(6)),
                        purge == null ? null : purge.withOffsetSameInstant(ZoneOffset.UTC)));
            }
        }
        return entries;
    }

    private Connection connect() throws SQLException {
        return SchemaMigration.connect(admin, DATABASE);
    }

    private PostgresException failed(String what, SQLException cause) {
        return new PostgresException("cannot " + what + " on " + admin + ": " + cause.getMessage(), cause);
    }
}
