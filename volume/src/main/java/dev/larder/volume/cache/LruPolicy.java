package dev.larder.volume.cache;

import java.util.LinkedHashSet;

/** Least recently used first. */
final class LruPolicy implements EvictionPolicy {
    private final LinkedHashSet<Slice> order = new LinkedHashSet<>();

    @Override
    public void touched(Slice slice) {
        order.addLast(slice);
    }

    @Override
    public void removed(Slice slice) {
        order.remove(slice);
    }

    @Override
    public boolean contains(Slice slice) {
        return order.contains(slice);
    }

    @Override
    public int size() {
        return order.size();
    }

    @Override
    public Slice victim() {
        return order.isEmpty() ? null : order.removeFirst();
    }
}
