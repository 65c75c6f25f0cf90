package dev.larder.e2e;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Thousands of random operations by several threads, with agent kills, remounts and dropped caches in between, compared
 * with the same on the local disk. Replay with -Dlarder.e2e.seed=SEED.
 */
@Timeout(400)
class ModelTest {
    private static final int THREADS = 4;
    private static final int PHASES = 6;
    private static final int STEPS = 300;
    private static final long SEED = Long.getLong("larder.e2e.seed", System.nanoTime());

    @Test
    void theVolumeIsAsTheLocalDisk() throws Exception {
        System.out.println("ModelTest seed " + SEED);
        try (Larder larder = Larder.create();
                ExecutorService users = Executors.newFixedThreadPool(THREADS)) {
            Path disk = Files.createDirectory(larder.home().resolve("disk"));
            Path manifest = larder.manifest("model");
            Path mount = larder.mount(manifest, "m");
            List<Twins> twins = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                twins.add(new Twins(mount.resolve("t" + thread), disk.resolve("t" + thread), SEED + thread));
            }
            Random random = new Random(SEED);
            for (int phase = 0; phase < PHASES; phase++) {
                List<Future<?>> running = new ArrayList<>();
                for (Twins one : twins) {
                    running.add(users.submit(steps(one)));
                }
                if (phase % 2 == 1) {
                    larder.killAgent(mount);
                }
                for (Future<?> one : running) {
                    one.get(300, TimeUnit.SECONDS);
                }
                if (random.nextBoolean()) {
                    compare(users, twins);
                }
                larder.umount(mount);
                if (phase % 3 != 0) {
                    larder.dropCache("model");
                }
                larder.mount(manifest, "m");
                compare(users, twins);
            }
            larder.run("fsck", "--content", mount.toString()).ok();
        }
    }

    private static Callable<?> steps(Twins one) {
        return () -> {
            for (int step = 0; step < STEPS; step++) {
                one.step();
            }
            return null;
        };
    }

    private static void compare(ExecutorService users, List<Twins> twins) throws Exception {
        List<Future<?>> running = new ArrayList<>();
        for (Twins one : twins) {
            running.add(users.submit(() -> {
                one.compare();
                return null;
            }));
        }
        for (Future<?> one : running) {
            one.get(120, TimeUnit.SECONDS);
        }
    }
}
