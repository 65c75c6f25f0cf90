package dev.larder.crds;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** A manifest was refused; the message has one line {@code FILE:LINE: reason} for each of its problems. */
public final class InvalidManifestException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    public InvalidManifestException(Path file, List<Problem> problems) {
        super(problems.stream()
                .sorted(Comparator.comparingInt(Problem::line))
                .map(problem -> file + ":" + problem.line() + ": " + problem.reason())
                .collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    InvalidManifestException(Path file, int line, String reason) {
        this(file, List.of(new Problem(line, reason)));
    }

    public List<Problem> problems() {
        return problems;
    }
}
