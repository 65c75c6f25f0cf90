-- Names and attributes. Conventions: R__10_session.sql.
--
-- A note of kind 0 (ENTRY) or 3 (UNLINKED) also means: the attributes of the parent and of the inode changed.
-- A ctime never goes back; a directory's mtime follows its ctime when its names change.

-- Why p_parent cannot get a new name: ENOENT, ENOTDIR, or 0.
CREATE OR REPLACE FUNCTION larder.why_not_parent(p_parent bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_mode int;
BEGIN
    SELECT mode INTO v_mode FROM larder.inode WHERE ino = p_parent AND nlink > 0;
    RETURN CASE WHEN NOT FOUND THEN 2 WHEN v_mode & 61440 <> 16384 THEN 20 ELSE 0 END;
END $$;

CREATE OR REPLACE FUNCTION larder.raced() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a concurrent change of the same names' USING ERRCODE = '40001';
END $$;

-- The last link of an inode has gone: into the trash, when there is one; held, when this session has it open.
CREATE OR REPLACE FUNCTION larder.last_link_gone(
    p_session uuid, p_ino bigint, p_parent bigint, p_name bytea, p_hold boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO larder.trash (ino, parent, name)
    SELECT p_ino, p_parent, p_name FROM larder.volume v WHERE v.trash > interval '0'
    ON CONFLICT DO NOTHING;
    IF p_hold THEN
        INSERT INTO larder.hold (session, ino) VALUES (p_session, p_ino) ON CONFLICT DO NOTHING;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.lookup(
    p_parent bigint, p_hash bigint, p_name bytea, OUT errno int, OUT a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    i larder.inode;
BEGIN
    SELECT n.* INTO i FROM larder.dentry d JOIN larder.inode n ON n.ino = d.ino
    WHERE d.parent = p_parent AND d.hash = p_hash AND d.name = p_name;
    IF FOUND THEN
        errno := 0;
        a := larder.attributes_of(i);
    ELSE
        errno := CASE larder.why_not_parent(p_parent) WHEN 20 THEN 20 ELSE 2 END;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.attributes(p_ino bigint, OUT errno int, OUT a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    i larder.inode;
BEGIN
    SELECT n.* INTO i FROM larder.inode n WHERE n.ino = p_ino;
    IF FOUND THEN
        errno := 0;
        a := larder.attributes_of(i);
    ELSE
        errno := 2;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.readlink(p_ino bigint, OUT errno int, OUT target bytea)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    SELECT i.target INTO target FROM larder.inode i WHERE i.ino = p_ino;
    errno := CASE WHEN NOT FOUND THEN 2 WHEN target IS NULL THEN 22 ELSE 0 END;
END $$;

-- The recorded success of an operation that was executed before: the inode's attributes now; null when not recorded.
CREATE OR REPLACE FUNCTION larder.answer_again(p_session uuid, p_op bigint) RETURNS larder.attributes
LANGUAGE plpgsql AS $$
DECLARE
    v_ino bigint := larder.replayed(p_session, p_op);
    i larder.inode;
BEGIN
    IF v_ino IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT n.* INTO i FROM larder.inode n WHERE n.ino = v_ino;
    IF NOT FOUND THEN
        i.ino := v_ino;
        i.nlink := 0;
    END IF;
    RETURN larder.attributes_of(i);
END $$;

-- With p_name null: an open file without a name. acl with errno 0: the parent's default ACL, and nothing was done.
CREATE OR REPLACE FUNCTION larder_v1.create_inode(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_parent bigint, p_hash bigint, p_name bytea, p_ino bigint, p_mode int, p_uid bigint, p_gid bigint, p_rdev bigint,
    p_target bytea, p_access_acl bytea, p_default_acl bytea, p_acl_aware boolean, p_s bigint, p_ns int,
    OUT errno int, OUT a larder.attributes, OUT acl bytea)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_directory int := CASE WHEN p_mode & 61440 = 16384 THEN 1 ELSE 0 END;
    v_flags int := 0;
    v_parent_mode int;
    v_parent_gid bigint;
    v_parent_flags int;
    v_gid bigint := p_gid;
    v_mode int := p_mode;
    i larder.inode;
BEGIN
    errno := 0;
    IF p_resent THEN
        a := larder.answer_again(p_session, p_op);
        IF a IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    IF p_name IS NULL THEN
        SELECT d.mode, d.gid, d.flags INTO v_parent_mode, v_parent_gid, v_parent_flags FROM larder.inode d
        WHERE d.ino = p_parent AND d.nlink > 0 AND d.mode & 61440 = 16384 AND (p_acl_aware OR d.flags & 1 = 0);
    ELSE
        UPDATE larder.inode d
        SET nlink = d.nlink + v_directory,
            ctime_s = GREATEST(d.ctime_s, p_s), mtime_s = GREATEST(d.ctime_s, p_s),
            ctime_ns = CASE WHEN (p_s, p_ns) > (d.ctime_s, d.ctime_ns) THEN p_ns ELSE d.ctime_ns END,
            mtime_ns = CASE WHEN (p_s, p_ns) > (d.ctime_s, d.ctime_ns) THEN p_ns ELSE d.ctime_ns END
        WHERE d.ino = p_parent AND d.nlink > 0 AND d.mode & 61440 = 16384 AND (p_acl_aware OR d.flags & 1 = 0)
          AND NOT EXISTS (SELECT FROM larder.dentry e WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name)
        RETURNING d.mode, d.gid INTO v_parent_mode, v_parent_gid;
    END IF;
    IF NOT FOUND THEN
        errno := larder.why_not_parent(p_parent);
        IF errno = 0 AND EXISTS (
            SELECT FROM larder.dentry e WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name) THEN
            errno := 17;
        END IF;
        IF errno = 0 THEN
            SELECT x.value INTO acl FROM larder.xattr x
            WHERE x.ino = p_parent AND x.name = 'system.posix_acl_default'::bytea;
            IF p_acl_aware OR acl IS NULL THEN
                PERFORM larder.raced();
            END IF;
        END IF;
        RETURN;
    END IF;
    IF p_name IS NOT NULL THEN
        INSERT INTO larder.dentry (parent, hash, ino, type, name)
        VALUES (p_parent, p_hash, p_ino, (p_mode & 61440) >> 12, p_name)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            PERFORM larder.raced();
        END IF;
    ELSE
        INSERT INTO larder.hold (session, ino) VALUES (p_session, p_ino);
    END IF;
    IF v_parent_mode & 1024 <> 0 THEN
        v_gid := v_parent_gid;
        v_mode := v_mode | (1024 * v_directory);
    END IF;
    IF p_access_acl IS NOT NULL OR p_default_acl IS NOT NULL THEN
        v_flags := 4 | CASE WHEN p_access_acl IS NULL THEN 0 ELSE 2 END
                     | CASE WHEN p_default_acl IS NULL THEN 0 ELSE 1 END;
        INSERT INTO larder.xattr (ino, name, value)
        SELECT p_ino, x.name, x.value
        FROM (VALUES ('system.posix_acl_access'::bytea, p_access_acl),
                     ('system.posix_acl_default'::bytea, p_default_acl)) x (name, value)
        WHERE x.value IS NOT NULL;
    END IF;
    INSERT INTO larder.inode AS n (ino, size, parent, uid, gid, rdev, atime_s, mtime_s, ctime_s, btime_s,
                                   atime_ns, mtime_ns, ctime_ns, btime_ns, mode, nlink, flags, target)
    VALUES (p_ino, COALESCE(length(p_target), 0), p_parent * v_directory, p_uid, v_gid, p_rdev, p_s, p_s, p_s, p_s,
            p_ns, p_ns, p_ns, p_ns, v_mode, CASE WHEN p_name IS NULL THEN 0 ELSE 1 + v_directory END, v_flags, p_target)
    RETURNING n.* INTO i;
    a := larder.attributes_of(i);
    IF p_name IS NOT NULL THEN
        PERFORM larder.note(0, p_parent, p_name, p_ino, 0, 0, p_session, 0, 1);
    END IF;
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_ino, 0, CASE WHEN p_name IS NULL THEN 0 ELSE 1 END);
END $$;

-- A directory's names changed: its times, and the number of its subdirectories. The caller answers for its existence.
CREATE OR REPLACE FUNCTION larder.touch_directory(p_ino bigint, p_subdirectories int, p_s bigint, p_ns int)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE larder.inode d
    SET nlink = d.nlink + p_subdirectories,
        ctime_s = GREATEST(d.ctime_s, p_s), mtime_s = GREATEST(d.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (d.ctime_s, d.ctime_ns) THEN p_ns ELSE d.ctime_ns END,
        mtime_ns = CASE WHEN (p_s, p_ns) > (d.ctime_s, d.ctime_ns) THEN p_ns ELSE d.ctime_ns END
    WHERE d.ino = p_ino;
END $$;

-- A file without a name (nlink 0, never removed) may get its first one. A link count ends at 2^31 - 1 (EMLINK).
CREATE OR REPLACE FUNCTION larder_v1.link(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_parent bigint, p_hash bigint, p_name bytea, p_s bigint, p_ns int,
    OUT errno int, OUT a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    i larder.inode;
    v_bytes bigint;
    v_inodes int;
BEGIN
    errno := 0;
    IF p_resent THEN
        a := larder.answer_again(p_session, p_op);
        IF a IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    PERFORM FROM larder.inode d WHERE d.ino = p_parent AND d.nlink > 0 AND d.mode & 61440 = 16384 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        errno := CASE larder.why_not_parent(p_parent) WHEN 20 THEN 20 ELSE 2 END;
        RETURN;
    END IF;
    SELECT n.* INTO i FROM larder.inode n WHERE n.ino = p_ino AND n.mode & 61440 <> 16384 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        errno := CASE WHEN EXISTS (SELECT FROM larder.inode n WHERE n.ino = p_ino) THEN 1 ELSE 2 END;
        RETURN;
    END IF;
    IF i.nlink = 2147483647 THEN
        errno := 31;
        RETURN;
    END IF;
    IF i.nlink = 0 AND (EXISTS (SELECT FROM larder.trash t WHERE t.ino = p_ino)
                        OR NOT EXISTS (SELECT FROM larder.hold h WHERE h.ino = p_ino AND h.session = p_session)) THEN
        errno := 2;
        RETURN;
    END IF;
    INSERT INTO larder.dentry (parent, hash, ino, type, name)
    VALUES (p_parent, p_hash, p_ino, (i.mode & 61440) >> 12, p_name)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        errno := 17;
        RETURN;
    END IF;
    PERFORM larder.touch_directory(p_parent, 0, p_s, p_ns);
    UPDATE larder.inode n
    SET nlink = n.nlink + 1, ctime_s = GREATEST(n.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (n.ctime_s, n.ctime_ns) THEN p_ns ELSE n.ctime_ns END
    WHERE n.ino = p_ino RETURNING n.* INTO i;
    a := larder.attributes_of(i);
    v_bytes := CASE WHEN i.nlink = 1 THEN i.allocated ELSE 0 END;
    v_inodes := CASE WHEN i.nlink = 1 THEN 1 ELSE 0 END;
    PERFORM larder.note(0, p_parent, p_name, p_ino, 0, 0, p_session, v_bytes, v_inodes);
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_ino, v_bytes, v_inodes);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.unlink(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_parent bigint, p_hash bigint, p_name bytea, p_s bigint, p_ns int, p_hold boolean,
    OUT errno int, OUT a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_ino bigint;
    v_last boolean;
    v_bytes bigint;
    v_inodes int;
    i larder.inode;
BEGIN
    errno := 0;
    IF p_resent THEN
        a := larder.answer_again(p_session, p_op);
        IF a IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    UPDATE larder.inode d
    SET ctime_s = GREATEST(d.ctime_s, p_s), mtime_s = GREATEST(d.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (d.ctime_s, d.ctime_ns) THEN p_ns ELSE d.ctime_ns END,
        mtime_ns = CASE WHEN (p_s, p_ns) > (d.ctime_s, d.ctime_ns) THEN p_ns ELSE d.ctime_ns END
    WHERE d.ino = p_parent
      AND EXISTS (SELECT FROM larder.dentry e
                  WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name AND e.type <> 4);
    IF NOT FOUND THEN
        errno := larder.why_not_parent(p_parent);
        IF errno = 0 THEN
            SELECT CASE WHEN e.type = 4 THEN 21 ELSE 0 END INTO errno FROM larder.dentry e
            WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name;
            IF NOT FOUND THEN
                errno := 2;
            ELSIF errno = 0 THEN
                PERFORM larder.raced();
            END IF;
        END IF;
        RETURN;
    END IF;
    DELETE FROM larder.dentry e
    WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name AND e.type <> 4 RETURNING e.ino INTO v_ino;
    IF NOT FOUND THEN
        PERFORM larder.raced();
    END IF;
    UPDATE larder.inode n
    SET nlink = n.nlink - 1, ctime_s = GREATEST(n.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (n.ctime_s, n.ctime_ns) THEN p_ns ELSE n.ctime_ns END
    WHERE n.ino = v_ino RETURNING n.* INTO i;
    a := larder.attributes_of(i);
    v_last := i.nlink = 0;
    IF v_last THEN
        PERFORM larder.last_link_gone(p_session, v_ino, p_parent, p_name, p_hold);
    END IF;
    v_bytes := CASE WHEN v_last THEN -i.allocated ELSE 0 END;
    v_inodes := CASE WHEN v_last THEN -1 ELSE 0 END;
    PERFORM larder.note(CASE WHEN v_last THEN 3 ELSE 0 END, p_parent, p_name, v_ino, 0, 0, p_session, v_bytes, v_inodes);
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, v_ino, v_bytes, v_inodes);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.rmdir(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_parent bigint, p_hash bigint, p_name bytea, p_s bigint, p_ns int,
    OUT errno int, OUT ino bigint)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_type int;
BEGIN
    errno := 0;
    IF p_resent THEN
        ino := larder.replayed(p_session, p_op);
        IF ino IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    SELECT e.ino, e.type INTO ino, v_type FROM larder.dentry e
    WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name;
    IF NOT FOUND THEN
        errno := CASE larder.why_not_parent(p_parent) WHEN 20 THEN 20 ELSE 2 END;
        RETURN;
    END IF;
    IF v_type <> 4 THEN
        errno := 20;
        RETURN;
    END IF;
    PERFORM FROM larder.inode n WHERE n.ino IN (p_parent, rmdir.ino) ORDER BY n.ino FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM larder.dentry e WHERE e.parent = rmdir.ino) THEN
        errno := 39;
        RETURN;
    END IF;
    DELETE FROM larder.dentry e
    WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name AND e.ino = rmdir.ino;
    IF NOT FOUND THEN
        PERFORM larder.raced();
    END IF;
    PERFORM larder.touch_directory(p_parent, -1, p_s, p_ns);
    UPDATE larder.inode n
    SET nlink = 0, ctime_s = GREATEST(n.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (n.ctime_s, n.ctime_ns) THEN p_ns ELSE n.ctime_ns END
    WHERE n.ino = rmdir.ino;
    PERFORM larder.last_link_gone(p_session, ino, p_parent, p_name, false);
    PERFORM larder.note(3, p_parent, p_name, ino, 0, 0, p_session, 0, -1);
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, ino, 0, -1);
END $$;

-- p_after: a cookie. Entries beyond p_limit only when cookies collide. One row with an errno when it is no directory.
CREATE OR REPLACE FUNCTION larder_v1.list(p_ino bigint, p_after bigint, p_limit int, p_attributes boolean)
RETURNS TABLE (errno int, hash bigint, type int, name bytea, ino bigint, a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF p_attributes THEN
        RETURN QUERY
        SELECT 0, d.hash, d.type::int, d.name, d.ino,
               (SELECT larder.attributes_of(i) FROM larder.inode i WHERE i.ino = d.ino)
        FROM larder.dentry d WHERE d.parent = p_ino AND d.hash > p_after
        ORDER BY d.hash FETCH FIRST p_limit ROWS WITH TIES;
    ELSE
        RETURN QUERY
        SELECT 0, d.hash, d.type::int, d.name, d.ino, NULL::larder.attributes
        FROM larder.dentry d WHERE d.parent = p_ino AND d.hash > p_after
        ORDER BY d.hash FETCH FIRST p_limit ROWS WITH TIES;
    END IF;
    IF NOT FOUND THEN
        errno := larder.why_not_parent(p_ino);
        IF errno <> 0 AND NOT EXISTS (SELECT FROM larder.inode n WHERE n.ino = p_ino AND n.mode & 61440 = 16384) THEN
            RETURN NEXT;
        END IF;
    END IF;
END $$;
