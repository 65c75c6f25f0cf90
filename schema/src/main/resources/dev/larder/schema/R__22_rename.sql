-- Renames. Conventions: R__10_session.sql.

-- Is p_ancestor the directory p_ino, or above it? Stable under the lock that renames of directories take.
CREATE OR REPLACE FUNCTION larder.is_within(p_ino bigint, p_ancestor bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_at bigint := p_ino;
BEGIN
    WHILE v_at <> p_ancestor AND v_at > 1 LOOP
        SELECT n.parent INTO v_at FROM larder.inode n WHERE n.ino = v_at;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN v_at = p_ancestor;
END $$;

-- An entry moved to p_parent: the inode's ctime, and the parent of a directory.
CREATE OR REPLACE FUNCTION larder.moved(p_ino bigint, p_type int, p_parent bigint, p_s bigint, p_ns int)
RETURNS larder.inode LANGUAGE plpgsql AS $$
DECLARE
    i larder.inode;
BEGIN
    UPDATE larder.inode n
    SET parent = CASE WHEN p_type = 4 THEN p_parent ELSE 0 END, ctime_s = GREATEST(n.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (n.ctime_s, n.ctime_ns) THEN p_ns ELSE n.ctime_ns END
    WHERE n.ino = p_ino RETURNING n.* INTO STRICT i;
    RETURN i;
END $$;

-- Flags of renameat2(2): 1 NOREPLACE, 2 EXCHANGE. replaced: what the new name meant before, afterwards.
CREATE OR REPLACE FUNCTION larder_v1.rename(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_parent bigint, p_hash bigint, p_name bytea, p_new_parent bigint, p_new_hash bigint, p_new_name bytea,
    p_flags int, p_s bigint, p_ns int, p_hold boolean,
    OUT errno int, OUT a larder.attributes, OUT replaced larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_ino bigint;
    v_type int;
    v_old bigint;  -- what the new name means before
    v_old_type int;
    v_exchange boolean := p_flags = 2;
    v_last boolean := false;
    v_bytes bigint := 0;
    v_inodes int := 0;
    v_count int;
    i larder.inode;
    o larder.inode;
BEGIN
    errno := 0;
    IF p_resent THEN
        a := larder.answer_again(p_session, p_op);
        IF a IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    IF p_flags NOT IN (0, 1, 2) THEN
        errno := 22;
        RETURN;
    END IF;
    SELECT e.ino, e.type INTO v_ino, v_type FROM larder.dentry e
    WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name;
    IF NOT FOUND THEN
        errno := CASE larder.why_not_parent(p_parent) WHEN 20 THEN 20 ELSE 2 END;
        RETURN;
    END IF;
    SELECT e.ino, e.type INTO v_old, v_old_type FROM larder.dentry e
    WHERE e.parent = p_new_parent AND e.hash = p_new_hash AND e.name = p_new_name;
    IF p_parent <> p_new_parent AND (v_type = 4 OR (v_exchange AND v_old_type = 4)) THEN
        PERFORM pg_advisory_xact_lock(7810767);
        IF larder.is_within(p_new_parent, v_ino) OR (v_exchange AND larder.is_within(p_parent, v_old)) THEN
            errno := 22;
            RETURN;
        END IF;
        -- The new parent lies in what is replaced: that directory is not empty.
        IF v_old_type = 4 AND NOT v_exchange AND larder.is_within(p_parent, v_old) THEN
            errno := CASE WHEN p_flags = 1 THEN 17 ELSE 39 END;
            RETURN;
        END IF;
    END IF;
    PERFORM FROM larder.inode n WHERE n.ino IN (p_parent, p_new_parent, v_ino, v_old)
    ORDER BY n.mode & 61440 <> 16384, n.ino FOR NO KEY UPDATE;
    SELECT count(*) INTO v_count FROM larder.dentry e
    WHERE (e.parent = p_parent AND e.hash = p_hash AND e.name = p_name AND e.ino = v_ino)
       OR (e.parent = p_new_parent AND e.hash = p_new_hash AND e.name = p_new_name
           AND e.ino IS NOT DISTINCT FROM v_old);
    IF v_count <> (CASE WHEN v_old IS NULL OR (p_parent, p_hash, p_name) = (p_new_parent, p_new_hash, p_new_name)
                   THEN 1 ELSE 2 END)
       OR (v_old IS NULL AND EXISTS (SELECT FROM larder.dentry e WHERE e.parent = p_new_parent
                                     AND e.hash = p_new_hash AND e.name = p_new_name)) THEN
        PERFORM larder.raced();
    END IF;
    IF p_parent <> p_new_parent THEN
        errno := larder.why_not_parent(p_new_parent);
    END IF;
    IF errno = 0 AND v_old IS NULL AND v_exchange THEN
        errno := 2;
    ELSIF errno = 0 AND v_old IS NOT NULL THEN
        errno := CASE
            WHEN p_flags = 1 THEN 17
            WHEN v_old = v_ino OR v_exchange THEN 0
            WHEN v_type = 4 AND v_old_type <> 4 THEN 20
            WHEN v_type <> 4 AND v_old_type = 4 THEN 21
            WHEN v_type = 4 AND EXISTS (SELECT FROM larder.dentry e WHERE e.parent = v_old) THEN 39
            ELSE 0 END;
    END IF;
    IF errno <> 0 THEN
        RETURN;
    END IF;
    -- rename(2): two names of one file, nothing happens.
    IF v_old = v_ino THEN
        SELECT n.* INTO i FROM larder.inode n WHERE n.ino = v_ino;
        a := larder.attributes_of(i);
        RETURN;
    END IF;
    IF v_exchange THEN
        UPDATE larder.dentry e SET ino = v_old, type = v_old_type
        WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name;
    ELSE
        DELETE FROM larder.dentry e WHERE e.parent = p_parent AND e.hash = p_hash AND e.name = p_name;
    END IF;
    IF v_old IS NULL THEN
        INSERT INTO larder.dentry (parent, hash, ino, type, name)
        VALUES (p_new_parent, p_new_hash, v_ino, v_type, p_new_name);
    ELSE
        UPDATE larder.dentry e SET ino = v_ino, type = v_type
        WHERE e.parent = p_new_parent AND e.hash = p_new_hash AND e.name = p_new_name;
    END IF;
    i := larder.moved(v_ino, v_type, p_new_parent, p_s, p_ns);
    a := larder.attributes_of(i);
    IF v_exchange THEN
        o := larder.moved(v_old, v_old_type, p_parent, p_s, p_ns);
    ELSIF v_old IS NOT NULL THEN
        UPDATE larder.inode n
        SET nlink = CASE WHEN v_old_type = 4 THEN 0 ELSE n.nlink - 1 END, ctime_s = GREATEST(n.ctime_s, p_s),
            ctime_ns = CASE WHEN (p_s, p_ns) > (n.ctime_s, n.ctime_ns) THEN p_ns ELSE n.ctime_ns END
        WHERE n.ino = v_old RETURNING n.* INTO STRICT o;
        v_last := o.nlink = 0;
        IF v_last THEN
            v_bytes := -o.allocated;
            v_inodes := -1;
            PERFORM larder.last_link_gone(p_session, v_old, p_new_parent, p_new_name, p_hold AND v_old_type <> 4);
        END IF;
    END IF;
    IF v_old IS NOT NULL THEN
        replaced := larder.attributes_of(o);
    END IF;
    PERFORM larder.rename_parents(p_parent, p_new_parent, v_type = 4, COALESCE(v_old_type = 4, false), v_exchange,
                                  p_s, p_ns);
    PERFORM larder.note(0, p_parent, p_name, v_ino, 0, 0, p_session);
    PERFORM larder.note(CASE WHEN v_last THEN 3 ELSE 0 END, p_new_parent, p_new_name,
                        COALESCE(v_old, v_ino), 0, 0, p_session, v_bytes, v_inodes);
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, v_ino, v_bytes, v_inodes);
END $$;

-- The parents' times and numbers of subdirectories after a rename.
CREATE OR REPLACE FUNCTION larder.rename_parents(
    p_parent bigint, p_new_parent bigint, p_moves_directory boolean, p_replaces_directory boolean, p_exchange boolean,
    p_s bigint, p_ns int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_moved int := p_moves_directory::int;
    v_replaced int := p_replaces_directory::int;
BEGIN
    IF p_parent = p_new_parent THEN
        PERFORM larder.touch_directory(p_parent, CASE WHEN p_exchange THEN 0 ELSE -v_replaced END, p_s, p_ns);
    ELSE
        PERFORM larder.touch_directory(p_parent, CASE WHEN p_exchange THEN v_replaced ELSE 0 END - v_moved, p_s, p_ns);
        PERFORM larder.touch_directory(p_new_parent, v_moved - v_replaced, p_s, p_ns);
    END IF;
END $$;
