package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What people do with a file system, on the JDK's own sources: unpack, find, grep, compile, git, SQLite, cp, rsync, tar, a
 * Maven build; then a remount with an empty cache, and every byte and attribute compared with the same on the local disk.
 */
class RealInputTest {
    private static final String LISTING = "find . -printf '%P %y %m %U:%G %n %s %T@ %l\\n' | sort";
    private static final String CHECKSUMS = "find . -type f -print0 | sort -z | xargs -0 -r sha256sum | sha256sum";

    @Test
    @Timeout(1500)
    void theJdksSourcesLiveHere() throws IOException {
        Path sources = Path.of(System.getProperty("java.home"), "lib", "src.zip");
        assertTrue(Files.exists(sources), () -> sources + " is part of a full JDK");
        try (Larder larder = Larder.create()) {
            Path disk = Files.createDirectory(larder.home().resolve("disk"));
            Path manifest = larder.manifest("real");
            Path mount = larder.mount(manifest, "m");

            unpack(sources, disk);
            unpack(sources, mount);
            Command.sh(larder.home(), "diff -r disk/src m/src").ok();
            assertSame("find src -name '*.java' | sort", disk, mount);
            assertSame("grep -rl 'ConcurrentHashMap' src/java.base | sort", disk, mount);

            compile(mount);
            git(mount);
            sqlite(mount);
            copies(mount);
            mavenModule(larder, mount);

            String listing = Command.sh(mount, LISTING).ok().out();
            String checksums = Command.sh(mount, CHECKSUMS).ok().out();
            assertTrue(listing.lines().count() > 15_000, "the tree is there");

            larder.umount(mount);
            larder.dropCache("real");
            larder.mount(manifest, "m");

            assertEquals(listing, Command.sh(mount, LISTING).ok().out());
            assertEquals(checksums, Command.sh(mount, CHECKSUMS).ok().out());
            assertSame("cd src && " + CHECKSUMS, disk, mount);
            Command.sh(mount, "git -C repository fsck --full --strict").ok();
            larder.run("fsck", mount.toString()).ok();
        }
    }

    private static void assertSame(String script, Path disk, Path mount) {
        assertEquals(
                Command.sh(disk, script).ok().out(),
                Command.sh(mount, script).ok().out(),
                script);
    }

    private static void unpack(Path zip, Path into) throws IOException {
        Path target = Files.createDirectory(into.resolve("src"));
        Command.run(target, System.getProperty("java.home") + "/bin/jar", "xf", zip.toString())
                .ok();
    }

    private static void compile(Path mount) {
        Command.sh(
                        mount,
                        "mkdir classes && '%s/bin/javac' -nowarn -d classes --patch-module java.base=src/java.base"
                                        .formatted(System.getProperty("java.home"))
                                + " src/java.base/java/util/concurrent/*.java"
                                + " && test \"$(find classes -name '*.class' | wc -l)\" -gt 150")
                .ok();
    }

    private static void git(Path mount) {
        Command.sh(mount, """
                git init -q repository
                cp -a src/java.base/java/util repository/util
                cd repository
                git -c core.fsync=all add .
                git -c user.name=e2e -c user.email=e2e@example.invalid commit -qm "java.util"
                git fsck --full --strict
                test -z "$(git status --porcelain)"
                git mv util moved
                git -c user.name=e2e -c user.email=e2e@example.invalid commit -qm "moved"
                git gc -q
                git fsck --full --strict
                """).ok();
    }

    private static void sqlite(Path mount) {
        Command.Result result = Command.sh(mount, """
                sqlite3 numbers.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(n INTEGER PRIMARY KEY, s TEXT);'
                for writer in 1 2 3 4; do
                  ( for i in $(seq 1 25); do
                      sqlite3 -cmd '.timeout 60000' numbers.db \\
                        "INSERT INTO t(s) WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<40) SELECT hex(randomblob(50)) FROM c;"
                    done ) &
                done
                wait
                sqlite3 numbers.db 'SELECT count(*) FROM t; PRAGMA integrity_check; PRAGMA wal_checkpoint(TRUNCATE);'
                """).ok();
        assertTrue(result.out().contains("4000\nok"), result::toString);
    }

    private static void copies(Path mount) {
        Command.sh(mount, """
                cp -a src/java.desktop/javax copied
                rsync -a --checksum src/java.desktop/javax/ synced/
                test -z "$(rsync -ainc --checksum src/java.desktop/javax/ synced/)"
                tar -C src/java.desktop -cf javax.tar javax
                mkdir untarred && tar -C untarred -xpf javax.tar
                diff -r copied synced
                diff -r copied untarred/javax
                (cd copied && find . -printf '%P %y %m %s %T@\\n' | sort) > a
                (cd untarred/javax && find . -printf '%P %y %m %s %Ts\\n' | sort | sed 's/\\.[0-9]*$//') > b
                test "$(sed -E 's/\\.[0-9]+$//' a)" = "$(cat b)"
                mv untarred renamed && rm -rf renamed
                test ! -e renamed
                """).ok();
    }

    private static void mavenModule(Larder larder, Path mount) throws IOException {
        Command.run(larder.home(), "cp", "-a", Larder.ROOT.resolve("crds").toString(), mount + "/module")
                .ok();
        Command.sh(
                        mount,
                        "rm -rf module/target && cp '%s/pom.xml' pom.xml".formatted(Larder.ROOT)
                                + " && sed -i '/<modules>/,/<\\/modules>/d' pom.xml"
                                + " && JAVA_HOME='%s' mvn -q -B -f module/pom.xml -Dspotless.check.skip=true -DskipTests package"
                                        .formatted(System.getProperty("java.home"))
                                + " && ls module/target/*.jar")
                .ok();
    }
}
