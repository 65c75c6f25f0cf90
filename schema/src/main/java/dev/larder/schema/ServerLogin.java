package dev.larder.schema;

/** A PostgreSQL server and a login that may create databases and roles on it. */
public record ServerLogin(String host, int port, String user, String password) {
    /** @return jdbc:postgresql://host:port/database, without credentials */
    public String url(String database) {
        String bracketed = host.contains(":") ? "[" + host + "]" : host;
        return "jdbc:postgresql://" + bracketed + ":" + port + "/" + database;
    }

    /** Without the password. */
    @Override
    public String toString() {
        return user + "@" + host + ":" + port;
    }
}
