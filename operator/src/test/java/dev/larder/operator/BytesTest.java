package dev.larder.operator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BytesTest {
    @ParameterizedTest
    @CsvSource({"0, 0", "1023, 1023", "1024, 1Ki", "1536, 1.5Ki", "1610612736, 1.5Gi", "9223372036854775807, 8Ei"})
    void bytesAreShort(long bytes, String text) {
        assertEquals(text, Bytes.text(bytes));
    }
}
