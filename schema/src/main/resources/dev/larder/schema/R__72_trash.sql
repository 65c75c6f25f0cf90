-- Removed files: listed, given up, brought back.

-- A time as microseconds, which lose nothing on the way to a caller and back.
CREATE OR REPLACE FUNCTION larder.micros(p_at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (extract(epoch FROM p_at) * 1000000)::bigint
$$;

CREATE OR REPLACE FUNCTION larder.at_micros(p_micros bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT timestamptz 'epoch' + p_micros * interval '1 microsecond'
$$;

-- The path of a directory, removed ones too; null when an ancestor is gone for good.
CREATE OR REPLACE FUNCTION larder.path_of(p_ino bigint) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_path bytea := '';
    v_at bigint := p_ino;
    v_parent bigint;
    v_name bytea;
BEGIN
    FOR depth IN 1 .. 4096 LOOP
        IF v_at = 1 THEN
            RETURN v_path;
        END IF;
        SELECT t.parent, t.name INTO v_parent, v_name FROM larder.trash t WHERE t.ino = v_at;
        IF NOT FOUND THEN
            SELECT d.parent, d.name INTO v_parent, v_name FROM larder.dentry d WHERE d.ino = v_at AND d.type = 4;
            IF NOT FOUND THEN
                RETURN NULL;
            END IF;
        END IF;
        v_path := '/'::bytea || v_name || v_path;
        v_at := v_parent;
    END LOOP;
    RETURN NULL;
END $$;

-- Among the next p_limit entries after a place (microseconds and inode), the last removed first: those below a path.
-- The last row, without a path, says where the page ended; there is none behind the oldest entry.
CREATE OR REPLACE FUNCTION larder_v1.trash_list(p_prefix bytea, p_after bigint, p_after_ino bigint, p_limit int)
RETURNS TABLE (ino bigint, path bytea, directory boolean, size bigint, deleted bigint)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH page AS MATERIALIZED (
        SELECT t.* FROM larder.trash t WHERE (t.deleted, t.ino) < (larder.at_micros(p_after), p_after_ino)
        ORDER BY t.deleted DESC, t.ino DESC LIMIT p_limit),
    above AS MATERIALIZED (
        SELECT p.parent, COALESCE(larder.path_of(p.parent), '/?') AS path FROM (SELECT DISTINCT g.parent FROM page g) p),
    found AS (
        SELECT n.ino, a.path || '/' || t.name AS path, n.mode & 61440 = 16384 AS directory, n.size, t.deleted
        FROM page t JOIN above a ON a.parent = t.parent
        CROSS JOIN LATERAL (SELECT i.* FROM larder.inode i WHERE i.ino = t.ino OFFSET 0) n)
    (SELECT f.ino, f.path, f.directory, f.size, larder.micros(f.deleted) FROM found f
     WHERE substring(f.path FOR octet_length(p_prefix)) = p_prefix ORDER BY f.deleted DESC, f.ino DESC)
    UNION ALL
    (SELECT t.ino, NULL, NULL, NULL, larder.micros(t.deleted) FROM page t WHERE (SELECT count(*) FROM page) = p_limit
     ORDER BY t.deleted, t.ino LIMIT 1)
$$;

-- What was removed before p_before or, without it, longer ago than the volume's trash keeps it. What was removed longer
-- ago than two leases goes at once, the rest (and one that has too many extents) as soon as it is not held.
CREATE OR REPLACE FUNCTION larder_v1.purge_trash(p_before timestamptz, p_limit int,
    OUT errno int, OUT purged int, OUT more boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_lease interval := COALESCE((SELECT max(s.lease) FROM larder.session s), interval '0');
    v_before timestamptz := COALESCE(p_before, clock_timestamp() - (SELECT v.trash FROM larder.volume v));
    v_rows int := larder.removable_rows();
    t larder.trash;
    v_done record;
BEGIN
    errno := 0;
    purged := 0;
    FOR t IN SELECT * FROM larder.trash x WHERE x.deleted < v_before ORDER BY x.deleted, x.ino LIMIT p_limit
             FOR UPDATE SKIP LOCKED LOOP
        EXIT WHEN v_rows <= 0;
        DELETE FROM larder.trash x WHERE x.ino = t.ino;
        purged := purged + 1;
        PERFORM FROM larder.inode n WHERE n.ino = t.ino AND n.nlink = 0 FOR UPDATE;
        IF FOUND AND t.deleted < clock_timestamp() - 2 * v_lease AND NOT larder.held(t.ino) THEN
            SELECT * INTO v_done FROM larder.remove_inode(t.ino, v_rows);
            v_rows := v_rows - v_done.rows;
        END IF;
    END LOOP;
    more := purged = p_limit OR v_rows <= 0;
END $$;

-- Among the next p_limit entries of the trash after a place, the oldest first: those whose time is over.
CREATE OR REPLACE FUNCTION larder_v1.trash_garbage(p_after bigint, p_after_ino bigint, p_limit int,
    OUT errno int, OUT entries bigint, OUT last bigint, OUT last_ino bigint)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH page AS MATERIALIZED (
        SELECT t.deleted, t.ino FROM larder.trash t
        WHERE (t.deleted, t.ino) > (larder.at_micros(p_after), p_after_ino)
          AND t.deleted < clock_timestamp() - (SELECT v.trash FROM larder.volume v)
        ORDER BY t.deleted, t.ino LIMIT p_limit),
    edge AS (
        SELECT p.deleted, p.ino FROM page p WHERE (SELECT count(*) FROM page) = p_limit
        ORDER BY p.deleted DESC, p.ino DESC LIMIT 1)
    SELECT 0, (SELECT count(*) FROM page), (SELECT larder.micros(e.deleted) FROM edge e), (SELECT e.ino FROM edge e)
$$;

-- FileName.cookie of a name.
CREATE OR REPLACE FUNCTION larder.name_hash(p_name bytea) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT GREATEST((('x' || encode(substring(sha256(p_name) FOR 8), 'hex'))::bit(64) >> 1)::bigint, 3)
$$;

-- Puts a removed inode back into a directory, under its name or that with a number; the directory above it first when
-- that is removed too, the root when it is gone. Null: it is not in the trash.
CREATE OR REPLACE FUNCTION larder.restore_entry(p_ino bigint, p_depth int) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
    t larder.trash;
    n larder.inode;
    v_parent bigint;
    v_name bytea;
    v_now bigint := extract(epoch FROM clock_timestamp())::bigint;
    v_tries int := 0;
BEGIN
    SELECT * INTO t FROM larder.trash x WHERE x.ino = p_ino;
    IF NOT FOUND OR p_depth > 4096 THEN
        RETURN NULL;
    END IF;
    v_parent := t.parent;
    IF EXISTS (SELECT FROM larder.trash x WHERE x.ino = v_parent) THEN
        PERFORM larder.restore_entry(v_parent, p_depth + 1);
    END IF;
    PERFORM FROM larder.inode x WHERE x.ino = v_parent AND x.nlink > 0 AND x.mode & 61440 = 16384 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        v_parent := 1;
        PERFORM FROM larder.inode x WHERE x.ino = 1 FOR NO KEY UPDATE;
    END IF;
    SELECT * INTO n FROM larder.inode x WHERE x.ino = p_ino FOR NO KEY UPDATE;
    v_name := t.name;
    WHILE EXISTS (SELECT FROM larder.dentry d WHERE d.parent = v_parent AND d.hash = larder.name_hash(v_name)
                  AND d.name = v_name) LOOP
        v_tries := v_tries + 1;
        v_name := substring(t.name FOR 240) || convert_to('.restored-' || v_tries, 'UTF8');
    END LOOP;
    INSERT INTO larder.dentry (parent, hash, ino, type, name)
    VALUES (v_parent, larder.name_hash(v_name), p_ino, n.mode >> 12, v_name);
    UPDATE larder.inode x SET nlink = CASE WHEN n.mode & 61440 = 16384 THEN 2 ELSE 1 END,
        parent = CASE WHEN n.mode & 61440 = 16384 THEN v_parent ELSE 0 END,
        ctime_s = GREATEST(v_now, x.ctime_s), ctime_ns = 0 WHERE x.ino = p_ino;
    UPDATE larder.inode x SET nlink = x.nlink + CASE WHEN n.mode & 61440 = 16384 THEN 1 ELSE 0 END,
        mtime_s = GREATEST(v_now, x.mtime_s), mtime_ns = CASE WHEN v_now > x.mtime_s THEN 0 ELSE x.mtime_ns END,
        ctime_s = GREATEST(v_now, x.ctime_s), ctime_ns = CASE WHEN v_now > x.ctime_s THEN 0 ELSE x.ctime_ns END
    WHERE x.ino = v_parent;
    DELETE FROM larder.trash x WHERE x.ino = p_ino;
    UPDATE larder.volume SET base_bytes = base_bytes + n.allocated, base_inodes = base_inodes + 1;
    PERFORM larder.note(0, v_parent, v_name, p_ino, 0, 0, NULL);
    PERFORM larder.note(1, 0, NULL, p_ino, 0, 0, NULL, n.allocated, 1);
    PERFORM larder.note(1, 0, NULL, v_parent, 0, 0, NULL);
    RETURN COALESCE(larder.path_of(v_parent), '') || '/' || v_name;
END $$;

-- A directory that is back already stays, so that a restore which was broken off can be repeated. errno 2: neither in the
-- trash nor a directory in use.
CREATE OR REPLACE FUNCTION larder_v1.trash_restore(p_ino bigint, OUT errno int, OUT path bytea, OUT directory boolean)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    path := larder.restore_entry(p_ino, 0);
    SELECT n.mode & 61440 = 16384 INTO directory FROM larder.inode n WHERE n.ino = p_ino AND n.nlink > 0;
    IF path IS NULL AND directory THEN
        path := larder.path_of(p_ino);
    END IF;
    errno := CASE WHEN path IS NULL THEN 2 ELSE 0 END;
END $$;

-- What was removed from a directory that is back: the newest of each of the next p_limit names after one. Answers those
-- that are directories, for which the caller does the same, and a row with the last name when there may be more.
CREATE OR REPLACE FUNCTION larder_v1.trash_restore_below(p_directory bigint, p_after bytea, p_limit int)
RETURNS TABLE (ino bigint, name bytea) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_child record;
    v_last bytea;
    v_names int := 0;
BEGIN
    -- names first, from the index alone: DISTINCT ON would sort all that is left of the directory for each page
    FOR v_child IN SELECT n.name, (SELECT x.ino FROM larder.trash x WHERE x.parent = p_directory AND x.name = n.name
                                   ORDER BY x.deleted DESC LIMIT 1) AS ino
                   FROM (SELECT DISTINCT x.name FROM larder.trash x
                         WHERE x.parent = p_directory AND x.name > p_after ORDER BY x.name LIMIT p_limit) n LOOP
        v_names := v_names + 1;
        v_last := v_child.name;
        IF larder.restore_entry(v_child.ino, 0) IS NOT NULL
           AND EXISTS (SELECT FROM larder.inode n WHERE n.ino = v_child.ino AND n.mode & 61440 = 16384) THEN
            ino := v_child.ino;
            name := NULL;
            RETURN NEXT;
        END IF;
    END LOOP;
    IF v_names = p_limit THEN
        ino := NULL;
        name := v_last;
        RETURN NEXT;
    END IF;
END $$;
