package dev.larder.crds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.crds.PostgresUrl.Server;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PostgresUrlTest {
    @Test
    void oneServerIsAskedWhateverItIs() {
        PostgresUrl url = PostgresUrl.parse("postgres://db");
        assertEquals(List.of(new Server("db", 5432)), url.servers());
        assertFalse(url.primary());
        assertEquals("", url.parameters());
    }

    @Test
    void ofSeveralThePrimaryIsWanted() {
        PostgresUrl url = PostgresUrl.parse("postgresql://a:5433,b,[::1]:7/postgres?sslmode=require");
        assertEquals(List.of(new Server("a", 5433), new Server("b", 5432), new Server("::1", 7)), url.servers());
        assertEquals("[::1]:7", url.servers().getLast().toString());
        assertTrue(url.primary());
        assertEquals("sslmode=require", url.parameters());
    }

    @Test
    void bothWordsForThePrimaryAreTaken() {
        for (String words : List.of(
                "targetServerType=primary", "target_session_attrs=read-write", "target_session_attrs=primary")) {
            PostgresUrl url = PostgresUrl.parse("postgresql://a?" + words + "&sslmode=disable");
            assertTrue(url.primary(), words);
            assertEquals("sslmode=disable", url.parameters(), words);
        }
    }

    @Test
    void tooManyServersAreRefused() {
        String hosts =
                String.join(",", IntStream.range(0, 17).mapToObj(i -> "h" + i).toList());
        assertThrows(IllegalArgumentException.class, () -> PostgresUrl.parse("postgresql://" + hosts));
    }
}
