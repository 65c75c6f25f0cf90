package dev.larder.volume.metadata;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.larder.volume.Attributes;
import dev.larder.volume.FileName;
import dev.larder.volume.FileTime;
import dev.larder.volume.Op;
import dev.larder.volume.SetAttributes;
import dev.larder.volume.metadata.Metadata.Commit;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A commit with a change of attributes is a commit, then that change. */
final class CommitAndChangeTest {
    private static final FileName ACL = FileName.of("system.posix_acl_access");
    private static final byte[] ENTRIES = {
        2, 0, 0, 0, 1, 0, 6, 0, -1, -1, -1, -1, 2, 0, 7, 0, 9, 0, 0, 0, 4, 0, 4, 0, -1, -1, -1, -1, 16, 0, 7, 0, -1, -1,
        -1, -1, 32, 0, 4, 0, -1, -1, -1, -1
    };
    private static final int ROUNDS = 200;

    @Test
    void bothWaysEndInTheSameAttributes() throws Exception {
        long seed = Long.getLong("larder.test.seed", System.nanoTime());
        System.out.println("CommitAndChangeTest -Dlarder.test.seed=" + seed);
        Random random = new Random(seed);
        try (ScratchVolume volume = new ScratchVolume()) {
            PostgresMetadata session = volume.session();
            for (int round = 0; round < ROUNDS; round++) {
                long two = volume.file(session, Attributes.ROOT, "two" + round);
                long one = volume.file(session, Attributes.ROOT, "one" + round);
                begin(session, random.nextBoolean(), random.nextInt(010000), two, one);
                SetAttributes change = change(random);
                boolean kill = random.nextBoolean();
                boolean append = random.nextBoolean();

                session.commit(Op.NONE, List.of(commit(two, append, kill, null)));
                Attributes after = session.setAttributes(Op.NONE, two, change);
                // In one statement with a member that changes nothing.
                long other = volume.file(session, Attributes.ROOT, "other" + round);
                Attributes atOnce = session.commit(
                                Op.NONE, List.of(commit(other, append, false, null), commit(one, append, kill, change)))
                        .getLast()
                        .attributes();

                assertEquals(withoutInode(after), withoutInode(atOnce), change.toString());
                assertEquals(atOnce, session.attributes(one), "what is answered is what is stored");
                assertEquals(
                        0644 | Attributes.S_IFREG, session.attributes(other).mode());
                if ((after.flags() & Attributes.FLAG_ACCESS_ACL) != 0) {
                    assertArrayEquals(session.getXattr(two, ACL), session.getXattr(one, ACL), change.toString());
                }
            }
            assertEquals(List.of(), session.maintenance().check(false, rows -> {}));
        }
    }

    private static void begin(PostgresMetadata session, boolean acl, int mode, long... inodes) {
        for (long inode : inodes) {
            session.setAttributes(
                    Op.NONE, inode, new SetAttributes(mode, null, null, null, null, null, ScratchVolume.NOW, false));
            if (acl) {
                session.setXattr(Op.NONE, inode, ACL, ENTRIES, 0, mode, ScratchVolume.NOW);
            }
        }
    }

    private static Commit commit(long inode, boolean append, boolean kill, SetAttributes then) {
        return new Commit(
                inode,
                0,
                append ? 0 : 5,
                append,
                kill,
                ScratchVolume.NOW,
                List.of(ScratchVolume.inline(0, new byte[5])),
                then);
    }

    private static SetAttributes change(Random random) {
        return new SetAttributes(
                random.nextBoolean() ? random.nextInt(010000) : null,
                random.nextBoolean() ? random.nextLong(1L << 32) : null,
                random.nextBoolean() ? random.nextLong(1L << 32) : null,
                null,
                random.nextBoolean() ? new FileTime(random.nextLong(1L << 33), 7) : null,
                random.nextBoolean() ? new FileTime(-random.nextLong(1L << 31), 8) : null,
                new FileTime(ScratchVolume.NOW.seconds() + 1, random.nextInt(1_000_000_000)),
                random.nextBoolean());
    }

    private static String withoutInode(Attributes attributes) {
        return attributes.toString().replaceFirst("inode=\\d+", "");
    }
}
