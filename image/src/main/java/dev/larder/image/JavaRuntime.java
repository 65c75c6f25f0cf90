package dev.larder.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The jlinked run-time image: what jdeps finds in the jars, and what is only reached by name. */
final class JavaRuntime {
    /**
     * Reached by name: TLS with elliptic curves, the health ports, HTTP clients, zip file systems, thread dumps by
     * jcmd, the names in LDAP that a certificate may carry.
     */
    private static final Set<String> BY_NAME = Set.of(
            "java.logging",
            "java.management",
            "java.naming",
            "java.net.http",
            "java.xml",
            "jdk.crypto.ec",
            "jdk.httpserver",
            "jdk.jcmd",
            "jdk.zipfs");

    /**
     * Of it only java.beans and java.awt are named, by code for JavaBeans, harmony's pack200 and the geometric types of
     * PostgreSQL, none of which runs here; each library guards the use or never gets there. It would add 23 MB.
     */
    private static final String LEFT_OUT = "java.desktop";

    private JavaRuntime() {}

    /** Links into the directory unless it holds the same already. */
    static void link(Path jdk, List<Path> jars, Path into) throws IOException, InterruptedException {
        String modules = String.join(",", modules(jdk, jars));
        Path stamp = into.resolveSibling(into.getFileName() + ".stamp");
        String wanted = modules + "\n" + Files.readString(jdk.resolve("release"));
        if (Files.isDirectory(into)
                && Files.exists(stamp)
                && Files.readString(stamp).equals(wanted)) {
            return;
        }
        Files.deleteIfExists(stamp);
        StagedRoot.delete(into);
        Programs.run(List.of(
                tool(jdk, "jlink"),
                "--add-modules",
                modules,
                "--strip-debug",
                "--no-header-files",
                "--no-man-pages",
                "--generate-cds-archive",
                "--output",
                into.toString()));
        // Oops are always compressed in heaps of this size; the archive for others is never read.
        Files.deleteIfExists(into.resolve("lib/server/classes_nocoops.jsa"));
        Files.writeString(stamp, wanted);
    }

    private static Set<String> modules(Path jdk, List<Path> jars) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                tool(jdk, "jdeps"),
                "--print-module-deps",
                "--ignore-missing-deps",
                "--multi-release",
                "25",
                "-q",
                "-cp",
                String.join(":", jars.stream().map(Path::toString).toList())));
        jars.forEach(jar -> command.add(jar.toString()));
        String printed = Programs.run(command).strip();
        Set<String> modules = new TreeSet<>(
                Arrays.asList(printed.substring(printed.lastIndexOf('\n') + 1).split(",", -1)));
        modules.addAll(BY_NAME);
        modules.remove(LEFT_OUT);
        return modules;
    }

    private static String tool(Path jdk, String name) {
        Path tool = jdk.resolve("bin").resolve(name);
        if (!Files.isExecutable(tool)) {
            throw new ImageException(tool + " is missing: the image needs a whole JDK, not a JRE");
        }
        return tool.toString();
    }
}
