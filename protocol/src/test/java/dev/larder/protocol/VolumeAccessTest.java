package dev.larder.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class VolumeAccessTest {
    private static final Path DIRECTORY = Path.of("/run/larder/volumes/v");

    @Test
    void aNodeFindsTheSecretsFilesInTheVolumesOwnDirectory() {
        MountSpec spec = access().mountSpec(
                        Path.of("/m"), DIRECTORY, List.of("password", VolumeAccess.S3_CREDENTIALS), null, true);
        assertTrue(spec.exclusive());
        assertEquals(DIRECTORY.resolve("password"), spec.database().passwordFile());
        assertEquals(
                "jdbc:postgresql://db/x?sslrootcert=/run/larder/volumes/v/database-ca.pem",
                spec.database().jdbcUrl());
        assertEquals(
                DIRECTORY.resolve("s3-credentials"), spec.objectStore().s3().credentialsFile());
        assertNull(spec.objectStore().s3().caBundle());
    }

    @Test
    void aRecordOfAnEarlierVersionIsNotExclusive() throws IOException {
        MountSpec spec = access().mountSpec(Path.of("/m"), DIRECTORY, List.of("password"), null, true);
        String json = ControlProtocol.json().writeValueAsString(spec);
        assertEquals(spec, ControlProtocol.json().readValue(json, MountSpec.class));
        String earlier = json.replace("\"exclusive\":true,", "");
        assertFalse(ControlProtocol.json().readValue(earlier, MountSpec.class).exclusive());
    }

    @Test
    void survivesItsJsonAndAMemberOfALaterVersion() throws IOException {
        String json = ControlProtocol.json().writeValueAsString(access());
        assertFalse(json.contains("null"), json);
        String later = json.replaceFirst("\\{", "{\"later\":{\"x\":1},");
        assertEquals(access(), ControlProtocol.json().readValue(later, VolumeAccess.class));
    }

    private static VolumeAccess access() {
        return new VolumeAccess(
                VolumeAccess.VERSION,
                3,
                "team/data",
                new UUID(1, 2),
                "jdbc:postgresql://db/x?sslrootcert={directory}/database-ca.pem",
                "larder_x_a",
                new VolumeAccess.Store(
                        null,
                        new VolumeAccess.S3(
                                "http://s3", "bucket", "p/id/", "us-east-1", true, null, null, null, "crc32c"),
                        null),
                "none",
                "closeToOpen",
                "onFsync",
                120,
                0);
    }
}
