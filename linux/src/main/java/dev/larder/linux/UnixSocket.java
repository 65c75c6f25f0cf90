package dev.larder.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A Unix socket of type SEQPACKET: messages keep their bounds, and open descriptors travel with them (unix(7),
 * SCM_RIGHTS). Every wait has a deadline. One thread may send while another receives.
 */
public final class UnixSocket implements AutoCloseable {
    /** Most descriptors that one message may carry here (the kernel allows 253). */
    public static final int MAX_DESCRIPTORS = 64;

    /** Most bytes that one message may carry here. */
    public static final int MAX_MESSAGE_BYTES = 16 * 1024;

    private static final int AF_UNIX = 1;
    private static final int SOCK_SEQPACKET = 5;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_CTRUNC = 8;
    private static final int POLLIN = 1;
    private static final int POLLOUT = 4;
    private static final int ADDRESS_PATH_BYTES = 108;
    private static final int CMSG_HEADER_BYTES = 16;
    private static final int MSGHDR_BYTES = 56;

    private static final class Socket {
        static final MethodHandle HANDLE = Native.longs("socket");
    }

    private static final class Socketpair {
        static final MethodHandle HANDLE = Native.longs("socketpair");
    }

    private static final class Bind {
        static final MethodHandle HANDLE = Native.longs("bind");
    }

    private static final class Listen {
        static final MethodHandle HANDLE = Native.longs("listen");
    }

    private static final class Connect {
        static final MethodHandle HANDLE = Native.longs("connect");
    }

    private static final class Accept {
        static final MethodHandle HANDLE = Native.longs("accept4");
    }

    private static final class Getsockopt {
        static final MethodHandle HANDLE = Native.longs("getsockopt");
    }

    private static final class Sendmsg {
        static final MethodHandle HANDLE = Native.longs("sendmsg");
    }

    private static final class Recvmsg {
        static final MethodHandle HANDLE = Native.longs("recvmsg");
    }

    private static final class Poll {
        static final MethodHandle HANDLE = Native.longs("poll");
    }

    private final Descriptor descriptor;

    private UnixSocket(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** A message and the descriptors that came with it; the receiver owns them. */
    public record Message(byte[] bytes, List<Descriptor> descriptors) {
        public void closeDescriptors() {
            descriptors.forEach(Descriptor::close);
        }
    }

    /** Who is at the other end, as the kernel knows it since connect(2). */
    public record Peer(int pid, int uid, int gid) {}

    /** Takes over a descriptor of a connected or listening SEQPACKET socket. */
    public static UnixSocket own(Descriptor descriptor) {
        return new UnixSocket(descriptor);
    }

    /** Two sockets connected with each other. */
    public static List<UnixSocket> pair() {
        try (Scratch scratch = Scratch.take()) {
            MemorySegment two = scratch.allocate(8);
            int type = SOCK_SEQPACKET | SOCK_CLOEXEC;
            Call.ints("socketpair", null, Socketpair.HANDLE, scratch, AF_UNIX, type, 0, two.address());
            return List.of(
                    new UnixSocket(Descriptor.own(two.get(JAVA_INT, 0))),
                    new UnixSocket(Descriptor.own(two.get(JAVA_INT, 4))));
        }
    }

    /**
     * Binds and listens; the path must not exist (remove a stale one first), its access rights come from the umask and
     * its directory.
     */
    public static UnixSocket listen(Path path, int backlog) {
        Descriptor fd = create();
        try (Scratch scratch = Scratch.take()) {
            MemorySegment address = address(scratch, path);
            String subject = path.toString();
            Call.ints("bind", subject, Bind.HANDLE, scratch, fd.number(), address.address(), address.byteSize(), 0);
            Call.ints("listen", subject, Listen.HANDLE, scratch, fd.number(), backlog, 0, 0);
            return new UnixSocket(fd);
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /** Fails at once when nobody listens. */
    public static UnixSocket connect(Path path) {
        Descriptor fd = create();
        try (Scratch scratch = Scratch.take()) {
            MemorySegment address = address(scratch, path);
            Call.ints(
                    "connect",
                    path.toString(),
                    Connect.HANDLE,
                    scratch,
                    fd.number(),
                    address.address(),
                    address.byteSize(),
                    0);
            return new UnixSocket(fd);
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    private static Descriptor create() {
        try (Scratch scratch = Scratch.take()) {
            int type = SOCK_SEQPACKET | SOCK_CLOEXEC;
            return Descriptor.own(Call.ints("socket", null, Socket.HANDLE, scratch, AF_UNIX, type, 0, 0));
        }
    }

    private static MemorySegment address(Scratch scratch, Path path) {
        byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= ADDRESS_PATH_BYTES) {
            throw new LinuxException("socket path", LinuxErrno.ENAMETOOLONG, path + ", at most 107 bytes");
        }
        MemorySegment address = scratch.allocate(2 + ADDRESS_PATH_BYTES);
        address.set(JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(bytes, 0, address, JAVA_BYTE, 2, bytes.length);
        return address;
    }

    /** @return null when nobody connected in time */
    public UnixSocket accept(Duration timeout) {
        if (!await(POLLIN, timeout)) {
            return null;
        }
        try (Scratch scratch = Scratch.take()) {
            int fd = Call.ints("accept", null, Accept.HANDLE, scratch, descriptor.number(), 0, 0, SOCK_CLOEXEC);
            return new UnixSocket(Descriptor.own(fd));
        }
    }

    public Peer peer() {
        try (Scratch scratch = Scratch.take()) {
            MemorySegment credentials = scratch.allocate(12);
            MemorySegment length = scratch.allocate(4);
            length.set(JAVA_INT, 0, 12);
            Call.longs(
                    "getsockopt",
                    Getsockopt.HANDLE,
                    scratch,
                    descriptor.number(),
                    SOL_SOCKET,
                    SO_PEERCRED,
                    credentials.address(),
                    length.address(),
                    0);
            return new Peer(credentials.get(JAVA_INT, 0), credentials.get(JAVA_INT, 4), credentials.get(JAVA_INT, 8));
        }
    }

    /**
     * Sends one message of 1 to {@link #MAX_MESSAGE_BYTES} bytes; the descriptors stay the sender's too.
     *
     * @throws LinuxException ETIMEDOUT, or EPIPE when the other side has closed
     */
    public void send(byte[] bytes, List<Descriptor> descriptors, Duration timeout) {
        if (bytes.length == 0 || bytes.length > MAX_MESSAGE_BYTES || descriptors.size() > MAX_DESCRIPTORS) {
            throw new IllegalArgumentException("a message of " + bytes.length + " bytes and " + descriptors.size()
                    + " descriptors; at most " + MAX_MESSAGE_BYTES + " and " + MAX_DESCRIPTORS + ", at least 1 byte");
        }
        if (!await(POLLOUT, timeout)) {
            throw new LinuxException("sendmsg", LinuxErrno.ETIMEDOUT);
        }
        try (Scratch scratch = Scratch.take()) {
            MemorySegment control = scratch.allocate(controlBytes(descriptors.size()));
            MemorySegment header = header(scratch, bytes.length, control);
            MemorySegment body =
                    MemorySegment.ofAddress(header.get(JAVA_LONG, MSGHDR_BYTES)).reinterpret(bytes.length);
            MemorySegment.copy(bytes, 0, body, JAVA_BYTE, 0, bytes.length);
            if (descriptors.isEmpty()) {
                header.set(JAVA_LONG, 40, 0);
            } else {
                control.set(JAVA_LONG, 0, CMSG_HEADER_BYTES + 4L * descriptors.size());
                control.set(JAVA_INT, 8, SOL_SOCKET);
                control.set(JAVA_INT, 12, SCM_RIGHTS);
                for (int i = 0; i < descriptors.size(); i++) {
                    control.set(
                            JAVA_INT,
                            CMSG_HEADER_BYTES + 4L * i,
                            descriptors.get(i).number());
                }
            }
            long flags = MSG_NOSIGNAL | MSG_DONTWAIT;
            Call.longs("sendmsg", Sendmsg.HANDLE, scratch, descriptor.number(), header.address(), flags, 0, 0, 0);
        }
    }

    /**
     * @return the next message, of no bytes when the other side has closed; null when none came in time
     * @throws LinuxException a message or its descriptors were larger than the bounds; the descriptors are closed
     */
    public Message receive(Duration timeout) {
        if (!await(POLLIN, timeout)) {
            return null;
        }
        try (Scratch scratch = Scratch.take()) {
            MemorySegment control = scratch.allocate(controlBytes(MAX_DESCRIPTORS));
            MemorySegment header = header(scratch, MAX_MESSAGE_BYTES, control);
            int count = (int) Call.longs(
                    "recvmsg",
                    Recvmsg.HANDLE,
                    scratch,
                    descriptor.number(),
                    header.address(),
                    MSG_CMSG_CLOEXEC | MSG_DONTWAIT,
                    0,
                    0,
                    0);
            Message message = new Message(body(header, count), descriptors(control, header.get(JAVA_LONG, 40)));
            if ((header.get(JAVA_INT, 48) & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
                message.closeDescriptors();
                throw new LinuxException("recvmsg", LinuxErrno.EINVAL, "message larger than the bounds");
            }
            return message;
        }
    }

    private static byte[] body(MemorySegment header, int count) {
        return MemorySegment.ofAddress(header.get(JAVA_LONG, MSGHDR_BYTES))
                .reinterpret(count)
                .toArray(JAVA_BYTE);
    }

    private static List<Descriptor> descriptors(MemorySegment control, long controlLength) {
        List<Descriptor> received = new ArrayList<>();
        long at = 0;
        while (at + CMSG_HEADER_BYTES <= controlLength) {
            long length = control.get(JAVA_LONG, at);
            if (length < CMSG_HEADER_BYTES || at + length > controlLength) {
                break;
            }
            if (control.get(JAVA_INT, at + 8) == SOL_SOCKET && control.get(JAVA_INT, at + 12) == SCM_RIGHTS) {
                for (long i = CMSG_HEADER_BYTES; i + 4 <= length; i += 4) {
                    received.add(Descriptor.own(control.get(JAVA_INT, at + i)));
                }
            }
            at += (length + 7) & ~7L;
        }
        return received;
    }

    private static long controlBytes(int descriptors) {
        return CMSG_HEADER_BYTES + ((4L * descriptors + 7) & ~7L);
    }

    /** struct msghdr, its one struct iovec right behind it, and the body that the iovec points at. */
    private static MemorySegment header(Scratch scratch, int bodyBytes, MemorySegment control) {
        MemorySegment header = scratch.allocate(MSGHDR_BYTES + 16);
        MemorySegment body = scratch.allocate(bodyBytes);
        header.set(JAVA_LONG, 16, header.address() + MSGHDR_BYTES);
        header.set(JAVA_LONG, 24, 1);
        header.set(JAVA_LONG, 32, control.address());
        header.set(JAVA_LONG, 40, control.byteSize());
        header.set(JAVA_LONG, MSGHDR_BYTES, body.address());
        header.set(JAVA_LONG, MSGHDR_BYTES + 8, bodyBytes);
        return header;
    }

    /** @return false when the deadline came first; a hang-up counts as ready */
    private boolean await(int event, Duration timeout) {
        return poll(descriptor.number(), event, timeout);
    }

    /** Waits until a descriptor can be read (or its other side is gone); false when the deadline came first. */
    public static boolean awaitReadable(int fd, Duration timeout) {
        return poll(fd, POLLIN, timeout);
    }

    private static boolean poll(int fd, int event, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        try (Scratch scratch = Scratch.take()) {
            MemorySegment pollfd = scratch.allocate(8);
            pollfd.set(JAVA_INT, 0, fd);
            pollfd.set(JAVA_SHORT, 4, (short) event);
            while (true) {
                long leftMillis = Math.max(0, (deadline - System.nanoTime() + 999_999) / 1_000_000);
                long wait = Math.min(leftMillis, Integer.MAX_VALUE);
                int ready = (int) Native.invoke(Poll.HANDLE, scratch, pollfd.address(), 1, wait, 0, 0, 0);
                if (ready > 0) {
                    return true;
                }
                if (ready == 0 && deadline - System.nanoTime() <= 0) {
                    return false;
                }
                if (ready < 0 && scratch.errno() != LinuxErrno.EINTR) {
                    throw new LinuxException("poll", scratch.errno());
                }
            }
        }
    }

    public Descriptor descriptor() {
        return descriptor;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
