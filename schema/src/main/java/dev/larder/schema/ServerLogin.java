package dev.larder.schema;

/**
 * A PostgreSQL server and a login that may create databases and roles on it.
 *
 * @param parameters of every connection, as in a URL's query: how TLS is used; "" for none. No secrets.
 */
public record ServerLogin(String host, int port, String user, String password, String parameters) {
    /** Without parameters. */
    public ServerLogin(String host, int port, String user, String password) {
        this(host, port, user, password, "");
    }

    /** @return jdbc:postgresql://host:port/database?parameters, without credentials */
    public String url(String database) {
        String bracketed = host.contains(":") ? "[" + host + "]" : host;
        return "jdbc:postgresql://" + bracketed + ":" + port + "/" + database
                + (parameters.isEmpty() ? "" : "?" + parameters);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return user + "@" + host + ":" + port;
    }
}
