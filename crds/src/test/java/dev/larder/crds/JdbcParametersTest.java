package dev.larder.crds;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class JdbcParametersTest {
    private static String parameters(String url) {
        return PostgresUrl.parse(url).jdbcParameters();
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
    void ofSeveralServersThePrimaryIsAsked() {
        assertEquals("targetServerType=primary", parameters("postgresql://127.0.0.1:1,127.0.0.1:2"));
        assertEquals("sslmode=require&targetServerType=primary", parameters("postgresql://localhost,db"));
        assertEquals("targetServerType=primary", parameters("postgresql://[::1]?target_session_attrs=read-write"));
        assertEquals(
                "sslmode=disable&targetServerType=primary",
                parameters("postgresql://a,b?sslmode=disable&targetServerType=primary"));
    }

    @Test
    void whatTheManifestSaysHolds() {
        assertEquals("sslmode=disable", parameters("postgresql://db?sslmode=disable"));
        assertEquals(
                "sslmode=verify-full&sslrootcert=/a", parameters("postgresql://db?sslmode=verify-full&sslrootcert=/a"));
        assertEquals("sslmode=require", parameters("postgresql://127.0.0.1?sslmode=require"));
    }
}
