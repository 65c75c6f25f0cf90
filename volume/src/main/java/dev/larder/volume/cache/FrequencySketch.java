package dev.larder.volume.cache;

/** How often a hash was seen lately: a count-min sketch of 4-bit counters in 4 rows, halved every 10 x width. */
final class FrequencySketch {
    private static final int MOST = 15;
    private static final int ROWS = 4;
    private static final int[] SEEDS = {0x9E3779B9, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F};

    private final byte[][] counters;
    private final int mask;
    private int additions;

    /** @param width a power of two */
    FrequencySketch(int width) {
        counters = new byte[ROWS][width];
        mask = width - 1;
    }

    void increment(int hash) {
        for (int row = 0; row < ROWS; row++) {
            int at = place(hash, row);
            if (counters[row][at] < MOST) {
                counters[row][at]++;
            }
        }
        if (++additions > 10 * (mask + 1)) {
            halve();
        }
    }

    int frequency(int hash) {
        int least = MOST;
        for (int row = 0; row < ROWS; row++) {
            least = Math.min(least, counters[row][place(hash, row)]);
        }
        return least;
    }

    private void halve() {
        additions /= 2;
        for (byte[] row : counters) {
            for (int i = 0; i < row.length; i++) {
                row[i] >>= 1;
            }
        }
    }

    private int place(int hash, int row) {
        int mixed = hash * SEEDS[row];
        mixed ^= mixed >>> 15;
        mixed *= 0x2C1B3C6D;
        return (mixed ^ mixed >>> 13) & mask;
    }
}
