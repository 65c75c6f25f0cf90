package dev.larder.e2e.load;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;

/** Takes the lock of a file without waiting, and holds it: {@code LockMain FILE SECONDS}. Exit code 1: another has it. */
public final class LockMain {
    private LockMain() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path file = Path.of(arguments[0]);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock == null) {
                System.exit(1);
            }
            TimeUnit.SECONDS.sleep(Long.parseLong(arguments[1]));
        }
    }
}
