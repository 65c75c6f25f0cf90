package dev.larder.schema;

import java.util.List;

/**
 * A PostgreSQL server, or a primary and its standbys, and a login that may create databases and roles on it.
 *
 * @param servers host:port of each, at least one; an IPv6 address in brackets
 * @param parameters of every connection, as in a URL's query: how TLS is used, and that the primary is wanted; "" for
 *     none. No secrets.
 */
public record ServerLogin(List<String> servers, String user, String password, String parameters) {
    public ServerLogin {
        servers = List.copyOf(servers);
    }

    /** One server, without parameters. */
    public ServerLogin(String host, int port, String user, String password) {
        this(List.of(host + ":" + port), user, password, "");
    }

    /** @return jdbc:postgresql://host:port[,host:port...]/database?parameters, without credentials */
    public String url(String database) {
        return "jdbc:postgresql://" + String.join(",", servers) + "/" + database
                + (parameters.isEmpty() ? "" : "?" + parameters);
    }

    /** The first server's. */
    public int port() {
        String first = servers.getFirst();
        return Integer.parseInt(first.substring(first.lastIndexOf(':') + 1));
    }

    /** Without the password. */
    @Override
    public String toString() {
        return user + "@" + String.join(",", servers);
    }
}
