package dev.larder.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The C library's files that the image's programs load, found by ldd and stored under the paths they are asked by. */
final class NativeLibraries {
    private static final Pattern LIBRARY = Pattern.compile("(/\\S+\\.so\\S*)");
    private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

    private NativeLibraries() {}

    static void add(StagedRoot root) throws IOException, InterruptedException {
        Set<String> wanted = new TreeSet<>();
        for (Path file : StagedRoot.filesBelow(root.path("/"))) {
            if (isElf(file)) {
                wanted.addAll(of(file));
            }
        }
        for (String library : wanted) {
            root.file(Path.of(library), library, true);
        }
    }

    /** What lies beside the program travels with it; only the system's own directories count. */
    private static Set<String> of(Path program) throws IOException, InterruptedException {
        Set<String> found = new TreeSet<>();
        Matcher matcher = LIBRARY.matcher(Programs.run(java.util.List.of("ldd", program.toString())));
        while (matcher.find()) {
            String library = Path.of(matcher.group(1)).normalize().toString();
            if (library.startsWith("/lib") || library.startsWith("/usr/lib")) {
                found.add(library);
            }
        }
        return found;
    }

    private static boolean isElf(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(ELF.length), ELF);
        }
    }
}
