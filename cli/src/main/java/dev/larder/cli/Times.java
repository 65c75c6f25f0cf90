package dev.larder.cli;

import dev.larder.crds.Retention;

/** Times on the command line, written as in a manifest. */
final class Times {
    private Times() {}

    static long seconds(String option, String text) {
        try {
            return Retention.parse(text).duration().toSeconds();
        } catch (IllegalArgumentException e) {
            throw CommandFailure.usage(option, e.getMessage(), option + "=12h");
        }
    }
}
