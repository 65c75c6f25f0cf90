package dev.larder.cli;

import dev.larder.protocol.ControlProtocol;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.UUID;

/**
 * What this machine knows of a volume that it provisioned: {@code volumes/NAME/volume.json}, and {@code password} beside
 * it.
 *
 * @param server the metadata server, for people and to notice a manifest that names another
 * @param objects the place of the objects, likewise
 * @param jdbcUrl of the volume's own database; null until it is made
 */
record VolumeRecord(int version, String name, UUID id, String server, String objects, String jdbcUrl, String user) {
    static final int VERSION = 1;
    static final String FILE = "volume.json";
    static final String PASSWORD = "password";

    static VolumeRecord read(Path directory) {
        Path file = directory.resolve(FILE);
        try {
            VolumeRecord record = ControlProtocol.json().readValue(Files.readAllBytes(file), VolumeRecord.class);
            if (record.version() > VERSION) {
                throw CommandFailure.failed("volume record " + file, "was written by a newer larder", "a newer larder");
            }
            return record;
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw CommandFailure.failed("volume record " + file, StateDirectory.reason(e), null);
        }
    }

    void write(Path directory) throws IOException {
        StateDirectory.writePrivate(
                directory.resolve(FILE),
                ControlProtocol.json().writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
    }

    VolumeRecord withDatabase(String url, String login) {
        return new VolumeRecord(version, name, id, server, objects, url, login);
    }

    VolumeRecord withServer(String described) {
        return new VolumeRecord(version, name, id, described, objects, jdbcUrl, user);
    }

    static void writePassword(Path directory, String password) throws IOException {
        StateDirectory.writePrivate(directory.resolve(PASSWORD), password.getBytes(StandardCharsets.UTF_8));
    }
}
