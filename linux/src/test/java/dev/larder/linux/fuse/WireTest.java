package dev.larder.linux.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Holds {@link Wire} against the C header of this machine, which may be older: what it lacks is held against itself. */
class WireTest {
    private static final Path HEADER = Path.of("/usr/include/linux/fuse.h");

    /** Classes whose struct is not called fuse_ plus the class's name in lower case with underscores. */
    private static final Map<String, String> STRUCT =
            Map.of("InvalInode", "fuse_notify_inval_inode_out", "InvalEntry", "fuse_notify_inval_entry_out");

    /** Sizes of structs that are newer than the headers of many distributions, from the header of protocol 7.45. */
    private static final Map<String, Integer> NEWER = Map.of(
            "fuse_statx_in",
            24,
            "fuse_statx_out",
            288,
            "fuse_statx",
            256,
            "fuse_sx_time",
            16,
            "fuse_backing_map",
            16,
            "fuse_copy_file_range_out",
            8);

    private static final Set<String> NEWER_MEMBERS = Set.of("max_stack_depth", "request_timeout", "backing_id");

    @TempDir
    Path directory;

    @Test
    void structsAreThoseOfTheHeader() throws Exception {
        assumeTrue(Files.exists(HEADER) && Files.isExecutable(Path.of("/usr/bin/cc")), "no C compiler or header");
        String header = Files.readString(HEADER);
        Map<String, Integer> ours = new TreeMap<>();
        List<String> lines = new ArrayList<>();
        for (Class<?> type : Wire.class.getDeclaredClasses()) {
            String struct = structOf(type);
            if (!header.contains("struct " + struct + " {")) {
                assertEquals(NEWER.get(struct), type.getField("BYTES").getInt(null), struct);
                continue;
            }
            for (Field field : type.getFields()) {
                String member = field.getName().toLowerCase(Locale.ROOT);
                String expression = member.equals("bytes")
                        ? "sizeof(struct " + struct + ")"
                        : "offsetof(struct " + struct + ", " + member + ")";
                if (!NEWER_MEMBERS.contains(member) || header.contains(member + ";")) {
                    ours.put(expression, field.getInt(null));
                    lines.add("printf(\"%zu %s\\n\", (size_t) " + expression + ", \"" + expression + "\");");
                }
            }
        }
        Map<String, Integer> theirs = compileAndRun(lines);
        assertEquals(theirs, ours);
        assertTrue(ours.size() > 150, "members compared: " + ours.size());
    }

    private static String structOf(Class<?> type) {
        String name = type.getSimpleName();
        return STRUCT.getOrDefault(
                        name, "fuse" + name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT))
                .replace("rename2in", "rename2_in");
    }

    private Map<String, Integer> compileAndRun(List<String> lines) throws Exception {
        Path source = directory.resolve("sizes.c");
        Files.writeString(
                source,
                "#include <stddef.h>\n#include <stdio.h>\n#include <linux/fuse.h>\nint main(void) {\n"
                        + String.join("\n", lines) + "\nreturn 0;\n}\n");
        Path program = directory.resolve("sizes");
        run("/usr/bin/cc", "-o", program.toString(), source.toString());
        Map<String, Integer> result = new TreeMap<>();
        for (String line : run(program.toString()).split("\n")) {
            String[] parts = line.split(" ", 2);
            result.put(parts[1], Integer.valueOf(parts[0]));
        }
        return result;
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertTrue(process.waitFor(30, TimeUnit.SECONDS), "did not end: " + command[0]);
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    @Test
    void opcodesHaveNames() {
        assertEquals("lookup", Opcode.name(Opcode.LOOKUP));
        assertEquals("copy_file_range_64", Opcode.name(Opcode.COPY_FILE_RANGE_64));
        assertEquals("unknown", Opcode.name(7));
        assertEquals("unknown", Opcode.name(4096));
    }
}
