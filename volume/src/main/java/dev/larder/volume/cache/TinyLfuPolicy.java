package dev.larder.volume.cache;

import java.util.LinkedHashSet;

/**
 * W-TinyLFU (Einziger, Friedman, Manes: "TinyLFU: A Highly Efficient Cache Admission Policy", 2017): newcomers pass a
 * small window; to stay, one must be asked for more often than the victim of the main part. A scan washes through the
 * window only. The main part is a segmented LRU.
 */
final class TinyLfuPolicy implements EvictionPolicy {
    private static final int WINDOW_PERCENT = 1;
    private static final int PROTECTED_PERCENT = 80;

    private final LinkedHashSet<Slice> window = new LinkedHashSet<>();
    private final LinkedHashSet<Slice> probation = new LinkedHashSet<>();
    private final LinkedHashSet<Slice> protectedSlices = new LinkedHashSet<>();
    private final FrequencySketch sketch = new FrequencySketch(1 << 16);
    private int held = Integer.MAX_VALUE;

    @Override
    public void touched(Slice slice) {
        sketch.increment(slice.hashCode());
        if (protectedSlices.contains(slice)) {
            protectedSlices.addLast(slice);
        } else if (probation.remove(slice)) {
            protectedSlices.addLast(slice);
            demote();
        } else {
            window.addLast(slice);
            admitWhileThereIsRoom();
        }
    }

    /** Nothing has to go yet: what leaves the window need not compete. How much fits is learned from evictions. */
    private void admitWhileThereIsRoom() {
        while (size() <= held && window.size() > windowMost()) {
            probation.addLast(window.removeFirst());
        }
    }

    private int windowMost() {
        return Math.max(1, size() * WINDOW_PERCENT / 100);
    }

    private void demote() {
        int most = Math.max(1, (size() - window.size()) * PROTECTED_PERCENT / 100);
        while (protectedSlices.size() > most) {
            probation.addLast(protectedSlices.removeFirst());
        }
    }

    @Override
    public void removed(Slice slice) {
        if (!window.remove(slice) && !probation.remove(slice)) {
            protectedSlices.remove(slice);
        }
    }

    @Override
    public boolean contains(Slice slice) {
        return window.contains(slice) || probation.contains(slice) || protectedSlices.contains(slice);
    }

    @Override
    public int size() {
        return window.size() + probation.size() + protectedSlices.size();
    }

    @Override
    public Slice victim() {
        held = Math.max(1, size() - 1);
        while (window.size() > windowMost()) {
            Slice candidate = window.removeFirst();
            if (probation.isEmpty()) {
                probation.addLast(candidate);
                continue;
            }
            Slice resident = probation.getFirst();
            if (sketch.frequency(candidate.hashCode()) <= sketch.frequency(resident.hashCode())) {
                return candidate;
            }
            probation.removeFirst();
            probation.addLast(candidate);
            return resident;
        }
        if (!probation.isEmpty()) {
            return probation.removeFirst();
        }
        if (!protectedSlices.isEmpty()) {
            return protectedSlices.removeFirst();
        }
        return window.isEmpty() ? null : window.removeFirst();
    }
}
