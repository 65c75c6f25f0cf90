package dev.larder.crds;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code postgresql://HOST[:PORT][,HOST[:PORT]...][/postgres][?PARAMETERS]}: a server, or a primary and its standbys, as
 * libpq and JDBC write them.
 *
 * @param servers at least one, none twice
 * @param primary the server that is written to is asked for; with several servers always
 * @param parameters of TLS, as in a URL's query; "" for none
 */
public record PostgresUrl(List<Server> servers, boolean primary, String parameters) {
    private static final int DEFAULT_PORT = 5432;
    private static final int MOST_SERVERS = 16;
    private static final Pattern FORM = Pattern.compile("postgres(?:ql)?://([^/?#]*)(?:/|/postgres)?(?:\\?([^#]*))?");
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.[0-9]+){3}|::1");
    private static final Pattern MODE = Pattern.compile("(^|&)sslmode=");
    private static final Pattern SECRET = Pattern.compile("(?i)(user|password|sslpassword)=.*");

    /** @param host a name or an address, without brackets */
    public record Server(String host, int port) {
        /** host:port, an IPv6 address in brackets. */
        @Override
        public String toString() {
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }

    public PostgresUrl {
        servers = List.copyOf(servers);
    }

    /** @throws IllegalArgumentException its message says what is wrong with the URL: "has ...", "needs ..." */
    public static PostgresUrl parse(String text) {
        Matcher url = FORM.matcher(text);
        if (!url.matches()) {
            throw form();
        }
        String authority = url.group(1);
        String query = url.group(2) == null ? "" : url.group(2);
        if (authority.contains("@") || Pattern.compile("&").splitAsStream(query).anyMatch(PostgresUrl::isSecret)) {
            throw new IllegalArgumentException("holds a user or password: put both into the secret");
        }
        List<Server> servers = new ArrayList<>();
        for (String one : authority.split(",", -1)) {
            Server server = server(one);
            if (servers.contains(server)) {
                throw new IllegalArgumentException("names " + server + " twice");
            }
            servers.add(server);
        }
        if (servers.size() > MOST_SERVERS) {
            throw new IllegalArgumentException("names more than " + MOST_SERVERS + " servers");
        }
        UrlParameters parameters = UrlParameters.parse(query);
        return new PostgresUrl(servers, parameters.primary() || servers.size() > 1, parameters.tls());
    }

    /** What leaves the machine is encrypted unless the URL says otherwise. */
    public String tls() {
        boolean mode = MODE.matcher(parameters).find();
        boolean here = servers.stream()
                .allMatch(server -> LOOPBACK.matcher(server.host()).matches());
        return mode || here ? parameters : join("sslmode=require", parameters);
    }

    /** The parameters of a connection, for JDBC; "" for none. */
    public String jdbcParameters() {
        return join(tls(), primary ? "targetServerType=primary" : "");
    }

    private static String join(String... parameters) {
        return Stream.of(parameters).filter(some -> !some.isEmpty()).collect(Collectors.joining("&"));
    }

    private static Server server(String authority) {
        try {
            URI server = new URI("postgresql://" + authority);
            String host = server.getHost();
            if (host == null || server.getPort() == 0 || server.getPort() > 65_535) {
                throw form();
            }
            return new Server(
                    host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
                    server.getPort() < 0 ? DEFAULT_PORT : server.getPort());
        } catch (URISyntaxException e) {
            throw form();
        }
    }

    private static boolean isSecret(String parameter) {
        return SECRET.matcher(parameter).matches();
    }

    private static IllegalArgumentException form() {
        return new IllegalArgumentException("is not of the form postgresql://host:port[,host:port...]");
    }
}
