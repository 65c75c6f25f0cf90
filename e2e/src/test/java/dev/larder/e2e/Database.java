package dev.larder.e2e;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.larder.schema.ServerLogin;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;

/** A volume's database on the embedded server, looked at with the superuser's eyes. */
final class Database implements AutoCloseable {
    private final Connection connection;

    private Database(Connection connection) {
        this.connection = connection;
    }

    static Database of(Larder larder, String volume) throws IOException, SQLException {
        Path record = larder.volume(volume).resolve("volume.json");
        String url =
                new ObjectMapper().readTree(record.toFile()).path("jdbcUrl").asText();
        ServerLogin login = larder.embedded().ensureRunning(Duration.ofSeconds(60));
        Properties properties = new Properties();
        properties.setProperty("user", login.user());
        properties.setProperty("password", login.password());
        return new Database(DriverManager.getConnection(url, properties));
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    long number(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
