package dev.larder.volume.objects;

import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The HTTP proxy of one store and the hosts that are reached without it.
 *
 * @param endpoint http:// or https:// with host and port, without user info
 * @param user null when the proxy asks for none
 * @param password null when the proxy asks for none; never printed
 * @param noProxy hosts, ".suffix" or "*.suffix", addresses, CIDR ranges, or "*"
 */
public record HttpProxy(URI endpoint, String user, String password, List<String> noProxy) {
    public HttpProxy {
        noProxy = List.copyOf(noProxy);
    }

    /**
     * From the usual texts of HTTPS_PROXY and NO_PROXY.
     *
     * @param url http://[user:password@]host:port, escaped as in any URL
     * @param noProxyList comma-separated, may be empty
     * @throws IllegalArgumentException the message never holds the password
     */
    public static HttpProxy parse(String url, String noProxyList) {
        URI uri = uri(url);
        if (uri.getHost() == null || !List.of("http", "https").contains(String.valueOf(uri.getScheme()))) {
            throw new IllegalArgumentException("the proxy is not of the form http://[user:password@]host:port");
        }
        String[] userInfo = uri.getRawUserInfo() == null
                ? new String[] {null, null}
                : Arrays.copyOf(uri.getRawUserInfo().split(":", 2), 2);
        int port = uri.getPort() >= 0 ? uri.getPort() : "https".equals(uri.getScheme()) ? 443 : 80;
        return new HttpProxy(
                URI.create(uri.getScheme() + "://" + uri.getHost() + ":" + port),
                unescape(userInfo[0]),
                unescape(userInfo[1]),
                Arrays.stream(noProxyList.split(","))
                        .map(String::strip)
                        .filter(host -> !host.isEmpty())
                        .toList());
    }

    /** Whether requests to that host go through the proxy. */
    boolean serves(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        return noProxy.stream().noneMatch(pattern -> exempts(pattern.toLowerCase(Locale.ROOT), name));
    }

    private static boolean exempts(String pattern, String host) {
        if (pattern.equals("*") || pattern.equals(host)) {
            return true;
        }
        if (pattern.contains("/")) {
            return isAddress(host) && inRange(pattern, host);
        }
        String suffix = pattern.startsWith("*") ? pattern.substring(1) : pattern;
        return suffix.startsWith(".")
                ? host.endsWith(suffix) || host.equals(suffix.substring(1))
                : host.endsWith("." + suffix);
    }

    private static boolean inRange(String cidr, String address) {
        String[] parts = cidr.split("/", 2);
        if (!isAddress(parts[0]) || !parts[1].matches("\\d{1,3}")) {
            return false;
        }
        byte[] network = InetAddress.ofLiteral(parts[0]).getAddress();
        byte[] candidate = InetAddress.ofLiteral(address).getAddress();
        int bits = Math.min(Integer.parseInt(parts[1]), network.length * 8);
        return network.length == candidate.length && samePrefix(network, candidate, bits);
    }

    private static boolean samePrefix(byte[] one, byte[] other, int bits) {
        int whole = bits / 8;
        int mask = bits % 8 == 0 ? 0 : 0xff << (8 - bits % 8) & 0xff;
        return Arrays.equals(one, 0, whole, other, 0, whole)
                && (mask == 0 || (one[whole] & mask) == (other[whole] & mask));
    }

    private static boolean isAddress(String host) {
        return host.contains(":") || host.matches("\\d{1,3}(\\.\\d{1,3}){3}");
    }

    private static URI uri(String url) {
        try {
            return URI.create(url);
        } catch (IllegalArgumentException malformed) {
            // The cause's message would repeat the URL with its password.
            throw new IllegalArgumentException("the proxy is not a URL of the form http://[user:password@]host:port");
        }
    }

    private static String unescape(String text) {
        return text == null ? null : java.net.URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return "HttpProxy[" + endpoint + (user == null ? "" : ", with user") + ", noProxy=" + noProxy + "]";
    }
}
