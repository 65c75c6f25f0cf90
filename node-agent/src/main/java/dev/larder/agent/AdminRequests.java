package dev.larder.agent;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.agent.control.ControlException;
import dev.larder.agent.control.ControlServer;
import dev.larder.protocol.Answers;
import dev.larder.protocol.ControlProtocol.Command;
import dev.larder.protocol.ControlProtocol.Progress;
import dev.larder.protocol.MountSpec;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.engine.Checker;
import dev.larder.volume.engine.Collector;
import dev.larder.volume.engine.VolumeAdmin;
import dev.larder.volume.metadata.Maintenance.DiskUsage;
import dev.larder.volume.metadata.Maintenance.Finding;
import dev.larder.volume.metadata.Maintenance.TrashPage;
import dev.larder.volume.metadata.Maintenance.TrashPlace;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Answers what needs the volume, but no mount. */
final class AdminRequests implements ControlServer.Handler {
    private static final long REPORT_BYTES = 16L << 20;
    private static final int MAX_TRASH_PAGE = 10_000;

    private final MountSpec spec;
    private final VolumeAdmin volume;

    AdminRequests(MountSpec spec, VolumeAdmin volume) {
        this.spec = spec;
        this.volume = volume;
    }

    @Override
    public Object handle(Command command, JsonNode arguments, Consumer<Progress> progress) {
        try {
            return switch (command) {
                case GC -> collect(arguments, progress);
                case FSCK -> check(arguments, progress);
                case PACK_NOW -> new Answers.Flush(volume.pack(), 0);
                case CONFIG -> new Answers.Config(Settings.of(spec));
                case DU ->
                    new Answers.Du(texts(arguments, "paths", "/").stream()
                            .map(this::usage)
                            .toList());
                case TRASH_LIST -> trash(arguments);
                case TRASH_RESTORE -> restore(arguments);
                case TRASH_PURGE ->
                    new Answers.Purged(volume.purgeTrash(Instant.now()
                            .minusSeconds(arguments.path("olderThanSeconds").asLong())));
                default -> throw new ControlException(command.word() + " needs a mount", "larder mount");
            };
        } catch (IOException e) {
            throw new ControlException("the object store: " + e.getMessage(), null);
        } catch (ErrnoException e) {
            throw new ControlException(e.getMessage(), null);
        }
    }

    static List<String> texts(JsonNode arguments, String name, String otherwise) {
        List<String> texts = new ArrayList<>();
        arguments.path(name).forEach(one -> texts.add(one.asText()));
        return texts.isEmpty() ? List.of(otherwise) : texts;
    }

    static String metadata(MountSpec spec) {
        return spec.database().jdbcUrl().replaceFirst("^jdbc:", "").replaceFirst("\\?.*", "");
    }

    static String objectStore(MountSpec spec) {
        MountSpec.Store store = spec.objectStore();
        if (store.directory() != null) {
            return "directory " + store.directory().path();
        }
        if (store.s3() != null) {
            String endpoint =
                    store.s3().endpoint() == null ? "" : " at " + store.s3().endpoint();
            return "s3://" + store.s3().bucket() + "/" + store.s3().prefix() + endpoint;
        }
        return "the volume's database";
    }

    Answers.Usage usage(String path) {
        DiskUsage usage = volume.diskUsage(path);
        return new Answers.Usage(path, usage.files(), usage.directories(), usage.sizeBytes(), usage.allocatedBytes());
    }

    private Answers.Gc collect(JsonNode arguments, Consumer<Progress> progress) throws IOException {
        Duration age = Duration.ofSeconds(arguments
                .path("ageSeconds")
                .asLong(Collector.Ages.DEFAULT.segment().toSeconds()));
        boolean dryRun = arguments.path("dryRun").asBoolean();
        Collector.Listener listener = (step, done) -> progress.accept(new Progress(step, done, 0, ""));
        Collector.Collected done = dryRun ? volume.garbage(age, listener) : volume.collect(age, listener);
        return new Answers.Gc(
                dryRun,
                done.trashEntries(),
                done.inodes(),
                done.segmentsRetired(),
                done.segmentsDeleted(),
                done.objectsUnknown(),
                done.bytesDeleted());
    }

    private Answers.Fsck check(JsonNode arguments, Consumer<Progress> progress) throws IOException {
        AtomicLong rows = new AtomicLong();
        AtomicLong reported = new AtomicLong();
        progress.accept(new Progress("checking the metadata", 0, 0, ""));
        Checker.Report report = volume.check(
                arguments.path("repair").asBoolean(),
                arguments.path("content").asBoolean(),
                count -> progress.accept(new Progress("checking the metadata", rows.addAndGet(count), 0, "rows")),
                (done, total) -> {
                    if (done - reported.get() >= REPORT_BYTES) {
                        reported.set(done);
                        progress.accept(new Progress("checking", done, total, "bytes"));
                    }
                });
        return new Answers.Fsck(
                report.inodes(),
                report.segments(),
                report.objects(),
                report.count(),
                report.repaired(),
                named(report.findings()));
    }

    /** A finding about an inode's content carries no name: its path is looked up, for the person who reads it. */
    private List<Answers.Finding> named(List<Finding> findings) {
        List<Long> nameless = findings.stream()
                .filter(one -> one.name() == null && one.inode() != 0)
                .map(Finding::inode)
                .distinct()
                .toList();
        List<String> paths = nameless.isEmpty() ? List.of() : volume.pathsOf(nameless);
        List<Answers.Finding> answers = new ArrayList<>();
        for (Finding one : findings) {
            int at = one.name() == null ? nameless.indexOf(one.inode()) : -1;
            String name = one.name() != null ? one.name().toString() : at < 0 ? null : paths.get(at);
            answers.add(new Answers.Finding(one.what(), one.inode(), name, one.detail(), one.repaired()));
        }
        return answers;
    }

    private Answers.Trash trash(JsonNode arguments) {
        TrashPage page = volume.trash(
                arguments.path("prefix").asText("/"),
                place(arguments.path("after").asText("")),
                Math.clamp(arguments.path("entries").asInt(1000), 1, MAX_TRASH_PAGE));
        return new Answers.Trash(
                page.entries().stream()
                        .map(one -> new Answers.TrashEntry(
                                one.inode(), one.path(), one.directory(), one.size(), one.deleted()))
                        .toList(),
                page.next() == null
                        ? null
                        : page.next().deletedMicros() + "/" + page.next().inode());
    }

    private static TrashPlace place(String text) {
        if (text.isEmpty()) {
            return null;
        }
        try {
            int slash = text.indexOf('/');
            return new TrashPlace(
                    Long.parseLong(text, 0, Math.max(0, slash), 10),
                    Long.parseLong(text, slash + 1, text.length(), 10));
        } catch (NumberFormatException e) {
            throw new ControlException("'" + text + "' is no place in the trash", null);
        }
    }

    private Answers.Restored restore(JsonNode arguments) {
        List<String> paths = new ArrayList<>();
        arguments.path("inodes").forEach(inode -> paths.add(volume.restore(inode.asLong())));
        return new Answers.Restored(paths);
    }
}
