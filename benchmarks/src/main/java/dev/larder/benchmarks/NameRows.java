package dev.larder.benchmarks;

import static dev.larder.linux.OpenFlags.O_CLOEXEC;
import static dev.larder.linux.OpenFlags.O_CREAT;
import static dev.larder.linux.OpenFlags.O_EXCL;
import static dev.larder.linux.OpenFlags.O_RDONLY;
import static dev.larder.linux.OpenFlags.O_WRONLY;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxErrno;
import dev.larder.linux.LinuxException;
import dev.larder.linux.LinuxFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Operations on names and attributes, with one thread and with eight. */
final class NameRows {
    private static final Set<PosixFilePermission> PRIVATE =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    private static final int LISTED = 10_000;

    private NameRows() {}

    static List<Row> all(double scale) {
        List<Row> rows = new ArrayList<>();
        int count = (int) (5_000 * scale);
        for (int threads : new int[] {1, 8}) {
            String suffix = " " + threads + "t";
            rows.add(new Row("create" + suffix, "1/s", target -> create(target, count, threads)));
            rows.add(new Row("stat warm" + suffix, "1/s", target -> stat(target, count, threads, After.NOTHING)));
            rows.add(new Row("stat after 3 s" + suffix, "1/s", target -> stat(target, count, threads, After.PAUSE)));
            rows.add(new Row("stat cold" + suffix, "1/s", target -> stat(target, count, threads, After.COLD)));
            rows.add(new Row("open + close" + suffix, "1/s", target -> open(target, count, threads)));
            rows.add(new Row("missing name, first" + suffix, "1/s", target -> missing(target, count, threads, false)));
            rows.add(new Row("missing name, again" + suffix, "1/s", target -> missing(target, count, threads, true)));
            rows.add(new Row(
                    "chmod" + suffix,
                    "1/s",
                    target -> changed(target, count, threads, file -> Files.setPosixFilePermissions(file, PRIVATE))));
            rows.add(new Row(
                    "rename" + suffix,
                    "1/s",
                    target -> changed(target, count, threads, file -> rename(file, file + ".renamed"))));
            rows.add(new Row("unlink" + suffix, "1/s", target -> changed(target, count, threads, Files::delete)));
            rows.add(new Row("mkdir" + suffix, "1/s", target -> directories(target, count, threads, true)));
            rows.add(new Row("rmdir" + suffix, "1/s", target -> directories(target, count, threads, false)));
        }
        rows.add(new Row("readdir 10,000, cold", "entries/s", target -> list(target, true, false)));
        rows.add(new Row("readdir 10,000, warm", "entries/s", target -> list(target, false, false)));
        rows.add(new Row("ls -l 10,000, cold", "entries/s", target -> list(target, true, true)));
        rows.add(new Row("ls -l 10,000, warm", "entries/s", target -> list(target, false, true)));
        return rows;
    }

    private enum After {
        NOTHING,
        PAUSE,
        COLD
    }

    private interface Change {
        void apply(Path file) throws IOException;
    }

    private static void rename(Path file, String to) {
        LinuxFile.renameAt(LinuxFile.AT_FDCWD, file.toString(), LinuxFile.AT_FDCWD, to, 0);
    }

    private static Path file(Target target, int number) {
        return target.directory().resolve("f" + number);
    }

    private static double create(Target target, int count, int threads) throws IOException {
        return Workers.rate(target, threads, count, number -> make(file(target, number)));
    }

    private static void make(Path file) {
        LinuxFile.open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644).close();
    }

    private static double stat(Target target, int count, int threads, After after) throws IOException {
        create(target, count, 1);
        switch (after) {
            case NOTHING -> statAll(target, count, threads);
            case PAUSE -> {
                statAll(target, count, threads);
                pause();
            }
            case COLD -> target.cold();
        }
        return statAll(target, count, threads);
    }

    private static double statAll(Target target, int count, int threads) throws IOException {
        return Workers.rate(target, threads, count, number -> Files.getLastModifiedTime(file(target, number)));
    }

    private static void pause() throws IOException {
        try {
            TimeUnit.SECONDS.sleep(3);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static double open(Target target, int count, int threads) throws IOException {
        create(target, count, 1);
        return Workers.rate(
                target,
                threads,
                count,
                number -> LinuxFile.open(file(target, number), O_RDONLY | O_CLOEXEC, 0)
                        .close());
    }

    private static double missing(Target target, int count, int threads, boolean again) throws IOException {
        create(target, 10, 1);
        if (again) {
            lookUpMissing(target, count, threads);
        }
        return lookUpMissing(target, count, threads);
    }

    private static double lookUpMissing(Target target, int count, int threads) throws IOException {
        return Workers.rate(target, threads, count, number -> {
            try (Descriptor _ = LinuxFile.open(target.directory().resolve("no" + number), O_RDONLY | O_CLOEXEC, 0)) {
                throw new IOException("a missing file was opened");
            } catch (LinuxException e) {
                if (e.errno() != LinuxErrno.ENOENT) {
                    throw e;
                }
            }
        });
    }

    private static double changed(Target target, int count, int threads, Change change) throws IOException {
        create(target, count, 1);
        return Workers.rate(target, threads, count, number -> change.apply(file(target, number)));
    }

    private static double directories(Target target, int count, int threads, boolean made) throws IOException {
        double rate = Workers.rate(
                target,
                threads,
                count,
                number -> Files.createDirectory(target.directory().resolve("d" + number)));
        return made
                ? rate
                : Workers.rate(
                        target,
                        threads,
                        count,
                        number -> Files.delete(target.directory().resolve("d" + number)));
    }

    private static double list(Target target, boolean cold, boolean attributes) throws IOException {
        create(target, LISTED, 8);
        if (cold) {
            target.cold();
        } else {
            listOnce(target, attributes);
        }
        return target.measure(LISTED, () -> {
            long start = System.nanoTime();
            int seen = listOnce(target, attributes);
            if (seen != LISTED) {
                throw new IOException(seen + " entries of " + LISTED);
            }
            return seen / Target.seconds(start);
        });
    }

    private static int listOnce(Target target, boolean attributes) throws IOException {
        int seen = 0;
        try (Stream<Path> names = Files.list(target.directory())) {
            for (Path name : (Iterable<Path>) names::iterator) {
                if (attributes && Files.getLastModifiedTime(name).toMillis() == 0) {
                    throw new IOException(name + " has no time");
                }
                seen++;
            }
        }
        return seen;
    }
}
