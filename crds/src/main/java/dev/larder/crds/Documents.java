package dev.larder.crds;

import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.nodes.Node;

/** Reads a file's YAML documents as nodes that know their lines. What is no small, plain YAML text gets one clear line. */
final class Documents {
    static final int MAX_BYTES = 1 << 20;
    private static final int MAX_DEPTH = 20;
    private static final int MAX_DOCUMENTS = 50;

    private Documents() {}

    static List<Node> read(Path file) throws InvalidManifestException {
        String text = text(file);
        try {
            refuseAliases(file, text);
            List<Node> documents = new ArrayList<>();
            for (Node node : yaml().composeAll(new StringReader(text))) {
                if (documents.size() == MAX_DOCUMENTS) {
                    throw new InvalidManifestException(
                            file, Fields.line(node), "more than " + MAX_DOCUMENTS + " documents");
                }
                documents.add(node);
            }
            return documents;
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
            throw new InvalidManifestException(file, line, "not YAML: " + oneLine(e.getProblem()));
        } catch (YAMLException e) {
            throw new InvalidManifestException(file, 1, "not YAML: " + oneLine(e.getMessage()));
        }
    }

    private static String oneLine(String text) {
        String line =
                text == null ? "it cannot be parsed" : text.lines().findFirst().orElse("");
        return line.length() > 200 ? line.substring(0, 200) + "..." : line;
    }

    private static String text(Path file) throws InvalidManifestException {
        try {
            if (Files.isDirectory(file)) {
                throw new InvalidManifestException(file, 1, "is a directory, not a manifest");
            }
            if (!Files.isRegularFile(file) && Files.exists(file)) {
                throw new InvalidManifestException(file, 1, "is not a regular file");
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new InvalidManifestException(
                        file, 1, "holds " + Files.size(file) + " bytes; a manifest has at most " + MAX_BYTES);
            }
            return decode(file, Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            throw new InvalidManifestException(file, 1, "there is no such file");
        } catch (AccessDeniedException e) {
            throw new InvalidManifestException(file, 1, "may not be read by this user");
        } catch (IOException e) {
            throw new InvalidManifestException(file, 1, "cannot be read: " + e.getMessage());
        }
    }

    private static String decode(Path file, byte[] bytes) throws InvalidManifestException {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidManifestException(file, 1, "is not text: it is not UTF-8");
        }
        int control = firstControl(text);
        if (control >= 0) {
            int line = 1
                    + (int) text.substring(0, control)
                            .chars()
                            .filter(c -> c == '\n')
                            .count();
            String code = String.format("0x%02x", (int) text.charAt(control));
            throw new InvalidManifestException(file, line, "is not text: it holds the control character " + code);
        }
        if (text.isBlank()) {
            throw new InvalidManifestException(file, 1, "is empty: a manifest holds a SharedVolume");
        }
        return text;
    }

    private static int firstControl(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
                return i;
            }
        }
        return -1;
    }

    private static void refuseAliases(Path file, String text) throws InvalidManifestException {
        for (Event event : yaml().parse(new StringReader(text))) {
            if (event instanceof AliasEvent alias) {
                throw new InvalidManifestException(
                        file,
                        alias.getStartMark().getLine() + 1,
                        "YAML aliases (*" + alias.getAnchor() + ") are not taken: write the value out");
            }
        }
    }

    private static Yaml yaml() {
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(MAX_BYTES);
        options.setNestingDepthLimit(MAX_DEPTH);
        options.setMaxAliasesForCollections(0);
        return new Yaml(options);
    }
}
