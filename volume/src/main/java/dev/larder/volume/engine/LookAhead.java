package dev.larder.volume.engine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.metadata.Metadata.DirectoryEntry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who looks up names of a directory one by one will look up more of them: from the second name that had to be asked for,
 * the directory is listed in the background, a page of 1,000 names with attributes for each further question, so that
 * {@link Known} answers the rest. A large directory costs at most as many pages as there were questions.
 */
final class LookAhead {
    private static final Logger LOG = LoggerFactory.getLogger(LookAhead.class);
    private static final int PAGE = 1_000;
    private static final int MAX_PAGES = 10;
    private static final int QUESTIONS_BEFORE = 1;
    private static final int MAX_DIRECTORIES = 1_000;
    private static final int MAX_RUNNING = 2;
    private static final Duration REMEMBERED = Duration.ofSeconds(10);

    private final Metadata metadata;
    private final Known known;
    private final Executor executor;
    private final Semaphore running = new Semaphore(MAX_RUNNING);
    private final Cache<Long, Directory> directories = Caffeine.newBuilder()
            .maximumSize(MAX_DIRECTORIES)
            .expireAfterAccess(REMEMBERED)
            .executor(Runnable::run)
            .build();

    /** Guarded by itself. */
    private static final class Directory {
        private int questions;
        private int pages;
        private long cookie;
        private boolean busy;
        private boolean ended;
    }

    /** @param metadata whose lists teach {@code known} */
    LookAhead(Metadata metadata, Known known, Executor executor) {
        this.metadata = metadata;
        this.known = known;
        this.executor = executor;
    }

    /** A name of the directory had to be asked for. */
    void asked(long parent) {
        Directory directory = directories.get(parent, key -> new Directory());
        if (!begins(parent, directory)) {
            return;
        }
        try {
            executor.execute(() -> read(parent, directory));
        } catch (RejectedExecutionException e) {
            end(directory, List.of());
            LOG.debug("looking ahead after the end: directory={}", parent);
        }
    }

    private boolean begins(long parent, Directory directory) {
        synchronized (directory) {
            directory.questions++;
            boolean wanted = !directory.busy
                    && !directory.ended
                    && directory.questions > QUESTIONS_BEFORE + directory.pages
                    && !known.directories().complete(parent);
            directory.busy |= wanted && running.tryAcquire();
            return wanted && directory.busy;
        }
    }

    private void read(long parent, Directory directory) {
        List<DirectoryEntry> page = List.of();
        try {
            page = metadata.list(parent, directory.cookie, PAGE, true);
        } catch (ErrnoException e) {
            LOG.debug("not looked ahead: directory={} errno={}", parent, e.errno());
        } finally {
            end(directory, page);
        }
    }

    private void end(Directory directory, List<DirectoryEntry> page) {
        running.release();
        synchronized (directory) {
            directory.busy = false;
            directory.pages++;
            directory.ended = page.size() < PAGE || directory.pages == MAX_PAGES;
            directory.cookie =
                    page.isEmpty() ? directory.cookie : page.getLast().cookie();
        }
    }
}
