package dev.larder.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountDirectoryTest {
    @TempDir
    private Path root;

    /** Otherwise a volume could not be mounted a second time on the same mount point. */
    @Test
    void forgetsSessionAndBackingIdsOfAnEndedMount() {
        MountDirectory directory = new MountDirectory(root);
        directory.rememberSession(new UUID(1, 2));
        try (BackingIds ids = BackingIds.open(directory.backing())) {
            ids.opened(7, 3);
        }
        directory.forget();
        assertNull(directory.rememberedSession());
        assertFalse(Files.exists(directory.backing()));
        directory.forget();
        try (BackingIds ids = BackingIds.open(directory.backing())) {
            assertEquals(0, ids.backing(7));
        }
    }
}
