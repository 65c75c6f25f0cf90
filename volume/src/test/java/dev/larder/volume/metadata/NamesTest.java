package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.volume.Attributes;
import dev.larder.volume.Errno;
import dev.larder.volume.ErrnoException;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Metadata.DefaultAclException;
import dev.larder.volume.metadata.Metadata.DirectoryEntry;
import dev.larder.volume.metadata.Metadata.NewInode;
import dev.larder.volume.metadata.Metadata.Renamed;
import dev.larder.volume.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NamesTest {
    private static final int DIRECTORY = Attributes.S_IFDIR | 0755;
    private static final int FILE = Attributes.S_IFREG | 0644;

    private static TestDatabase database;
    private static PostgresMetadata metadata;
    private static long next;
    private static long clock = 1_000;
    private long home;

    @BeforeAll
    static void open() {
        database = TestDatabase.create();
        metadata = database.open();
        next = metadata.leaseInodes(10_000);
    }

    @AfterAll
    static void close() {
        metadata.close();
        database.close();
    }

    @BeforeEach
    void makeHome() {
        home = make(1, "home" + next, DIRECTORY).inode();
    }

    private static FileTime tick() {
        return new FileTime(++clock, 7);
    }

    private static FileName name(String name) {
        return FileName.of(name);
    }

    private static NewInode inode(int mode) {
        return new NewInode(next++, mode, 10, 20, 0, null, null, null, false, tick());
    }

    private static Attributes make(long parent, String name, int mode) {
        return metadata.create(Op.NONE, parent, name(name), inode(mode));
    }

    private static void refused(Errno errno, Runnable operation) {
        assertEquals(errno, assertThrows(ErrnoException.class, operation::run).errno());
    }

    private static SetAttributes size(long size) {
        FileTime now = tick();
        return new SetAttributes(null, null, null, size, null, now, now, false);
    }

    @Test
    void createsAndFinds() {
        Attributes before = metadata.attributes(home);
        Attributes made = make(home, "a", FILE);
        assertEquals(made, metadata.lookup(home, name("a")));
        assertEquals(made, metadata.attributes(made.inode()));
        assertEquals(FILE, made.mode());
        assertEquals(1, made.nlink());
        assertEquals(made.ctime(), metadata.attributes(home).mtime());
        assertEquals(made.ctime(), metadata.attributes(home).ctime());
        assertEquals(before.nlink(), metadata.attributes(home).nlink());
        Attributes directory = make(home, "d", DIRECTORY);
        assertEquals(2, directory.nlink());
        assertEquals(home, directory.parent());
        assertEquals(3, metadata.attributes(home).nlink());
    }

    @Test
    void refusesWhatCannotBeCreated() {
        long file = make(home, "a", FILE).inode();
        FileTime before = metadata.attributes(home).mtime();
        refused(Errno.EEXIST, () -> make(home, "a", FILE));
        refused(Errno.ENOTDIR, () -> make(file, "b", FILE));
        refused(Errno.ENOENT, () -> make(999_999, "b", FILE));
        refused(Errno.ENOENT, () -> metadata.lookup(home, name("missing")));
        refused(Errno.ENOENT, () -> metadata.lookup(999_999, name("missing")));
        refused(Errno.ENOTDIR, () -> metadata.lookup(file, name("missing")));
        refused(Errno.ENOENT, () -> metadata.attributes(999_999));
        refused(Errno.ENOENT, () -> metadata.readlink(999_999));
        refused(Errno.EINVAL, () -> metadata.readlink(file));
        assertEquals(before, metadata.attributes(home).mtime());
    }

    @Test
    void symlinksKeepTheirTarget() {
        byte[] target = "somewhere/else".getBytes(StandardCharsets.UTF_8);
        Attributes link = metadata.create(
                Op.NONE,
                home,
                name("l"),
                new NewInode(next++, Attributes.S_IFLNK | 0777, 1, 2, 0, target, null, null, false, tick()));
        assertEquals(target.length, link.size());
        assertArrayEquals(target, metadata.readlink(link.inode()));
    }

    @Test
    void aSetgidDirectoryGivesItsGroup() {
        Attributes shared = make(home, "shared", DIRECTORY | 02000);
        metadata.setAttributes(
                Op.NONE, shared.inode(), new SetAttributes(null, null, 77L, null, null, null, tick(), false));
        Attributes file = make(shared.inode(), "f", FILE);
        Attributes directory = make(shared.inode(), "d", DIRECTORY);
        assertEquals(77, file.gid());
        assertEquals(FILE, file.mode());
        assertEquals(77, directory.gid());
        assertEquals(DIRECTORY | 02000, directory.mode());
    }

    @Test
    void aDefaultAclIsToldBeforeAnythingIsDone() {
        byte[] acl = {2, 0, 0, 0, 1, 0, 7, 0, -1, -1, -1, -1};
        metadata.setXattr(Op.NONE, home, name("system.posix_acl_default"), acl, 0, null, tick());
        NewInode inode = inode(DIRECTORY);
        DefaultAclException told =
                assertThrows(DefaultAclException.class, () -> metadata.create(Op.NONE, home, name("d"), inode));
        assertArrayEquals(acl, told.acl());
        refused(Errno.ENOENT, () -> metadata.lookup(home, name("d")));
        Attributes made = metadata.create(
                Op.NONE,
                home,
                name("d"),
                new NewInode(inode.inode(), DIRECTORY, 1, 2, 0, null, acl, acl, true, tick()));
        assertEquals(Attributes.FLAG_ACCESS_ACL | Attributes.FLAG_DEFAULT_ACL | Attributes.FLAG_XATTR, made.flags());
        assertArrayEquals(acl, metadata.getXattr(made.inode(), name("system.posix_acl_access")));
    }

    @Test
    void linksAndUnlinks() {
        Attributes file = make(home, "a", FILE);
        Attributes linked = metadata.link(Op.NONE, file.inode(), home, name("b"), tick());
        assertEquals(2, linked.nlink());
        assertTrue(linked.ctime().compareTo(file.ctime()) > 0);
        refused(Errno.EEXIST, () -> metadata.link(Op.NONE, file.inode(), home, name("a"), tick()));
        refused(Errno.EPERM, () -> metadata.link(Op.NONE, home, home, name("c"), tick()));
        refused(Errno.ENOENT, () -> metadata.link(Op.NONE, 999_999, home, name("c"), tick()));
        Attributes once = metadata.unlink(Op.NONE, home, name("a"), tick(), false);
        assertEquals(1, once.nlink());
        assertNull(database.ask("SELECT 1 FROM larder.trash WHERE ino = " + file.inode()));
        Attributes gone = metadata.unlink(Op.NONE, home, name("b"), tick(), true);
        assertEquals(0, gone.nlink());
        assertEquals(gone.ctime(), metadata.attributes(home).mtime());
        assertEquals(
                "b", database.ask("SELECT convert_from(name, 'UTF8') FROM larder.trash WHERE ino = " + file.inode()));
        assertEquals("1", database.ask("SELECT count(*) FROM larder.hold WHERE ino = " + file.inode()));
        metadata.releaseHolds(List.of(file.inode()));
        assertEquals("0", database.ask("SELECT count(*) FROM larder.hold WHERE ino = " + file.inode()));
        refused(Errno.ENOENT, () -> metadata.unlink(Op.NONE, home, name("b"), tick(), false));
        refused(Errno.ENOENT, () -> metadata.link(Op.NONE, file.inode(), home, name("b"), tick()));
    }

    @Test
    void aFileWithoutANameGetsOne() {
        Attributes open = metadata.createUnlinked(Op.NONE, home, inode(FILE));
        assertEquals(0, open.nlink());
        long used = metadata.heartbeat().usedInodes();
        assertEquals(
                1, metadata.link(Op.NONE, open.inode(), home, name("t"), tick()).nlink());
        assertEquals(used + 1, metadata.heartbeat().usedInodes());
    }

    @Test
    void removesEmptyDirectoriesOnly() {
        long directory = make(home, "d", DIRECTORY).inode();
        make(directory, "f", FILE);
        make(home, "f", FILE);
        refused(Errno.ENOTEMPTY, () -> metadata.rmdir(Op.NONE, home, name("d"), tick()));
        refused(Errno.ENOTDIR, () -> metadata.rmdir(Op.NONE, home, name("f"), tick()));
        refused(Errno.ENOENT, () -> metadata.rmdir(Op.NONE, home, name("x"), tick()));
        refused(Errno.EISDIR, () -> metadata.unlink(Op.NONE, home, name("d"), tick(), false));
        metadata.unlink(Op.NONE, directory, name("f"), tick(), false);
        assertEquals(3, metadata.attributes(home).nlink());
        assertEquals(directory, metadata.rmdir(Op.NONE, home, name("d"), tick()));
        assertEquals(2, metadata.attributes(home).nlink());
        assertEquals(new FileTime(clock, 7), metadata.attributes(home).mtime());
        assertEquals(0, metadata.attributes(directory).nlink());
        refused(Errno.ENOENT, () -> make(directory, "late", FILE));
    }

    @Test
    void renames() {
        Attributes file = make(home, "a", FILE);
        Renamed moved = metadata.rename(Op.NONE, home, name("a"), home, name("b"), 0, tick(), false);
        assertEquals(file.inode(), moved.moved().inode());
        assertNull(moved.replaced());
        refused(Errno.ENOENT, () -> metadata.lookup(home, name("a")));
        Attributes other = make(home, "c", FILE);
        refused(Errno.EEXIST, () -> metadata.rename(Op.NONE, home, name("b"), home, name("c"), 1, tick(), false));
        refused(Errno.EINVAL, () -> metadata.rename(Op.NONE, home, name("b"), home, name("c"), 3, tick(), false));
        Renamed replaced = metadata.rename(Op.NONE, home, name("b"), home, name("c"), 0, tick(), true);
        assertEquals(other.inode(), replaced.replaced().inode());
        assertEquals(0, replaced.replaced().nlink());
        assertNotNull(database.ask("SELECT 1 FROM larder.trash WHERE ino = " + other.inode()));
        assertNotNull(database.ask("SELECT 1 FROM larder.hold WHERE ino = " + other.inode()));
        assertEquals(file.inode(), metadata.lookup(home, name("c")).inode());
        assertEquals(new FileTime(clock, 7), metadata.lookup(home, name("c")).ctime());
    }

    @Test
    void renamesDirectories() {
        long a = make(home, "a", DIRECTORY).inode();
        long b = make(a, "b", DIRECTORY).inode();
        long c = make(home, "c", DIRECTORY).inode();
        make(home, "f", FILE);
        refused(Errno.EINVAL, () -> metadata.rename(Op.NONE, home, name("a"), b, name("a"), 0, tick(), false));
        refused(Errno.EINVAL, () -> metadata.rename(Op.NONE, home, name("a"), a, name("x"), 0, tick(), false));
        refused(Errno.EISDIR, () -> metadata.rename(Op.NONE, home, name("f"), home, name("a"), 0, tick(), false));
        refused(Errno.ENOTDIR, () -> metadata.rename(Op.NONE, home, name("a"), home, name("f"), 0, tick(), false));
        refused(Errno.ENOTEMPTY, () -> metadata.rename(Op.NONE, home, name("c"), home, name("a"), 0, tick(), false));
        refused(Errno.ENOTEMPTY, () -> metadata.rename(Op.NONE, a, name("b"), home, name("a"), 0, tick(), false));
        metadata.rename(Op.NONE, a, name("b"), home, name("c"), 0, tick(), false);
        assertEquals(2, metadata.attributes(a).nlink());
        assertEquals(0, metadata.attributes(c).nlink());
        assertEquals(4, metadata.attributes(home).nlink());
        assertEquals(home, metadata.attributes(b).parent());
        metadata.rename(Op.NONE, home, name("c"), a, name("b"), 0, tick(), false);
        assertEquals(3, metadata.attributes(home).nlink());
        assertEquals(3, metadata.attributes(a).nlink());
    }

    @Test
    void exchanges() {
        long directory = make(home, "d", DIRECTORY).inode();
        long inner = make(directory, "f", FILE).inode();
        long moving = make(home, "m", DIRECTORY).inode();
        metadata.rename(Op.NONE, home, name("m"), directory, name("f"), 2, tick(), false);
        assertEquals(inner, metadata.lookup(home, name("m")).inode());
        assertEquals(moving, metadata.lookup(directory, name("f")).inode());
        assertEquals(3, metadata.attributes(home).nlink());
        assertEquals(3, metadata.attributes(directory).nlink());
        assertEquals(directory, metadata.attributes(moving).parent());
        refused(Errno.EINVAL, () -> metadata.rename(Op.NONE, directory, name("f"), home, name("d"), 2, tick(), false));
        refused(Errno.ENOENT, () -> metadata.rename(Op.NONE, home, name("m"), home, name("x"), 2, tick(), false));
    }

    @Test
    void twoNamesOfOneFileStay() {
        Attributes file = make(home, "a", FILE);
        metadata.link(Op.NONE, file.inode(), home, name("b"), tick());
        FileTime before = metadata.attributes(home).mtime();
        Renamed moved = metadata.rename(Op.NONE, home, name("a"), home, name("b"), 0, tick(), false);
        assertEquals(2, moved.moved().nlink());
        assertEquals(file.inode(), metadata.lookup(home, name("a")).inode());
        assertEquals(before, metadata.attributes(home).mtime());
    }

    @Test
    void changesAttributes() {
        Attributes file = make(home, "a", Attributes.S_IFREG | 06755);
        FileTime now = tick();
        Attributes changed = metadata.setAttributes(
                Op.NONE,
                file.inode(),
                new SetAttributes(null, 5L, 4_294_967_295L, null, new FileTime(-5, 1), null, now, true));
        assertEquals(Attributes.S_IFREG | 0755, changed.mode());
        assertEquals(5, changed.uid());
        assertEquals(4_294_967_295L, changed.gid());
        assertEquals(new FileTime(-5, 1), changed.atime());
        assertEquals(file.mtime(), changed.mtime());
        assertEquals(now, changed.ctime());
        assertEquals(
                0600 | Attributes.S_IFREG,
                metadata.setAttributes(
                                Op.NONE,
                                file.inode(),
                                new SetAttributes(0600, null, null, null, null, null, tick(), false))
                        .mode());
        refused(Errno.ENOENT, () -> metadata.setAttributes(Op.NONE, 999_999, size(0)));
        refused(Errno.EISDIR, () -> metadata.setAttributes(Op.NONE, home, size(0)));
    }

    @Test
    void truncationCutsExtents() {
        long file = make(home, "a", FILE).inode();
        assertEquals(
                1 << 20, metadata.setAttributes(Op.NONE, file, size(1 << 20)).size());
        database.execute(
                "INSERT INTO larder.extent (ino, off, len, kind) VALUES (%1$d, 0, 4096, 4), (%1$d, 8192, 4096, 4)"
                        .formatted(file));
        database.execute("UPDATE larder.inode SET allocated = 8192 WHERE ino = " + file);
        long used = metadata.heartbeat().usedBytes();
        Attributes cut = metadata.setAttributes(Op.NONE, file, size(1000));
        assertEquals(1000, cut.size());
        assertEquals(1000, cut.allocated());
        assertEquals(1, cut.generation());
        assertEquals(2, cut.version());
        assertEquals(used - 7192, metadata.heartbeat().usedBytes());
        assertEquals("1000", database.ask("SELECT sum(len) FROM larder.extent WHERE ino = " + file));
    }

    @Test
    void anAccessAclFollowsChmod() {
        long file = make(home, "a", FILE).inode();
        byte[] acl = {
            2, 0, 0, 0, 1, 0, 6, 0, -1, -1, -1, -1, 2, 0, 7, 0, 9, 0, 0, 0, 4, 0, 4, 0, -1, -1, -1, -1, 16, 0, 7, 0, -1,
            -1, -1, -1, 32, 0, 4, 0, -1, -1, -1, -1
        };
        metadata.setXattr(Op.NONE, file, name("system.posix_acl_access"), acl, 0, 0674, tick());
        metadata.setAttributes(Op.NONE, file, new SetAttributes(0710, null, null, null, null, null, tick(), false));
        byte[] expected = acl.clone();
        expected[6] = 7;
        expected[30] = 1;
        expected[38] = 0;
        assertArrayEquals(expected, metadata.getXattr(file, name("system.posix_acl_access")));
    }

    @Test
    void keepsExtendedAttributes() {
        long file = make(home, "a", FILE).inode();
        byte[] value = {1, 2, 0, 3};
        refused(Errno.ENODATA, () -> metadata.getXattr(file, name("user.a")));
        refused(Errno.ENOENT, () -> metadata.getXattr(999_999, name("user.a")));
        refused(Errno.ENODATA, () -> metadata.setXattr(Op.NONE, file, name("user.a"), value, 2, null, tick()));
        Attributes set = metadata.setXattr(Op.NONE, file, name("user.a"), value, 1, null, tick());
        assertEquals(Attributes.FLAG_XATTR, set.flags());
        refused(Errno.EEXIST, () -> metadata.setXattr(Op.NONE, file, name("user.a"), value, 1, null, tick()));
        metadata.setXattr(Op.NONE, file, name("user.b"), new byte[0], 0, null, tick());
        assertArrayEquals(value, metadata.getXattr(file, name("user.a")));
        assertEquals(List.of(name("user.a"), name("user.b")), metadata.listXattr(file));
        metadata.removeXattr(Op.NONE, file, name("user.a"), tick());
        refused(Errno.ENODATA, () -> metadata.removeXattr(Op.NONE, file, name("user.a"), tick()));
        assertEquals(
                0, metadata.removeXattr(Op.NONE, file, name("user.b"), tick()).flags());
        assertEquals(List.of(), metadata.listXattr(file));
        refused(Errno.ENOENT, () -> metadata.listXattr(999_999));
        refused(Errno.E2BIG, () -> metadata.setXattr(Op.NONE, file, name("user.a"), new byte[65_537], 0, null, tick()));
    }

    @Test
    void listsInPages() {
        Set<FileName> made = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            made.add(name("n" + i));
            make(home, "n" + i, FILE);
        }
        Set<FileName> seen = new HashSet<>();
        long cookie = 0;
        List<DirectoryEntry> page = metadata.list(home, cookie, 7, true);
        while (!page.isEmpty()) {
            for (DirectoryEntry entry : page) {
                assertTrue(entry.cookie() > cookie);
                assertEquals(entry.inode(), entry.attributes().inode());
                assertEquals(entry.attributes().direntType(), entry.direntType());
                cookie = entry.cookie();
                assertTrue(seen.add(entry.name()));
            }
            page = metadata.list(home, cookie, 7, true);
        }
        assertEquals(made, seen);
        assertEquals(50, metadata.list(home, 0, 1000, false).size());
        refused(Errno.ENOENT, () -> metadata.list(999_999, 0, 10, false));
        long file = metadata.lookup(home, name("n0")).inode();
        refused(Errno.ENOTDIR, () -> metadata.list(file, 0, 10, false));
    }

    @Test
    void aDirectorysTimesNeverGoBack() {
        FileTime late = tick();
        metadata.create(Op.NONE, home, name("a"), new NewInode(next++, FILE, 0, 0, 0, null, null, null, false, late));
        FileTime early = new FileTime(5, 0);
        metadata.create(Op.NONE, home, name("b"), new NewInode(next++, FILE, 0, 0, 0, null, null, null, false, early));
        assertEquals(late, metadata.attributes(home).mtime());
        assertEquals(late, metadata.attributes(home).ctime());
    }

    @Test
    void eachOperationIsOneStatement() {
        long before = metadata.statementCount();
        long file = make(home, "a", FILE).inode();
        metadata.lookup(home, name("a"));
        metadata.link(Op.NONE, file, home, name("b"), tick());
        metadata.rename(Op.NONE, home, name("a"), home, name("b2"), 0, tick(), false);
        metadata.setAttributes(Op.NONE, file, size(10));
        metadata.unlink(Op.NONE, home, name("b"), tick(), false);
        metadata.flush();
        metadata.heartbeat();
        metadata.list(home, 0, 100, true);
        make(home, "d", DIRECTORY);
        metadata.rmdir(Op.NONE, home, name("d"), tick());
        assertEquals(11, metadata.statementCount() - before);
    }
}
