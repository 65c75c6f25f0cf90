package dev.larder.agent.fuse;

import dev.larder.volume.FileSystem.Cancellation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Requests that can be interrupted, by identity. An INTERRUPT may be read before its request, by another worker, so
 * early ones are remembered; an identity is never used twice, so one that nobody waits for does no harm until it falls
 * out.
 */
final class Interrupts {
    private static final int REMEMBERED = 1024;

    private final Map<Long, Pending> waiting = new HashMap<>();
    private final Map<Long, Boolean> early = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
            return size() > REMEMBERED;
        }
    };

    /** A request that waits; close it when it has been answered. */
    final class Pending implements Cancellation, AutoCloseable {
        private final long identity;
        private boolean cancelled;
        private List<Runnable> actions = List.of();

        private Pending(long identity) {
            this.identity = identity;
        }

        @Override
        public synchronized boolean cancelled() {
            return cancelled;
        }

        @Override
        public void onCancel(Runnable action) {
            synchronized (this) {
                if (!cancelled) {
                    actions = new ArrayList<>(actions);
                    actions.add(action);
                    return;
                }
            }
            action.run();
        }

        private void cancel() {
            List<Runnable> toRun;
            synchronized (this) {
                cancelled = true;
                toRun = actions;
                actions = List.of();
            }
            toRun.forEach(Runnable::run);
        }

        @Override
        public void close() {
            synchronized (Interrupts.this) {
                waiting.remove(identity);
            }
        }
    }

    Pending register(long identity) {
        Pending pending = new Pending(identity);
        boolean already;
        synchronized (this) {
            already = early.remove(identity) != null;
            waiting.put(identity, pending);
        }
        if (already) {
            pending.cancel();
        }
        return pending;
    }

    void interrupt(long identity) {
        Pending pending;
        synchronized (this) {
            pending = waiting.get(identity);
            if (pending == null) {
                early.put(identity, true);
            }
        }
        if (pending != null) {
            pending.cancel();
        }
    }

    void interruptAll() {
        List<Pending> all;
        synchronized (this) {
            all = List.copyOf(waiting.values());
        }
        all.forEach(Pending::cancel);
    }
}
