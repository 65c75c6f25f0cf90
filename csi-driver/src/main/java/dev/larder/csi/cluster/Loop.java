package dev.larder.csi.cluster;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that takes the same turn again and again. A failure is told once, and the turns come later while it lasts: a
 * cluster whose API server is away has other things to do than to hear of every node.
 */
final class Loop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
    private static final int MOST_DOUBLINGS = 5;
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final Duration CLOSE = Duration.ofSeconds(5);

    /** What is done in each turn. */
    @FunctionalInterface
    interface Turn {
        void take() throws ApiException, InterruptedException;
    }

    private final Thread thread;
    private final Duration pause;
    private final Turn turn;

    private volatile boolean closed;
    private int failures;

    private Loop(String name, Duration pause, Turn turn) {
        this.pause = pause;
        this.turn = turn;
        this.thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
    }

    /** @param pause between two turns */
    static Loop start(String name, Duration pause, Turn turn) {
        Loop loop = new Loop(name, pause, turn);
        loop.thread.start();
        return loop;
    }

    private void run() {
        try {
            while (!closed) {
                takeTurn();
                Thread.sleep(pauseNow());
            }
        } catch (InterruptedException e) {
            LOG.debug("{} ends", thread.getName());
        }
    }

    private void takeTurn() throws InterruptedException {
        try {
            turn.take();
            if (failures > 0) {
                LOG.info("{}: well again after failures={}", thread.getName(), failures);
            }
            failures = 0;
        } catch (ApiException e) {
            failed(e.getMessage(), null);
        } catch (RuntimeException e) {
            // One bad answer must not end the node's reports for good.
            failed(e.toString(), e);
        }
    }

    private void failed(String cause, RuntimeException bug) {
        failures++;
        if (failures == 1) {
            LOG.warn("{}: tried again until it succeeds: {}", thread.getName(), cause, bug);
        } else {
            LOG.debug("{}: failures={} {}", thread.getName(), failures, cause);
        }
    }

    private Duration pauseNow() {
        if (failures == 0) {
            return pause;
        }
        Duration longer = pause.plusSeconds(1).multipliedBy(1L << Math.min(failures, MOST_DOUBLINGS));
        return longer.compareTo(LONGEST) > 0 ? LONGEST : longer;
    }

    /** Interrupts the turn. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(CLOSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
