-- The metadata against itself, by pages: a page of a table, in the order of its key, after a place. Each function answers
-- the page's faults and, when there may be more rows, one without "what" that says where the page ended (ino, parent and
-- name hold the key). Look-ups are fenced by OFFSET 0, so that no plan reads a whole table for a page.
--
-- A page is one statement: what it compares is of one snapshot, and every operation changes both sides of a comparison
-- in one transaction, so no difference is ever that of an operation in between. It needs no second look before it is
-- told; mending judges again under the inode's lock.
--
-- Sums over many rows (a directory's subdirectories, a file's extents) are judged where those rows are read. A page
-- leaves out the beginning of a sum that it does not hold whole. One with more rows than a page is told in parts ("what"
-- is 'part'; counted, of the rows in this page; recorded; version), which the caller adds up; the page behind the last of
-- its rows has a part too, of nothing. Whoever adds, removes or resizes such rows updates the inode they belong to in the
-- same transaction (larder.rewrite, when nothing of it changes), which gives its row another xmin: that is the version.
-- When all the parts have the same, no such transaction became visible between their snapshots, so all are of one state
-- and their sum is exact. Otherwise the caller counts again. A part of a sum whose beginning the caller has not seen
-- (rows that came after it was judged whole) says nothing.

CREATE OR REPLACE FUNCTION larder_v1.dentry_faults(p_parent bigint, p_hash bigint, p_name bytea, p_limit int)
RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text, counted bigint, recorded bigint,
               version text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH rows AS MATERIALIZED (
        SELECT d.* FROM larder.dentry d WHERE (d.parent, d.hash, d.name) > (p_parent, p_hash, p_name)
        ORDER BY d.parent, d.hash, d.name LIMIT p_limit),
    edge AS MATERIALIZED (
        SELECT count(*) = p_limit AS more, min(r.parent) = max(r.parent) AS one, max(r.parent) AS last FROM rows r),
    page AS MATERIALIZED (
        SELECT r.* FROM rows r, edge e WHERE NOT e.more OR e.one OR r.parent < e.last),
    seen AS MATERIALIZED (
        SELECT d.*, i.mode, p.ino AS above FROM page d
        LEFT JOIN LATERAL (SELECT n.mode FROM larder.inode n WHERE n.ino = d.ino OFFSET 0) i ON true
        LEFT JOIN LATERAL (SELECT n.ino FROM larder.inode n WHERE n.ino = d.parent AND n.mode & 61440 = 16384
                           AND n.nlink > 0 OFFSET 0) p ON true),
    sums AS MATERIALIZED (
        SELECT g.*, p.nlink, p.version, g.parent = p_parent OR (e.more AND e.one) AS part
        FROM (SELECT r.parent, count(*) FILTER (WHERE r.type = 4) AS directories FROM page r GROUP BY r.parent
              UNION ALL SELECT p_parent, 0 WHERE NOT EXISTS (SELECT FROM page r WHERE r.parent = p_parent)) g
        CROSS JOIN edge e
        CROSS JOIN LATERAL (SELECT n.nlink, n.xmin::text AS version FROM larder.inode n WHERE n.ino = g.parent
                            AND n.mode & 61440 = 16384 AND n.nlink > 0
                            AND (n.ino = 1 OR EXISTS (SELECT FROM larder.dentry d WHERE d.ino = n.ino OFFSET 0))
                            OFFSET 0) p)
    SELECT 'dentry-to-nothing', s.ino, s.parent, s.name, 'no such inode', NULL::bigint, NULL::bigint, NULL
    FROM seen s WHERE s.mode IS NULL
    UNION ALL
    SELECT 'dentry-in-no-directory', s.ino, s.parent, s.name, 'inode ' || s.parent || ' is not a directory in use',
           NULL, NULL, NULL
    FROM seen s WHERE s.above IS NULL
    UNION ALL
    SELECT 'dentry-type-mismatch', s.ino, s.parent, s.name, s.type || ' instead of ' || (s.mode >> 12), NULL, NULL, NULL
    FROM seen s WHERE s.type <> s.mode >> 12
    UNION ALL
    SELECT 'nlink-mismatch', s.parent, 0, NULL, s.nlink || ' instead of ' || 2 + s.directories, NULL, NULL, NULL
    FROM sums s WHERE NOT s.part AND s.nlink <> 2 + s.directories
    UNION ALL
    SELECT 'part', s.parent, 0, NULL, NULL, s.directories, s.nlink - 2, s.version FROM sums s WHERE s.part
    UNION ALL
    (SELECT NULL, s.hash, s.parent, s.name, NULL, NULL, NULL, NULL FROM page s, edge e WHERE e.more
     ORDER BY s.parent DESC, s.hash DESC, s.name DESC LIMIT 1)
$$;

-- An inode against its names, and against what it must not have without a row below it. Of the names of one inode at most
-- 100,000 and a few are counted, and a page ends where so many have been: a file with more is judged to have more.
CREATE OR REPLACE FUNCTION larder_v1.inode_faults(p_ino bigint, p_limit int)
RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text, counted bigint, recorded bigint,
               version text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH rows AS MATERIALIZED (
        SELECT i.ino, i.mode & 61440 = 16384 AS directory, i.nlink, i.parent, i.allocated FROM larder.inode i
        WHERE i.ino > p_ino ORDER BY i.ino LIMIT p_limit),
    costed AS MATERIALIZED (
        SELECT r.*, LEAST(GREATEST(r.nlink, 1), 100000) AS cost,
               sum(CASE WHEN r.directory THEN 1 ELSE LEAST(GREATEST(r.nlink, 1), 100000) END) OVER (ORDER BY r.ino) AS sum
        FROM rows r),
    page AS MATERIALIZED (
        SELECT c.* FROM costed c WHERE c.sum <= p_limit OR c.ino = (SELECT min(r.ino) FROM rows r)),
    seen AS MATERIALIZED (
        SELECT s.*, l.names, l.parent AS name_in,
               EXISTS (SELECT FROM larder.dentry d WHERE d.parent = s.ino OFFSET 0) AS has_names,
               EXISTS (SELECT FROM larder.extent e WHERE e.ino = s.ino OFFSET 0) AS has_extents
        FROM page s CROSS JOIN LATERAL (
            SELECT count(*) AS names, min(x.parent) AS parent
            FROM (SELECT d.parent FROM larder.dentry d WHERE d.ino = s.ino
                  LIMIT CASE WHEN s.directory THEN 1 ELSE s.cost END + 100) x OFFSET 0) l)
    SELECT 'inode-without-dentry', s.ino, 0::bigint, NULL::bytea, 'nlink ' || s.nlink, NULL::bigint, NULL::bigint,
           NULL::text
    FROM seen s WHERE s.nlink > 0 AND s.ino <> 1 AND s.names = 0
    UNION ALL
    SELECT 'nlink-mismatch', s.ino, 0, NULL,
           s.nlink || ' instead of ' || s.names || CASE WHEN s.names = s.cost + 100 THEN ' or more' ELSE '' END,
           NULL, NULL, NULL
    FROM seen s WHERE NOT s.directory AND s.names > 0 AND s.nlink <> s.names
                      AND (s.nlink <= 100000 OR s.names < s.cost + 100)
    UNION ALL
    SELECT 'nlink-mismatch', s.ino, 0, NULL, s.nlink || ' instead of 2', NULL, NULL, NULL
    FROM seen s WHERE s.directory AND NOT s.has_names AND s.nlink <> 2 AND (s.names > 0 OR s.ino = 1)
    UNION ALL
    SELECT 'directory-linked-twice', s.ino, 0, NULL, s.names || ' names', NULL, NULL, NULL
    FROM seen s WHERE s.directory AND s.names > 1
    UNION ALL
    SELECT 'parent-mismatch', s.ino, 0, NULL, s.parent || ' instead of ' || s.name_in, NULL, NULL, NULL
    FROM seen s WHERE s.directory AND s.names = 1 AND s.parent <> s.name_in
    UNION ALL
    SELECT 'allocated-mismatch', s.ino, 0, NULL, s.allocated || ' instead of 0', NULL, NULL, NULL
    FROM seen s WHERE NOT s.has_extents AND s.allocated <> 0
    UNION ALL
    (SELECT NULL, s.ino, 0, NULL, NULL, NULL, NULL, NULL FROM page s
     WHERE (SELECT count(*) FROM rows) = p_limit OR (SELECT count(*) FROM page) < (SELECT count(*) FROM rows)
     ORDER BY s.ino DESC LIMIT 1)
$$;

CREATE OR REPLACE FUNCTION larder_v1.extent_faults(p_ino bigint, p_off bigint, p_limit int)
RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text, counted bigint, recorded bigint,
               version text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH rows AS MATERIALIZED (
        SELECT e.ino, e.off, e.len, e.skip, e.kind, e.segment FROM larder.extent e WHERE (e.ino, e.off) > (p_ino, p_off)
        ORDER BY e.ino, e.off LIMIT p_limit),
    edge AS MATERIALIZED (
        SELECT count(*) = p_limit AS more, min(r.ino) = max(r.ino) AS one, max(r.ino) AS last FROM rows r),
    page AS MATERIALIZED (
        SELECT r.* FROM rows r, edge e WHERE NOT e.more OR e.one OR r.ino < e.last),
    seen AS MATERIALIZED (
        SELECT e.*, i.mode, x.off AS following FROM page e
        LEFT JOIN LATERAL (SELECT n.mode FROM larder.inode n WHERE n.ino = e.ino OFFSET 0) i ON true
        LEFT JOIN LATERAL (SELECT f.off FROM larder.extent f WHERE f.ino = e.ino AND f.off > e.off
                           ORDER BY f.off LIMIT 1) x ON true),
    sums AS MATERIALIZED (
        SELECT g.*, i.allocated, i.version, g.ino = p_ino OR (e.more AND e.one) AS part
        FROM (SELECT r.ino, sum(r.len)::bigint AS bytes FROM page r GROUP BY r.ino
              UNION ALL SELECT p_ino, 0 WHERE NOT EXISTS (SELECT FROM page r WHERE r.ino = p_ino)) g
        CROSS JOIN edge e
        CROSS JOIN LATERAL (SELECT n.allocated, n.xmin::text AS version FROM larder.inode n
                            WHERE n.ino = g.ino OFFSET 0) i)
    SELECT CASE WHEN s.mode IS NULL THEN 'extent-without-inode' ELSE 'extent-in-no-file' END,
           s.ino, 0::bigint, NULL::bytea, sum(s.len) || ' bytes', NULL::bigint, NULL::bigint, NULL
    FROM seen s WHERE s.mode IS NULL OR s.mode & 61440 <> 32768 GROUP BY s.ino, s.mode
    UNION ALL
    SELECT 'extent-overlap', s.ino, 0, NULL, 'at ' || s.off, NULL, NULL, NULL FROM seen s WHERE s.following - s.off < s.len
    UNION ALL
    SELECT 'extent-misplaced', s.ino, 0, NULL, 'at ' || s.off, NULL, NULL, NULL
    FROM seen s WHERE s.off < 0 OR s.skip < 0 OR s.len > 9223372036854775807 - s.off
    UNION ALL
    SELECT 'segment-without-row', min(s.ino), 0, NULL, s.segment::text, NULL, NULL, NULL
    FROM page s LEFT JOIN LATERAL (SELECT g.id FROM larder.segment g WHERE g.id = s.segment OFFSET 0) g ON true
    WHERE s.kind = 1 AND g.id IS NULL GROUP BY s.segment
    UNION ALL
    SELECT 'allocated-mismatch', s.ino, 0, NULL, s.allocated || ' instead of ' || s.bytes, NULL, NULL, NULL
    FROM sums s WHERE NOT s.part AND s.allocated <> s.bytes
    UNION ALL
    SELECT 'part', s.ino, 0, NULL, NULL, s.bytes, s.allocated, s.version FROM sums s WHERE s.part
    UNION ALL
    (SELECT NULL, s.ino, s.off, NULL, NULL, NULL, NULL, NULL FROM page s, edge e WHERE e.more
     ORDER BY s.ino DESC, s.off DESC LIMIT 1)
$$;

-- Mends one fault if it is still there; false when only a person can, or when the inode has more than 100,000 rows of
-- that kind: counting them would hold its lock for long.
CREATE OR REPLACE FUNCTION larder.mend(p_what text, p_ino bigint, p_parent bigint, p_name bytea, p_detail text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    i larder.inode;
    v_names int;
    v_parent bigint;
    v_rows int := 0;
    v_bytes bigint;
BEGIN
    SELECT * INTO i FROM larder.inode n WHERE n.ino = p_ino FOR NO KEY UPDATE;
    SELECT count(*), min(x.parent) INTO v_names, v_parent
    FROM (SELECT d.parent FROM larder.dentry d WHERE d.ino = p_ino LIMIT 100001) x;
    CASE p_what
    WHEN 'dentry-to-nothing' THEN
        IF i.ino IS NULL THEN
            DELETE FROM larder.dentry d WHERE d.parent = p_parent AND d.name = p_name AND d.ino = p_ino;
            PERFORM larder.rewrite(p_parent);
            PERFORM larder.note(0, p_parent, p_name, p_ino, 0, 0, NULL);
        END IF;
    WHEN 'dentry-type-mismatch' THEN
        UPDATE larder.dentry d SET type = i.mode >> 12 WHERE d.parent = p_parent AND d.name = p_name AND d.ino = i.ino;
        PERFORM larder.rewrite(p_parent);
    WHEN 'inode-without-dentry' THEN  -- from where restore brings it back
        IF i.nlink > 0 AND v_names = 0 THEN
            UPDATE larder.inode n SET nlink = 0 WHERE n.ino = p_ino;
            INSERT INTO larder.trash (ino, parent, name)
            VALUES (p_ino, 1, convert_to('lost-' || p_ino, 'UTF8')) ON CONFLICT DO NOTHING;
        END IF;
    WHEN 'nlink-mismatch' THEN
        IF i.mode & 61440 = 16384 THEN
            SELECT 2 + count(*) FILTER (WHERE x.type = 4), count(*) INTO v_names, v_rows
            FROM (SELECT d.type FROM larder.dentry d WHERE d.parent = p_ino LIMIT 100001) x;
        END IF;
        IF GREATEST(v_names, v_rows) > 100000 THEN
            RETURN false;
        END IF;
        UPDATE larder.inode n SET nlink = v_names WHERE n.ino = p_ino;
        DELETE FROM larder.trash t WHERE t.ino = p_ino AND v_names > 0;
    WHEN 'parent-mismatch' THEN
        IF v_names = 1 THEN
            UPDATE larder.inode n SET parent = v_parent WHERE n.ino = p_ino;
        END IF;
    WHEN 'allocated-mismatch' THEN
        SELECT COALESCE(sum(x.len), 0), count(*) INTO v_bytes, v_rows
        FROM (SELECT e.len FROM larder.extent e WHERE e.ino = p_ino LIMIT 100001) x;
        IF v_rows > 100000 THEN
            RETURN false;
        END IF;
        UPDATE larder.inode n SET allocated = v_bytes WHERE n.ino = p_ino;
    WHEN 'extent-without-inode' THEN  -- no more than a page has; each page that has some tells it
        IF i.ino IS NULL THEN
            DELETE FROM larder.extent e WHERE e.ino = p_ino
                AND e.off = ANY (ARRAY(SELECT f.off FROM larder.extent f WHERE f.ino = p_ino ORDER BY f.off LIMIT 10000));
        END IF;
    WHEN 'segment-without-row' THEN
        INSERT INTO larder.segment (id, bytes)
        SELECT e.segment, sum(e.len) FROM larder.extent e WHERE e.segment = p_detail::uuid GROUP BY e.segment
        ON CONFLICT DO NOTHING;
    ELSE
        RETURN false;
    END CASE;
    IF i.ino IS NOT NULL THEN
        PERFORM larder.note_mended(i);
    END IF;
    RETURN true;
END $$;

-- What was an inode is another now, and may count for more or less in the usage.
CREATE OR REPLACE FUNCTION larder.note_mended(p_before larder.inode) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n larder.inode;
BEGIN
    SELECT * INTO n FROM larder.inode x WHERE x.ino = p_before.ino;
    PERFORM larder.note(1, 0, NULL, n.ino, 0, 0, NULL,
        CASE WHEN n.nlink > 0 THEN n.allocated ELSE 0 END
            - CASE WHEN p_before.nlink > 0 THEN p_before.allocated ELSE 0 END,
        (n.nlink > 0)::int - (p_before.nlink > 0)::int);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.mend(p_what text, p_ino bigint, p_parent bigint, p_name bytea, p_detail text,
    OUT errno int, OUT mended boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    mended := larder.mend(p_what, p_ino, p_parent, p_name, p_detail);
END $$;

-- Puts a sum right that was counted in parts, if the inode is still of that version: compare and swap.
CREATE OR REPLACE FUNCTION larder_v1.mend_sum(p_what text, p_ino bigint, p_counted bigint, p_version text,
    OUT errno int, OUT mended boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    i larder.inode;
BEGIN
    errno := 0;
    mended := false;
    SELECT * INTO i FROM larder.inode n WHERE n.ino = p_ino AND n.xmin::text = p_version FOR NO KEY UPDATE;
    IF FOUND THEN
        UPDATE larder.inode n
        SET nlink = CASE WHEN p_what = 'nlink-mismatch' THEN 2 + p_counted ELSE n.nlink END,
            allocated = CASE WHEN p_what = 'allocated-mismatch' THEN p_counted ELSE n.allocated END
        WHERE n.ino = p_ino;
        PERFORM larder.note_mended(i);
        mended := true;
    END IF;
END $$;

-- The true usage, by pages of inodes, against the recorded one, without stopping anybody. With c(x, S) what inode x counts
-- for in snapshot S, the caller keeps A = the sum of c(x, S) over all x up to p_ino, S being the snapshot of p_cursor. A
-- call with snapshot T adds
--   the sum over the next page's x of c(x, T), and
--   the changes of c(x) for all x up to p_ino that T sees and S does not: every mutation notes them in the feed, in its
--   own transaction (larder.note), so they are c(x, T) - c(x, S) exactly,
-- all of them of one statement, so A is then the sum of c(x, T) up to the new place. What changes beyond p_ino is counted
-- when its page comes. The last call reads the recorded usage (the base and the sessions' slots) in the same snapshot T,
-- so the difference is exact however busy the volume is; it is constant while every mutation adds the same to both,
-- so putting it right later is right as well.
-- lost: the feed does not reach back to S (a crash of the server, a caller that slept): the caller begins again.
CREATE OR REPLACE FUNCTION larder_v1.usage_page(p_cursor text, p_ino bigint, p_limit int,
    OUT errno int, OUT lost boolean, OUT next_cursor text, OUT last bigint, OUT bytes bigint, OUT inodes bigint,
    OUT recorded_bytes bigint, OUT recorded_inodes bigint, OUT repairs int) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    c_changes int := 100000;  -- of one call
    v_incarnation uuid := larder.incarnation_now();
    v_from xid8;
    v_open xid8[] := ARRAY[]::xid8[];
    v_old_rotation bigint;
    v_rotation bigint;
    v_snapshot pg_snapshot;
    v_changes int;
BEGIN
    errno := 0;
    lost := false;
    IF p_cursor IS NULL THEN
        INSERT INTO larder.feed_rotation (number, seen, at) VALUES (0, pg_current_snapshot(), clock_timestamp())
            ON CONFLICT DO NOTHING;
    ELSE
        v_from := pg_snapshot_xmax(split_part(p_cursor, '/', 1)::pg_snapshot);
        v_open := ARRAY(SELECT pg_snapshot_xip(split_part(p_cursor, '/', 1)::pg_snapshot));
        v_old_rotation := split_part(p_cursor, '/', 2)::bigint;
        lost := split_part(p_cursor, '/', 3)::uuid <> v_incarnation;
    END IF;
    WITH page AS MATERIALIZED (
        SELECT i.ino, i.allocated, i.nlink FROM larder.inode i WHERE i.ino > p_ino ORDER BY i.ino LIMIT p_limit),
    changes AS MATERIALIZED (
        SELECT u.ino, u.bytes, u.inodes FROM larder.unseen(v_from, v_open) u LIMIT c_changes + 1),
    noted AS (
        SELECT count(*) AS rows, COALESCE(sum(c.bytes) FILTER (WHERE c.ino <= p_ino), 0) AS bytes,
               COALESCE(sum(c.inodes) FILTER (WHERE c.ino <= p_ino), 0) AS inodes FROM changes c),
    counted AS (
        SELECT COALESCE(sum(p.allocated) FILTER (WHERE p.nlink > 0), 0) AS bytes,
               count(*) FILTER (WHERE p.nlink > 0) AS inodes,
               CASE WHEN count(*) = p_limit THEN max(p.ino) END AS last FROM page p),
    slots AS (
        SELECT COALESCE(sum(s.bytes), 0) AS bytes, COALESCE(sum(s.inodes), 0) AS inodes FROM larder.session_slot s)
    SELECT n.rows, c.last, c.bytes + n.bytes, c.inodes + n.inodes, v.base_bytes + s.bytes, v.base_inodes + s.inodes,
           v.usage_repairs, pg_current_snapshot(), (SELECT r.number FROM larder.feed_rotation r)
    INTO v_changes, last, bytes, inodes, recorded_bytes, recorded_inodes, repairs, v_snapshot, v_rotation
    FROM counted c, noted n, slots s, larder.volume v;
    -- a truncation just before is not hidden by MVCC; see larder_v1.feed
    lost := lost OR v_changes > c_changes OR v_rotation IS NULL
        OR COALESCE(v_old_rotation < (SELECT r.number FROM larder.feed_rotation r) - 1, false);
    next_cursor := v_snapshot || '/' || v_rotation || '/' || v_incarnation;
END $$;

-- Adds what usage_page found missing, unless somebody has put the usage right since.
CREATE OR REPLACE FUNCTION larder_v1.mend_usage(p_repairs int, p_bytes bigint, p_inodes bigint,
    OUT errno int, OUT mended boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    UPDATE larder.volume SET base_bytes = base_bytes + p_bytes, base_inodes = base_inodes + p_inodes,
        usage_repairs = usage_repairs + 1 WHERE usage_repairs = p_repairs;
    mended := FOUND;
END $$;
