-- Changes of attributes, and extended attributes. Conventions: R__10_session.sql.

-- posix_acl_chmod: an access ACL (version 4 bytes, then entries of tag u16, perm u16, id u32, little-endian) follows
-- new permission bits. Tags of linux/posix_acl.h: 1 owner, 4 group, 16 mask, 32 other; the mask stands for the group.
CREATE OR REPLACE FUNCTION larder.acl_chmod(p_acl bytea, p_mode int) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_acl bytea := p_acl;
    v_tag int;
    v_group_at int;
    v_mask_at int;
BEGIN
    FOR at IN 4 .. length(p_acl) - 8 BY 8 LOOP
        v_tag := get_byte(p_acl, at) + 256 * get_byte(p_acl, at + 1);
        IF v_tag = 1 THEN
            v_acl := set_byte(v_acl, at + 2, (p_mode >> 6) & 7);
        ELSIF v_tag = 32 THEN
            v_acl := set_byte(v_acl, at + 2, p_mode & 7);
        ELSIF v_tag = 4 THEN
            v_group_at := at;
        ELSIF v_tag = 16 THEN
            v_mask_at := at;
        END IF;
    END LOOP;
    IF COALESCE(v_mask_at, v_group_at) IS NOT NULL THEN
        v_acl := set_byte(v_acl, COALESCE(v_mask_at, v_group_at) + 2, (p_mode >> 3) & 7);
    END IF;
    RETURN v_acl;
END $$;

CREATE OR REPLACE FUNCTION larder.acl_follows(p_ino bigint, p_mode int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE larder.xattr x SET value = larder.acl_chmod(x.value, p_mode)
    WHERE x.ino = p_ino AND x.name = 'system.posix_acl_access'::bytea;
END $$;

-- Null leaves a member as it is. p_size cuts off what lies beyond for good (a new generation), or makes a hole.
CREATE OR REPLACE FUNCTION larder_v1.set_attributes(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_mode int, p_uid bigint, p_gid bigint, p_size bigint, p_atime_s bigint, p_atime_ns int,
    p_mtime_s bigint, p_mtime_ns int, p_s bigint, p_ns int, p_kill boolean,
    OUT errno int, OUT a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_freed bigint := 0;
    v_bytes bigint := 0;
    i larder.inode;
BEGIN
    errno := 0;
    IF p_resent THEN
        a := larder.answer_again(p_session, p_op);
        IF a IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    IF p_size IS NOT NULL THEN
        SELECT n.* INTO i FROM larder.inode n WHERE n.ino = p_ino FOR NO KEY UPDATE;
        IF FOUND AND i.mode & 61440 <> 32768 THEN
            errno := CASE WHEN i.mode & 61440 = 16384 THEN 21 ELSE 22 END;
            RETURN;
        END IF;
        IF i.allocated > 0 THEN
            v_freed := larder.trim_extents(p_ino, p_size, 9223372036854775807);
        END IF;
    END IF;
    UPDATE larder.inode n
    SET mode = CASE WHEN p_mode IS NULL THEN n.mode ELSE (n.mode & 61440) | (p_mode & 4095) END
               & CASE WHEN NOT p_kill THEN -1 WHEN COALESCE(p_mode, n.mode) & 8 <> 0 THEN ~3072 ELSE ~2048 END,
        uid = COALESCE(p_uid, n.uid),
        gid = COALESCE(p_gid, n.gid),
        size = COALESCE(p_size, n.size),
        allocated = n.allocated - v_freed,
        version = CASE WHEN p_size <> n.size OR v_freed > 0 THEN larder.next_version(n.version) ELSE n.version END,
        generation = n.generation + CASE WHEN p_size < n.size THEN 1 ELSE 0 END,
        atime_s = COALESCE(p_atime_s, n.atime_s),
        atime_ns = COALESCE(p_atime_ns, n.atime_ns),
        -- A cut is a change of content; the kernel leaves its time to the server.
        mtime_s = COALESCE(p_mtime_s, CASE WHEN p_size IS NULL THEN n.mtime_s ELSE p_s END),
        mtime_ns = COALESCE(p_mtime_ns, CASE WHEN p_size IS NULL THEN n.mtime_ns ELSE p_ns END),
        ctime_s = GREATEST(n.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (n.ctime_s, n.ctime_ns) THEN p_ns ELSE n.ctime_ns END
    WHERE n.ino = p_ino RETURNING n.* INTO i;
    IF NOT FOUND THEN
        errno := 2;
        RETURN;
    END IF;
    IF p_mode IS NOT NULL AND i.flags & 2 <> 0 THEN
        PERFORM larder.acl_follows(p_ino, i.mode);
    END IF;
    a := larder.attributes_of(i);
    IF p_size IS NULL THEN
        PERFORM larder.note(1, 0, NULL, p_ino, 0, 0, p_session);
    ELSE
        v_bytes := CASE WHEN i.nlink > 0 THEN -v_freed ELSE 0 END;
        PERFORM larder.note(2, 0, NULL, p_ino, p_size, 0, p_session, v_bytes);
    END IF;
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_ino, v_bytes, 0);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.get_xattr(p_ino bigint, p_name bytea, OUT errno int, OUT value bytea)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    SELECT x.value INTO value FROM larder.xattr x WHERE x.ino = p_ino AND x.name = p_name;
    errno := CASE WHEN FOUND THEN 0 WHEN EXISTS (SELECT FROM larder.inode n WHERE n.ino = p_ino) THEN 61 ELSE 2 END;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.list_xattr(p_ino bigint) RETURNS TABLE (errno int, name bytea)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    RETURN QUERY SELECT 0, x.name FROM larder.xattr x WHERE x.ino = p_ino ORDER BY x.name;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM larder.inode n WHERE n.ino = p_ino) THEN
        errno := 2;
        RETURN NEXT;
    END IF;
END $$;

-- The bit of inode.flags that an attribute's name sets.
CREATE OR REPLACE FUNCTION larder.xattr_flag(p_name bytea) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_name WHEN 'system.posix_acl_access'::bytea THEN 2 WHEN 'system.posix_acl_default'::bytea THEN 1
           ELSE 0 END
$$;

-- Flags of setxattr(2): 1 CREATE, 2 REPLACE. A list of names has at most 65,536 bytes (XATTR_LIST_MAX): ENOSPC.
CREATE OR REPLACE FUNCTION larder_v1.set_xattr(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_name bytea, p_value bytea, p_flags int, p_mode int, p_s bigint, p_ns int,
    OUT errno int, OUT a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_exists boolean;
    i larder.inode;
BEGIN
    errno := 0;
    IF p_resent THEN
        a := larder.answer_again(p_session, p_op);
        IF a IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    PERFORM FROM larder.inode n WHERE n.ino = p_ino FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        errno := 2;
        RETURN;
    END IF;
    v_exists := EXISTS (SELECT FROM larder.xattr x WHERE x.ino = p_ino AND x.name = p_name);
    errno := CASE WHEN v_exists AND p_flags & 1 <> 0 THEN 17 WHEN NOT v_exists AND p_flags & 2 <> 0 THEN 61 ELSE 0 END;
    IF NOT v_exists AND errno = 0 THEN
        SELECT CASE WHEN COALESCE(sum(length(x.name) + 1), 0) + length(p_name) + 1 > 65536 THEN 28 ELSE 0 END
        INTO errno FROM larder.xattr x WHERE x.ino = p_ino;
    END IF;
    IF errno <> 0 THEN
        RETURN;
    END IF;
    INSERT INTO larder.xattr (ino, name, value) VALUES (p_ino, p_name, p_value)
    ON CONFLICT ON CONSTRAINT xattr_pkey DO UPDATE SET value = EXCLUDED.value;
    UPDATE larder.inode n
    SET flags = n.flags | 4 | larder.xattr_flag(p_name),
        mode = CASE WHEN p_mode IS NULL THEN n.mode ELSE (n.mode & 61440) | (p_mode & 4095) END,
        ctime_s = GREATEST(n.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (n.ctime_s, n.ctime_ns) THEN p_ns ELSE n.ctime_ns END
    WHERE n.ino = p_ino RETURNING n.* INTO STRICT i;
    a := larder.attributes_of(i);
    PERFORM larder.note(1, 0, NULL, p_ino, 0, 0, p_session);
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_ino, 0, 0);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.remove_xattr(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_name bytea, p_s bigint, p_ns int,
    OUT errno int, OUT a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    i larder.inode;
BEGIN
    errno := 0;
    IF p_resent THEN
        a := larder.answer_again(p_session, p_op);
        IF a IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    PERFORM FROM larder.inode n WHERE n.ino = p_ino FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        errno := 2;
        RETURN;
    END IF;
    DELETE FROM larder.xattr x WHERE x.ino = p_ino AND x.name = p_name;
    IF NOT FOUND THEN
        errno := 61;
        RETURN;
    END IF;
    UPDATE larder.inode n
    SET flags = n.flags & ~larder.xattr_flag(p_name)
                & CASE WHEN EXISTS (SELECT FROM larder.xattr x WHERE x.ino = p_ino) THEN -1 ELSE ~4 END,
        ctime_s = GREATEST(n.ctime_s, p_s),
        ctime_ns = CASE WHEN (p_s, p_ns) > (n.ctime_s, n.ctime_ns) THEN p_ns ELSE n.ctime_ns END
    WHERE n.ino = p_ino RETURNING n.* INTO STRICT i;
    a := larder.attributes_of(i);
    PERFORM larder.note(1, 0, NULL, p_ino, 0, 0, p_session);
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_ino, 0, 0);
END $$;
