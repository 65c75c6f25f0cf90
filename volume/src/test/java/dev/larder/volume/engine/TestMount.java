package dev.larder.volume.engine;

import dev.larder.volume.Attributes;
import dev.larder.volume.Caller;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileSystem;
import dev.larder.volume.FileSystem.Cancellation;
import dev.larder.volume.Kernel;
import dev.larder.volume.Op;
import dev.larder.volume.metadata.Metadata;
import dev.larder.volume.objects.DirectoryStore;
import dev.larder.volume.testing.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** A mounted volume as a kernel would drive it, and the kernel that is told. */
final class TestMount implements AutoCloseable {
    static final Caller CALLER = new Caller(1000, 1000, 1);
    static final Cancellation NEVER = new Cancellation() {
        @Override
        public boolean cancelled() {
            return false;
        }

        @Override
        public void onCancel(Runnable action) {}
    };

    private static final long DEADLINE_SECONDS = 30;
    private static final int O_RDWR = 2;

    private final MountedVolume mounted;
    private final ToldKernel kernel;
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final ThreadLocal<long[]> statements = ThreadLocal.withInitial(() -> new long[1]);
    private final AtomicLong unique = new AtomicLong();
    private boolean ended;

    private TestMount(VolumeOptions options) {
        kernel = new ToldKernel();
        mounted = MountedVolume.mount(options, kernel, registry, this::counting);
    }

    static TestMount of(TestDatabase database, Path directory, String name) {
        return of(database, directory, name, Duration.ofSeconds(20));
    }

    static TestMount of(TestDatabase database, Path directory, String name, Duration lease) {
        return new TestMount(options(database, directory, name, lease));
    }

    static TestMount idleAfter(TestDatabase database, Path directory, String name, Duration idleAfter) {
        VolumeOptions options = options(database, directory, name, Duration.ofSeconds(20));
        VolumeOptions.Behaviour behaviour = options.behaviour();
        return new TestMount(options.with(new VolumeOptions.Behaviour(
                behaviour.consistency(),
                behaviour.syncOnClose(),
                behaviour.readOnly(),
                behaviour.feedInterval(),
                behaviour.kernelTimeout(),
                behaviour.prefetchBytes(),
                idleAfter,
                behaviour.jobs())));
    }

    /** The process that takes a dead one's mount over: its session, its cache. */
    static TestMount successor(TestDatabase database, Path directory, String name, Duration lease, UUID session) {
        VolumeOptions fresh = options(database, directory, name, lease);
        return new TestMount(new VolumeOptions(
                fresh.volume(),
                fresh.metadata().continuing(session),
                fresh.objects(),
                fresh.cacheDirectory(),
                fresh.cache(),
                fresh.segments(),
                fresh.transferMemory(),
                fresh.behaviour()));
    }

    static VolumeOptions options(TestDatabase database, Path directory, String name, Duration lease) {
        VolumeOptions.Behaviour defaults = VolumeOptions.Behaviour.DEFAULT;
        return VolumeOptions.of(
                        database.volume(),
                        database.options().withLease(lease).withConnections(3),
                        () -> store(directory.resolve("objects")),
                        directory.resolve("cache-" + name),
                        1L << 30)
                .with(new VolumeOptions.Behaviour(
                        defaults.consistency(),
                        false,
                        false,
                        Duration.ofMillis(100),
                        defaults.kernelTimeout(),
                        0,
                        Duration.ZERO,
                        false));
    }

    private static DirectoryStore store(Path directory) {
        try {
            Files.createDirectories(directory);
            return DirectoryStore.open(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    MountedVolume mounted() {
        return mounted;
    }

    FileSystem fs() {
        return mounted.fileSystem();
    }

    ToldKernel kernel() {
        return kernel;
    }

    double puts() {
        return registry.find("larder_object_requests")
                .tag("operation", "put")
                .counter()
                .count();
    }

    Op op() {
        return new Op(unique.incrementAndGet() * 8, false);
    }

    Attributes lookup(long parent, String name) {
        return fs().lookup(CALLER, parent, FileName.of(name));
    }

    boolean exists(long parent, String name) {
        try {
            lookup(parent, name);
            return true;
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
            return false;
        }
    }

    Attributes mkdir(long parent, String name) {
        return fs().mknod(op(), CALLER, parent, FileName.of(name), Attributes.S_IFDIR | 0777, 0, 022);
    }

    Attributes mknod(long parent, String name) {
        return fs().mknod(op(), CALLER, parent, FileName.of(name), Attributes.S_IFREG | 0666, 0, 022);
    }

    void unlink(long parent, String name) {
        fs().unlink(op(), CALLER, parent, FileName.of(name));
    }

    void rename(long parent, String name, long newParent, String newName, int flags) {
        fs().rename(op(), CALLER, parent, FileName.of(name), newParent, FileName.of(newName), flags);
    }

    long file(long parent, String name, String text) {
        return file(parent, name, text.getBytes(StandardCharsets.UTF_8));
    }

    long file(long parent, String name, byte[] bytes) {
        FileSystem.Created created = fs().create(op(), CALLER, parent, FileName.of(name), 0666, 022, O_RDWR);
        long inode = created.attributes().inode();
        write(inode, created.opened().handle(), 0, bytes);
        close(inode, created.opened().handle());
        return inode;
    }

    void overwrite(long inode, String text) {
        FileSystem.Opened opened = fs().open(op(), CALLER, inode, O_RDWR | 01000);
        write(inode, opened.handle(), 0, text.getBytes(StandardCharsets.UTF_8));
        close(inode, opened.handle());
    }

    void write(long inode, long handle, long offset, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            fs().write(op(), CALLER, inode, handle, offset, from, false);
        }
    }

    void close(long inode, long handle) {
        fs().flush(op(), CALLER, inode, handle, 0);
        fs().release(inode, handle, 0, false);
    }

    long open(long inode) {
        return fs().open(op(), CALLER, inode, 0).handle();
    }

    String read(long inode) {
        long handle = open(inode);
        try {
            return new String(readOpen(inode, handle), StandardCharsets.UTF_8);
        } finally {
            fs().release(inode, handle, 0, false);
        }
    }

    byte[] readOpen(long inode, long handle) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(1 << 20);
            int count = fs().read(CALLER, inode, handle, 0, into);
            return into.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Statements that an operation sends from this thread; session() counts, and is not asked by operations. */
    long statements(Runnable operation) {
        long before = statements.get()[0];
        operation.run();
        return statements.get()[0] - before;
    }

    private Metadata counting(Metadata counted) {
        return (Metadata) Proxy.newProxyInstance(
                Metadata.class.getClassLoader(), new Class<?>[] {Metadata.class}, (proxy, method, arguments) -> {
                    statements.get()[0]++;
                    try {
                        return method.invoke(counted, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    void until(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within " + DEADLINE_SECONDS + " s: " + what);
            }
            Thread.onSpinWait();
        }
    }

    /** As a process does that is killed: nothing is committed, nothing is ended. */
    void die() {
        ended = true;
        mounted.abandon();
    }

    @Override
    public void close() {
        if (!ended) {
            ended = true;
            mounted.close();
        }
    }

    /** Cancels when told. */
    static final class Interrupt implements Cancellation {
        private final CountDownLatch cancelled = new CountDownLatch(1);
        private volatile Runnable action;

        @Override
        public boolean cancelled() {
            return cancelled.getCount() == 0;
        }

        @Override
        public void onCancel(Runnable onCancel) {
            action = onCancel;
        }

        void cancel() {
            cancelled.countDown();
            Runnable waiting = action;
            if (waiting != null) {
                waiting.run();
            }
        }
    }

    /** Remembers what it was told. */
    static final class ToldKernel implements Kernel {
        private final Set<String> entries = ConcurrentHashMap.newKeySet();
        private final AtomicLong everything = new AtomicLong();

        Set<String> entries() {
            return entries;
        }

        long everything() {
            return everything.get();
        }

        @Override
        public void invalidateInode(long inode, long offset, long length) {}

        @Override
        public void invalidateEntry(long parent, FileName name) {
            entries.add(parent + "/" + name);
        }

        @Override
        public void invalidateAll() {
            everything.incrementAndGet();
        }

        @Override
        public boolean passthrough() {
            return false;
        }

        @Override
        public int openBacking(long inode, int descriptor) {
            throw new IllegalStateException("no passthrough here");
        }

        @Override
        public void closeBacking(long inode, int backingId) {}
    }
}
