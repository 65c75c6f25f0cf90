package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionsTest {
    @Test
    void theFlagWinsOverTheVariableAndThatOverTheDefault() {
        Options options = Options.parse(
                List.of("--health-port=9", "--purge-after=12h"),
                Map.of("LARDER_NAMESPACE", "ns", "LARDER_HEALTH_PORT", "8", "LARDER_DIRECTORIES", "/a, /b"));
        assertEquals("ns", options.namespace());
        assertEquals(9, options.healthPort());
        assertEquals("larder", options.storageClass());
        assertEquals(Duration.ofHours(12), options.purgeAfter());
        assertEquals(Duration.ofSeconds(60), options.refresh());
        assertEquals(Duration.ofMinutes(10), options.adoption());
        assertTrue(options.leaderElection());
        assertEquals(List.of(Path.of("/a"), Path.of("/b")), options.directories());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--health-port=x | --health-port=x is no port",
                "--health-port=70000 | is no port",
                "--refresh=soon | --refresh=soon is not a time",
                "--refresh=0 | is not a time",
                "--leader-election=maybe | is neither true nor false",
                "--directories=a | a is not an absolute path",
                "--directories=/a/../b | is not an absolute path",
                "--colour=red | no option --colour",
                "--refresh | --refresh needs a value",
                "--namespace= | --namespace is not given",
            })
    void whatIsWrongIsNamed(String argument, String sentence) {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> Options.parse(List.of("--namespace=ns", argument), Map.of()));
        assertTrue(e.getMessage().contains(sentence), e.getMessage());
    }

    @Test
    void theHelpListsEveryOption() {
        String help = Options.help();
        assertEquals(
                List.of(),
                Arrays.stream(Options.Option.values())
                        .filter(option -> !help.contains(option.flag() + "=") || !help.contains(option.variable()))
                        .toList());
    }
}
