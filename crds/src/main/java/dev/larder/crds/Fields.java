package dev.larder.crds;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * The fields of one YAML mapping. Each getter names a field that may stand there and notes what is wrong with its value;
 * {@link #refuseUnknown} then notes every field that no getter asked for. A value that is missing or wrong is null, so
 * that one reading finds all problems of a file.
 */
final class Fields {
    private static final Pattern DNS_LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

    private final String path;
    private final int line;
    private final Map<String, Node> values = new LinkedHashMap<>();
    private final Map<String, Integer> keyLines = new LinkedHashMap<>();
    private final Set<String> known = new LinkedHashSet<>();
    private final List<Problem> problems;

    private Fields(String path, MappingNode node, List<Problem> problems) {
        this.path = path;
        this.line = line(node);
        this.problems = problems;
        for (NodeTuple tuple : node.getValue()) {
            add(tuple);
        }
    }

    private void add(NodeTuple tuple) {
        if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
            problem(line(tuple.getKeyNode()), "a field's name is a word");
            return;
        }
        if (values.putIfAbsent(key.getValue(), tuple.getValueNode()) != null) {
            problem(line(key), at(key.getValue()) + " is given twice, first in line " + keyLines.get(key.getValue()));
        }
        keyLines.putIfAbsent(key.getValue(), line(key));
    }

    /** The fields of a document or value; null, and a problem noted, when it is no mapping. */
    static Fields of(String path, Node node, List<Problem> problems) {
        if (node instanceof MappingNode mapping) {
            return new Fields(path, mapping, problems);
        }
        problems.add(new Problem(line(node), (path.isEmpty() ? "the document" : path) + " is not a mapping of fields"));
        return null;
    }

    static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }

    int line() {
        return line;
    }

    /** Line of a field, or of the mapping when the field is not there. */
    int line(String field) {
        return keyLines.getOrDefault(field, line);
    }

    boolean has(String field) {
        known.add(field);
        Node node = values.get(field);
        return node != null && !Tag.NULL.equals(node.getTag());
    }

    void problem(String field, String reason) {
        problem(line(field), at(field) + " " + reason);
    }

    private void problem(int atLine, String reason) {
        problems.add(new Problem(atLine, reason));
    }

    private String at(String field) {
        return path.isEmpty() ? field : path + "." + field;
    }

    /** Takes a field without reading it. */
    void ignore(String field) {
        known.add(field);
    }

    void require(String field) {
        if (!has(field)) {
            problem(field, "is missing");
        }
    }

    /** As {@link #require}, but the field's value may be empty. */
    void requirePresent(String field) {
        if (!values.containsKey(field)) {
            problem(field, "is missing");
        }
    }

    Fields object(String field) {
        return has(field) ? of(at(field), values.get(field), problems) : null;
    }

    /** As {@link #object}, but {@code field:} and {@code field: {}} are objects without fields. */
    Fields emptyableObject(String field) {
        known.add(field);
        Node node = values.get(field);
        if (node == null) {
            return null;
        }
        if (Tag.NULL.equals(node.getTag())) {
            return new Fields(
                    at(field),
                    new MappingNode(
                            Tag.MAP,
                            true,
                            List.of(),
                            node.getStartMark(),
                            node.getEndMark(),
                            org.yaml.snakeyaml.DumperOptions.FlowStyle.FLOW),
                    problems);
        }
        return of(at(field), node, problems);
    }

    String text(String field) {
        return scalar(field, "text", Tag.STR);
    }

    /** Text that may look like a number, such as a quantity. */
    private String written(String field) {
        return scalar(field, "text", Tag.STR, Tag.INT, Tag.FLOAT);
    }

    private String scalar(String field, String wanted, Tag... tags) {
        if (!has(field)) {
            return null;
        }
        Node node = values.get(field);
        if (!(node instanceof ScalarNode scalar)) {
            problem(field, "is " + describe(node) + ", not " + wanted);
            return null;
        }
        for (Tag tag : tags) {
            if (tag.equals(scalar.getTag())) {
                return scalar.getValue();
            }
        }
        String quote = wanted.equals("text") ? ": put it in quotes" : "";
        problem(field, "is " + describe(node) + ", not " + wanted + quote);
        return null;
    }

    private static String describe(Node node) {
        if (node instanceof MappingNode) {
            return "a mapping";
        }
        if (node instanceof SequenceNode) {
            return "a list";
        }
        Tag tag = node.getTag();
        if (Tag.BOOL.equals(tag)) {
            return "a boolean";
        }
        if (Tag.INT.equals(tag) || Tag.FLOAT.equals(tag)) {
            return "a number";
        }
        if (Tag.STR.equals(tag)) {
            return "text";
        }
        return Tag.TIMESTAMP.equals(tag) ? "a date" : "a value of the type " + tag.getValue();
    }

    String dnsLabel(String field) {
        String value = text(field);
        if (value != null && !DNS_LABEL.matcher(value).matches()) {
            problem(field, "'" + shown(value) + "' is not a DNS label: at most 63 of a-z, 0-9 and '-'");
            return null;
        }
        return value;
    }

    String matching(String field, Pattern form, String wanted) {
        String value = text(field);
        if (value != null && !form.matcher(value).matches()) {
            problem(field, "'" + shown(value) + "' is not " + wanted);
            return null;
        }
        return value;
    }

    private static String shown(String value) {
        return value.length() > 80 ? value.substring(0, 80) + "..." : value;
    }

    boolean flag(String field, boolean otherwise) {
        String value = scalar(field, "true or false", Tag.BOOL);
        if (value == null) {
            return otherwise;
        }
        if (!value.equals("true") && !value.equals("false")) {
            problem(field, "is '" + value + "': write true or false");
        }
        return value.equals("true");
    }

    Long positive(String field) {
        String value = scalar(field, "a whole number", Tag.INT);
        if (value == null) {
            return null;
        }
        try {
            long number = Long.parseLong(value);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below, as for zero.
        }
        problem(field, "'" + shown(value) + "' is not a whole number above zero");
        return null;
    }

    Quantity quantity(String field) {
        return parsed(field, written(field), Quantity::parse);
    }

    Retention retention(String field) {
        return parsed(field, written(field), Retention::parse);
    }

    private <T> T parsed(String field, String value, Function<String, T> parser) {
        if (value == null) {
            return null;
        }
        try {
            return parser.apply(value);
        } catch (IllegalArgumentException e) {
            problem(field, e.getMessage());
            return null;
        }
    }

    <E extends Enum<E>> E choice(String field, Class<E> type, Function<E, String> text, E otherwise) {
        String value = text(field);
        if (value == null) {
            return otherwise;
        }
        List<String> choices = new ArrayList<>();
        for (E constant : type.getEnumConstants()) {
            if (text.apply(constant).equals(value)) {
                return constant;
            }
            choices.add(text.apply(constant));
        }
        problem(field, "'" + shown(value) + "' is none of " + String.join(", ", choices));
        return otherwise;
    }

    /** An absolute path; a relative one is taken from the manifest's directory. */
    Path path(String field, Path base) {
        String value = text(field);
        if (value == null) {
            return null;
        }
        try {
            if (!value.isEmpty()) {
                return base.resolve(value).normalize();
            }
        } catch (InvalidPathException e) {
            // Said below, as for the empty path.
        }
        problem(field, "'" + shown(value) + "' is not a path");
        return null;
    }

    URI httpUrl(String field) {
        String value = text(field);
        if (value == null) {
            return null;
        }
        try {
            URI url = new URI(value);
            if (url.getUserInfo() != null) {
                problem(field, "holds a user or password: a secret does not stand in a URL");
                return null;
            }
            boolean http = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
            if (http && url.getHost() != null && url.getQuery() == null) {
                return url;
            }
        } catch (URISyntaxException e) {
            // Said below, as for another scheme.
        }
        problem(field, "'" + shown(value) + "' is not a URL such as https://host:port");
        return null;
    }

    List<String> texts(String field) {
        if (!has(field)) {
            return List.of();
        }
        if (!(values.get(field) instanceof SequenceNode sequence)) {
            problem(field, "is not a list");
            return List.of();
        }
        List<String> texts = new ArrayList<>();
        for (Node node : sequence.getValue()) {
            if (node instanceof ScalarNode scalar && Tag.STR.equals(scalar.getTag())) {
                texts.add(scalar.getValue());
            } else {
                problem(line(node), at(field) + " holds " + describe(node) + ", not text");
            }
        }
        return List.copyOf(texts);
    }

    /** All pairs of text, as of a Secret's stringData. */
    Map<String, String> pairs() {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String field : values.keySet()) {
            String value = text(field);
            if (value != null) {
                pairs.put(field, value);
            }
        }
        return pairs;
    }

    /** Exactly one of these fields must be there. @return whether it is so */
    boolean exactlyOne(String... fields) {
        List<String> given = new ArrayList<>();
        for (String field : fields) {
            known.add(field);
            if (values.containsKey(field)) {
                given.add(field);
            }
        }
        String choices = String.join(", ", fields);
        if (given.isEmpty()) {
            problem(line, path + " needs one of " + choices);
        } else if (given.size() > 1) {
            problem(given.getLast(), "contradicts " + at(given.getFirst()) + ": give one of " + choices);
        }
        return given.size() == 1;
    }

    void refuseUnknown() {
        for (String field : values.keySet()) {
            if (!known.contains(field)) {
                problem(line(field), "unknown field " + at(shown(field)) + suggestion(field));
            }
        }
    }

    private String suggestion(String field) {
        List<String> near = known.stream()
                .filter(candidate -> Spelling.near(candidate, field))
                .toList();
        if (!near.isEmpty()) {
            return ": did you mean " + near.getFirst() + "?";
        }
        return known.isEmpty()
                ? ": no field stands here"
                : known.stream().sorted().collect(Collectors.joining(", ", " (known: ", ")"));
    }
}
