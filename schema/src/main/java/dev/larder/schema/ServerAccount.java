package dev.larder.schema;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * The account that the embedded server runs as: this process's own, or nobody when this process is root, which
 * PostgreSQL refuses.
 */
final class ServerAccount {
    private static final String UNPRIVILEGED = "nobody";

    private static final List<String> SYSTEM_PROGRAMS = List.of("/usr/bin", "/bin", "/usr/sbin", "/sbin");

    private final boolean root;
    private final int uid;
    private final int gid;
    private final List<String> prefix;

    private ServerAccount(boolean root, int uid, int gid, List<String> prefix) {
        this.root = root;
        this.uid = uid;
        this.gid = gid;
        this.prefix = prefix;
    }

    static ServerAccount current() {
        try {
            int self = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            if (self != 0) {
                return new ServerAccount(false, self, -1, List.of());
            }
            String[] entry = passwordEntry();
            int uid = Integer.parseInt(entry[2]);
            int gid = Integer.parseInt(entry[3]);
            return new ServerAccount(true, uid, gid, dropping(uid, gid));
        } catch (IOException e) {
            throw new PostgresException("cannot find out which account runs the embedded PostgreSQL: " + e, e);
        }
    }

    private static String[] passwordEntry() throws IOException {
        for (String line : Files.readAllLines(Path.of("/etc/passwd"))) {
            String[] fields = line.split(":", -1);
            if (fields.length >= 4 && fields[0].equals(UNPRIVILEGED)) {
                return fields;
            }
        }
        throw new PostgresException("PostgreSQL refuses to run as root, and there is no account " + UNPRIVILEGED
                + " in /etc/passwd to run it as; add one or run as another user");
    }

    private static List<String> dropping(int uid, int gid) {
        if (isInstalled("setpriv")) {
            return List.of(program("setpriv"), "--reuid=" + uid, "--regid=" + gid, "--clear-groups", "--");
        }
        if (isInstalled("runuser")) {
            return List.of(program("runuser"), "-u", UNPRIVILEGED, "--");
        }
        throw new PostgresException("PostgreSQL refuses to run as root, and neither setpriv nor runuser (util-linux) is"
                + " installed to run it as " + UNPRIVILEGED + "; install one or run as another user");
    }

    private static String program(String name) {
        for (String directory : SYSTEM_PROGRAMS) {
            Path program = Path.of(directory, name);
            if (Files.isExecutable(program)) {
                return program.toString();
            }
        }
        return null;
    }

    private static boolean isInstalled(String program) {
        return program(program) != null;
    }

    /** The command as this account runs it. */
    List<String> command(Path program, List<String> arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.add(program.toString());
        command.addAll(arguments);
        return command;
    }

    /** Makes a directory that only this account enters. */
    void ownDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
        give(directory);
    }

    /** Makes this account the owner. */
    void give(Path path) throws IOException {
        if (root) {
            Files.setAttribute(path, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", gid, LinkOption.NOFOLLOW_LINKS);
        }
    }

    /** @throws PostgresException naming the first directory on the way that this account cannot enter */
    void requireWay(Path directory) throws IOException {
        if (!root) {
            return;
        }
        List<Path> way = new ArrayList<>();
        for (Path at = directory.toRealPath(); at != null; at = at.getParent()) {
            way.addFirst(at);
        }
        for (Path at : way) {
            boolean open = Files.getPosixFilePermissions(at).contains(PosixFilePermission.OTHERS_EXECUTE);
            boolean own = (Integer) Files.getAttribute(at, "unix:uid") == uid;
            if (!open && !own) {
                throw new PostgresException("the embedded PostgreSQL runs as " + UNPRIVILEGED + ", which cannot enter "
                        + at + "; allow it (chmod o+x " + at + ") or choose another directory than " + directory);
            }
        }
    }
}
