package dev.larder.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** This build, as Maven wrote it into version.properties. */
final class Version implements IVersionProvider {
    record Build(String version, String java, String kernel) {}

    static Build current() {
        Properties properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new IllegalStateException("version.properties cannot be read", e);
        }
        return new Build(
                properties.getProperty("version"),
                System.getProperty("java.runtime.version"),
                System.getProperty("os.name") + " " + System.getProperty("os.version"));
    }

    @Override
    public String[] getVersion() {
        return new String[] {"larder " + current().version()};
    }
}
