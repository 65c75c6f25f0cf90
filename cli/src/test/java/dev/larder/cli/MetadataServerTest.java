package dev.larder.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import org.junit.jupiter.api.Test;

final class MetadataServerTest {
    private static String parameters(String url) {
        return MetadataServer.parameters(URI.create(url));
    }

    @Test
    void onlyThisMachineIsAskedWithoutTls() {
        assertEquals("", parameters("postgresql://localhost:5433"));
        assertEquals("", parameters("postgresql://127.0.0.1"));
        assertEquals("", parameters("postgresql://[::1]:5432/"));
        assertEquals("sslmode=require", parameters("postgresql://db"));
        assertEquals("sslmode=require", parameters("postgresql://127.0.0.1.example.org"));
        assertEquals("sslmode=require&sslcert=/c&sslkey=/k", parameters("postgresql://db?sslcert=/c&sslkey=/k"));
    }

    @Test
    void whatTheManifestSaysHolds() {
        assertEquals("sslmode=disable", parameters("postgresql://db?sslmode=disable"));
        assertEquals(
                "sslmode=verify-full&sslrootcert=/a", parameters("postgresql://db?sslmode=verify-full&sslrootcert=/a"));
        assertEquals("sslmode=require", parameters("postgresql://127.0.0.1?sslmode=require"));
    }
}
