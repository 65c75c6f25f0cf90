package dev.larder.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountDirectoryTest {
    @TempDir
    private Path root;

    @Test
    void nothingOfAMountThatIsGoneIsContinued() throws IOException {
        MountDirectory directory = new MountDirectory(root);
        directory.forget();
        UUID session = UUID.randomUUID();
        directory.rememberSession(session);
        assertEquals(session, directory.rememberedSession());
        Files.createDirectory(directory.backing());
        Files.writeString(directory.backing().resolve("1"), "a journal");
        Files.writeString(directory.spec(), "{}");
        directory.forget();
        assertNull(directory.rememberedSession());
        try (Stream<Path> left = Files.list(root)) {
            assertEquals(List.of(directory.spec()), left.toList());
        }
    }
}
