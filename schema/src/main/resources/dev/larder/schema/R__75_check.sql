-- The metadata against itself. Each rule is one statement; what it finds is judged again, and mended, under the inode's
-- lock.

CREATE OR REPLACE FUNCTION larder.faults() RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text)
LANGUAGE sql STABLE AS $$
    WITH links AS MATERIALIZED (
        SELECT d.ino, count(*) AS names, min(d.parent) AS parent FROM larder.dentry d GROUP BY d.ino),
    below AS MATERIALIZED (
        SELECT d.parent, count(*) AS directories FROM larder.dentry d WHERE d.type = 4 GROUP BY d.parent),
    held AS MATERIALIZED (
        SELECT e.ino, sum(e.len)::bigint AS bytes FROM larder.extent e GROUP BY e.ino)
    SELECT 'dentry-to-nothing', d.ino, d.parent, d.name, 'no such inode'
    FROM larder.dentry d LEFT JOIN larder.inode i ON i.ino = d.ino WHERE i.ino IS NULL
    UNION ALL
    SELECT 'dentry-in-no-directory', d.ino, d.parent, d.name, 'inode ' || d.parent || ' is not a directory in use'
    FROM larder.dentry d LEFT JOIN larder.inode p ON p.ino = d.parent AND p.mode & 61440 = 16384 AND p.nlink > 0
    WHERE p.ino IS NULL
    UNION ALL
    SELECT 'dentry-type-mismatch', d.ino, d.parent, d.name, d.type || ' instead of ' || (i.mode >> 12)
    FROM larder.dentry d JOIN larder.inode i ON i.ino = d.ino WHERE d.type <> i.mode >> 12
    UNION ALL
    SELECT 'inode-without-dentry', i.ino, 0, NULL, 'nlink ' || i.nlink
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
    UNION ALL
    SELECT 'allocated-mismatch', i.ino, 0, NULL, i.allocated || ' instead of ' || COALESCE(h.bytes, 0)
    FROM larder.inode i LEFT JOIN held h ON h.ino = i.ino WHERE i.allocated <> COALESCE(h.bytes, 0)
    UNION ALL
    SELECT 'extent-without-inode', h.ino, 0, NULL, h.bytes || ' bytes'
    FROM held h LEFT JOIN larder.inode i ON i.ino = h.ino WHERE i.ino IS NULL
    UNION ALL
    SELECT 'extent-in-no-file', h.ino, 0, NULL, h.bytes || ' bytes'
    FROM held h JOIN larder.inode i ON i.ino = h.ino WHERE i.mode & 61440 <> 32768
    UNION ALL
    SELECT 'extent-overlap', e.ino, 0, NULL, 'at ' || e.off
    FROM (SELECT x.ino, x.off, x.len, lead(x.off) OVER (PARTITION BY x.ino ORDER BY x.off) AS following
          FROM larder.extent x) e
    WHERE e.following - e.off < e.len
    UNION ALL
    SELECT 'extent-misplaced', e.ino, 0, NULL, 'at ' || e.off
    FROM larder.extent e WHERE e.off < 0 OR e.skip < 0 OR e.len > 9223372036854775807 - e.off
    UNION ALL
    SELECT 'segment-without-row', min(e.ino), 0, NULL, e.segment::text
    FROM larder.extent e LEFT JOIN larder.segment s ON s.id = e.segment
    WHERE e.kind = 1 AND s.id IS NULL GROUP BY e.segment
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

CREATE OR REPLACE FUNCTION larder_v1.faults()
RETURNS TABLE (what text, ino bigint, parent bigint, name bytea, detail text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM larder.faults()
$$;

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
