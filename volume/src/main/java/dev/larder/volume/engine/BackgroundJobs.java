package dev.larder.volume.engine;

import dev.larder.volume.ErrnoException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Packs and collects while a volume is mounted. The packer looks only when something was committed here since, or when
 * it is time to take what is left over; the collector goes at an interval, at another moment in each mount.
 */
final class BackgroundJobs implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BackgroundJobs.class);
    private static final Duration PACK_INTERVAL = Duration.ofSeconds(5);
    private static final Duration COLLECT_INTERVAL = Duration.ofMinutes(10);
    private static final long CLOSE_MILLIS = 10_000;

    private final Packer packer;
    private final Collector collector;
    private final LongSupplier activity;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread packing;
    private final Thread collecting;

    /** @param activity grows with every mutation */
    BackgroundJobs(Packer packer, Collector collector, LongSupplier activity) {
        this.packer = packer;
        this.collector = collector;
        this.activity = activity;
        this.packing = Thread.ofPlatform().daemon().name("larder-packer").start(this::pack);
        this.collecting = Thread.ofPlatform().daemon().name("larder-collector").start(this::collect);
    }

    private void pack() {
        long seen = -1;
        long quietUntil = System.nanoTime();
        while (!stopped(PACK_INTERVAL)) {
            long now = activity.getAsLong();
            boolean leftOver = System.nanoTime() - quietUntil >= 0;
            if (now == seen && !leftOver) {
                continue;
            }
            seen = now;
            attempt("packer", () -> {
                Packer.Packed packed = packer.run();
                if (packed.objects() > 0) {
                    LOG.debug("packed: extents={} bytes={}", packed.extents(), packed.bytes());
                }
            });
            if (leftOver) {
                quietUntil = System.nanoTime() + Packer.MAX_AGE.toNanos();
            }
        }
    }

    private void collect() {
        long millis = COLLECT_INTERVAL.toMillis();
        while (!stopped(Duration.ofMillis(ThreadLocalRandom.current().nextLong(millis / 2, millis * 3 / 2)))) {
            attempt("collector", () -> LOG.debug("collected: {}", collector.run(Collector.Listener.NONE)));
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private void attempt(String job, Work work) {
        try {
            work.run();
        } catch (IOException | ErrnoException e) {
            LOG.warn("{} failed and will try again: {}", job, e.getMessage());
        }
    }

    private boolean stopped(Duration pause) {
        try {
            return stop.await(pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    @Override
    public void close() {
        stop.countDown();
        try {
            packing.join(CLOSE_MILLIS);
            collecting.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
