-- The metadata against itself. What a rule finds is judged again, and mended, under the inode's
-- lock.

DROP FUNCTION IF EXISTS larder_v1.faults();
DROP FUNCTION IF EXISTS larder.faults();

-- Names by inode have no index, so these rules share one pass over both tables; the others go by pages.
CREATE OR REPLACE FUNCTION larder_v1.link_faults()
RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH links AS MATERIALIZED (
        SELECT d.ino, count(*) AS names, min(d.parent) AS parent FROM larder.dentry d GROUP BY d.ino),
    below AS MATERIALIZED (
        SELECT d.parent, count(*) AS directories FROM larder.dentry d WHERE d.type = 4 GROUP BY d.parent)
    SELECT 'inode-without-dentry', i.ino, 0::bigint, NULL::bytea, 'nlink ' || i.nlink
    FROM larder.inode i LEFT JOIN links l ON l.ino = i.ino WHERE i.nlink > 0 AND i.ino <> 1 AND l.ino IS NULL
    UNION ALL
    SELECT 'nlink-mismatch', i.ino, 0, NULL, i.nlink || ' instead of ' || l.names
    FROM larder.inode i JOIN links l ON l.ino = i.ino WHERE i.mode & 61440 <> 16384 AND i.nlink <> l.names
    UNION ALL
    SELECT 'nlink-mismatch', i.ino, 0, NULL, i.nlink || ' instead of ' || 2 + COALESCE(b.directories, 0)
    FROM larder.inode i LEFT JOIN below b ON b.parent = i.ino LEFT JOIN links l ON l.ino = i.ino
    WHERE i.mode & 61440 = 16384 AND (l.ino IS NOT NULL OR i.ino = 1) AND i.nlink <> 2 + COALESCE(b.directories, 0)
    UNION ALL
    SELECT 'directory-linked-twice', i.ino, 0, NULL, l.names || ' names'
    FROM larder.inode i JOIN links l ON l.ino = i.ino WHERE i.mode & 61440 = 16384 AND l.names > 1
    UNION ALL
    SELECT 'parent-mismatch', i.ino, 0, NULL, i.parent || ' instead of ' || l.parent
    FROM larder.inode i JOIN links l ON l.ino = i.ino
    WHERE i.mode & 61440 = 16384 AND l.names = 1 AND i.parent <> l.parent
$$;

-- A page of a table, in the order of its key, after a place: its faults and, when the page was full, a row without
-- "what" that says where it ended (ino, parent and name hold the key). Look-ups are fenced by OFFSET 0, so that no plan
-- reads a whole table for a page.
CREATE OR REPLACE FUNCTION larder_v1.dentry_faults(p_parent bigint, p_hash bigint, p_name bytea, p_limit int)
RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH page AS MATERIALIZED (
        SELECT d.* FROM larder.dentry d WHERE (d.parent, d.hash, d.name) > (p_parent, p_hash, p_name)
        ORDER BY d.parent, d.hash, d.name LIMIT p_limit),
    seen AS MATERIALIZED (
        SELECT d.*, i.mode, p.ino AS above FROM page d
        LEFT JOIN LATERAL (SELECT n.mode FROM larder.inode n WHERE n.ino = d.ino OFFSET 0) i ON true
        LEFT JOIN LATERAL (SELECT n.ino FROM larder.inode n WHERE n.ino = d.parent AND n.mode & 61440 = 16384
                           AND n.nlink > 0 OFFSET 0) p ON true)
    SELECT 'dentry-to-nothing', s.ino, s.parent, s.name, 'no such inode' FROM seen s WHERE s.mode IS NULL
    UNION ALL
    SELECT 'dentry-in-no-directory', s.ino, s.parent, s.name, 'inode ' || s.parent || ' is not a directory in use'
    FROM seen s WHERE s.above IS NULL
    UNION ALL
    SELECT 'dentry-type-mismatch', s.ino, s.parent, s.name, s.type || ' instead of ' || (s.mode >> 12)
    FROM seen s WHERE s.type <> s.mode >> 12
    UNION ALL
    (SELECT NULL, s.hash, s.parent, s.name, NULL FROM page s WHERE (SELECT count(*) FROM page) = p_limit
     ORDER BY s.parent DESC, s.hash DESC, s.name DESC LIMIT 1)
$$;

CREATE OR REPLACE FUNCTION larder_v1.inode_faults(p_ino bigint, p_limit int)
RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH page AS MATERIALIZED (
        SELECT i.ino, i.allocated FROM larder.inode i WHERE i.ino > p_ino ORDER BY i.ino LIMIT p_limit)
    SELECT 'allocated-mismatch', s.ino, 0::bigint, NULL::bytea, s.allocated || ' instead of ' || h.bytes
    FROM page s CROSS JOIN LATERAL (SELECT COALESCE(sum(e.len), 0)::bigint AS bytes FROM larder.extent e
                                    WHERE e.ino = s.ino OFFSET 0) h
    WHERE s.allocated <> h.bytes
    UNION ALL
    (SELECT NULL, s.ino, 0, NULL, NULL FROM page s WHERE (SELECT count(*) FROM page) = p_limit
     ORDER BY s.ino DESC LIMIT 1)
$$;

CREATE OR REPLACE FUNCTION larder_v1.extent_faults(p_ino bigint, p_off bigint, p_limit int)
RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH page AS MATERIALIZED (
        SELECT e.ino, e.off, e.len, e.skip, e.kind, e.segment FROM larder.extent e WHERE (e.ino, e.off) > (p_ino, p_off)
        ORDER BY e.ino, e.off LIMIT p_limit),
    seen AS MATERIALIZED (
        SELECT e.*, i.mode, x.off AS following FROM page e
        LEFT JOIN LATERAL (SELECT n.mode FROM larder.inode n WHERE n.ino = e.ino OFFSET 0) i ON true
        LEFT JOIN LATERAL (SELECT f.off FROM larder.extent f WHERE f.ino = e.ino AND f.off > e.off
                           ORDER BY f.off LIMIT 1) x ON true)
    SELECT CASE WHEN s.mode IS NULL THEN 'extent-without-inode' ELSE 'extent-in-no-file' END,
           s.ino, 0::bigint, NULL::bytea, sum(s.len) || ' bytes'
    FROM seen s WHERE s.mode IS NULL OR s.mode & 61440 <> 32768 GROUP BY s.ino, s.mode
    UNION ALL
    SELECT 'extent-overlap', s.ino, 0, NULL, 'at ' || s.off FROM seen s WHERE s.following - s.off < s.len
    UNION ALL
    SELECT 'extent-misplaced', s.ino, 0, NULL, 'at ' || s.off
    FROM seen s WHERE s.off < 0 OR s.skip < 0 OR s.len > 9223372036854775807 - s.off
    UNION ALL
    SELECT 'segment-without-row', min(s.ino), 0, NULL, s.segment::text
    FROM page s LEFT JOIN LATERAL (SELECT g.id FROM larder.segment g WHERE g.id = s.segment OFFSET 0) g ON true
    WHERE s.kind = 1 AND g.id IS NULL GROUP BY s.segment
    UNION ALL
    (SELECT NULL, s.ino, s.off, NULL, NULL FROM page s WHERE (SELECT count(*) FROM page) = p_limit
     ORDER BY s.ino DESC, s.off DESC LIMIT 1)
$$;

-- The true usage less the recorded one, of one snapshot; sums commute, so adding it later is right as well.
CREATE OR REPLACE FUNCTION larder.usage_error(OUT bytes bigint, OUT inodes bigint) LANGUAGE sql STABLE AS $$
    SELECT t.bytes - v.base_bytes - COALESCE(s.bytes, 0), t.inodes - v.base_inodes - COALESCE(s.inodes, 0)
    FROM (SELECT COALESCE(sum(i.allocated), 0)::bigint AS bytes, count(*) AS inodes
          FROM larder.inode i WHERE i.nlink > 0) t,
         (SELECT sum(x.bytes)::bigint AS bytes, sum(x.inodes)::bigint AS inodes FROM larder.session_slot x) s,
         larder.volume v
$$;

-- Mends one fault if it is still there; false when only a person can.
CREATE OR REPLACE FUNCTION larder.mend(p_what text, p_ino bigint, p_parent bigint, p_name bytea, p_detail text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    i larder.inode;
    v_names int;
    v_parent bigint;
BEGIN
    SELECT * INTO i FROM larder.inode n WHERE n.ino = p_ino FOR NO KEY UPDATE;
    SELECT count(*), min(d.parent) INTO v_names, v_parent FROM larder.dentry d WHERE d.ino = p_ino;
    CASE p_what
    WHEN 'dentry-to-nothing' THEN
        IF i.ino IS NULL THEN
            DELETE FROM larder.dentry d WHERE d.parent = p_parent AND d.name = p_name AND d.ino = p_ino;
            PERFORM larder.note(0, p_parent, p_name, p_ino, 0, 0, NULL);
        END IF;
    WHEN 'dentry-type-mismatch' THEN
        UPDATE larder.dentry d SET type = i.mode >> 12 WHERE d.parent = p_parent AND d.name = p_name AND d.ino = i.ino;
    WHEN 'inode-without-dentry' THEN  -- from where restore brings it back
        IF i.nlink > 0 AND v_names = 0 THEN
            UPDATE larder.inode n SET nlink = 0 WHERE n.ino = p_ino;
            INSERT INTO larder.trash (ino, parent, name)
            VALUES (p_ino, 1, convert_to('lost-' || p_ino, 'UTF8')) ON CONFLICT DO NOTHING;
        END IF;
    WHEN 'nlink-mismatch' THEN
        IF i.mode & 61440 = 16384 THEN
            SELECT 2 + count(*) INTO v_names FROM larder.dentry d WHERE d.parent = p_ino AND d.type = 4;
        END IF;
        UPDATE larder.inode n SET nlink = v_names WHERE n.ino = p_ino;
        DELETE FROM larder.trash t WHERE t.ino = p_ino AND v_names > 0;
    WHEN 'parent-mismatch' THEN
        IF v_names = 1 THEN
            UPDATE larder.inode n SET parent = v_parent WHERE n.ino = p_ino;
        END IF;
    WHEN 'allocated-mismatch' THEN
        UPDATE larder.inode n SET allocated = COALESCE(
            (SELECT sum(e.len) FROM larder.extent e WHERE e.ino = p_ino), 0) WHERE n.ino = p_ino;
    WHEN 'extent-without-inode' THEN
        IF i.ino IS NULL THEN
            DELETE FROM larder.extent e WHERE e.ino = p_ino;
        END IF;
    WHEN 'segment-without-row' THEN
        INSERT INTO larder.segment (id, bytes)
        SELECT e.segment, sum(e.len) FROM larder.extent e WHERE e.segment = p_detail::uuid GROUP BY e.segment
        ON CONFLICT DO NOTHING;
    ELSE
        RETURN false;
    END CASE;
    IF i.ino IS NOT NULL THEN
        PERFORM larder.note(1, 0, NULL, p_ino, 0, 0, NULL);
    END IF;
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.mend(p_what text, p_ino bigint, p_parent bigint, p_name bytea, p_detail text,
    OUT errno int, OUT mended boolean) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    mended := larder.mend(p_what, p_ino, p_parent, p_name, p_detail);
END $$;

-- How far the recorded usage is off; with p_repair it is put right.
CREATE OR REPLACE FUNCTION larder_v1.check_usage(p_repair boolean, OUT errno int, OUT bytes bigint, OUT inodes bigint)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_error record;
BEGIN
    errno := 0;
    SELECT * INTO v_error FROM larder.usage_error();
    bytes := v_error.bytes;
    inodes := v_error.inodes;
    IF p_repair AND (bytes <> 0 OR inodes <> 0) THEN
        UPDATE larder.volume SET base_bytes = base_bytes + check_usage.bytes,
            base_inodes = base_inodes + check_usage.inodes;
    END IF;
END $$;
