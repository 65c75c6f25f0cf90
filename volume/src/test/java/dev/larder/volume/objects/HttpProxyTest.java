package dev.larder.volume.objects;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpProxyTest {
    @ParameterizedTest
    @CsvSource({
        "example.com, example.com, false",
        "example.com, s3.example.com, false",
        "example.com, notexample.com, true",
        ".example.com, s3.example.com, false",
        "*.example.com, s3.EXAMPLE.com, false",
        "10.0.0.0/8, 10.1.2.3, false",
        "10.0.0.0/8, 11.1.2.3, true",
        "192.168.4.0/23, 192.168.5.9, false",
        "192.168.4.0/23, 192.168.6.9, true",
        "10.0.0.0/8, s3.example.com, true",
        "*, anything, false",
        "'', anything, true"
    })
    void noProxyList(String list, String host, boolean served) {
        assertEquals(served, HttpProxy.parse("http://proxy:3128", list).serves(host));
    }

    @Test
    void partsOfTheUrl() {
        HttpProxy proxy = HttpProxy.parse("https://u%3Aser:p%2Fw@proxy.example", " a , b ");
        assertEquals("https://proxy.example:443", proxy.endpoint().toString());
        assertEquals("u:ser", proxy.user());
        assertEquals("p/w", proxy.password());
        assertEquals(java.util.List.of("a", "b"), proxy.noProxy());
        assertThrows(IllegalArgumentException.class, () -> HttpProxy.parse("proxy:3128", ""));
        assertThrows(IllegalArgumentException.class, () -> HttpProxy.parse("socks5://proxy:1080", ""));
    }
}
