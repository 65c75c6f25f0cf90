-- Sums, and walks through a table or a tree.

-- The number of inodes, and of segments, among the next p_limit after one.
CREATE OR REPLACE FUNCTION larder_v1.count_inodes(p_after bigint, p_limit int,
    OUT errno int, OUT count bigint, OUT last bigint) LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT 0, count(*), CASE WHEN count(*) = p_limit THEN max(p.ino) END
    FROM (SELECT n.ino FROM larder.inode n WHERE n.ino > p_after ORDER BY n.ino LIMIT p_limit) p
$$;

-- The bytes that the next p_limit inodes hold, those in the trash too.
CREATE OR REPLACE FUNCTION larder_v1.sum_allocated(p_after bigint, p_limit int,
    OUT errno int, OUT bytes bigint, OUT last bigint) LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT 0, COALESCE(sum(p.allocated), 0)::bigint, CASE WHEN count(*) = p_limit THEN max(p.ino) END
    FROM (SELECT n.ino, n.allocated FROM larder.inode n WHERE n.ino > p_after ORDER BY n.ino LIMIT p_limit) p
$$;

CREATE OR REPLACE FUNCTION larder_v1.count_segments(p_after uuid, p_limit int,
    OUT errno int, OUT count bigint, OUT last uuid) LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT 0, count(*), CASE WHEN count(*) = p_limit THEN max(p.id::text)::uuid END
    FROM (SELECT s.id FROM larder.segment s WHERE s.id > p_after ORDER BY s.id LIMIT p_limit) p
$$;

-- Of several names one.
CREATE OR REPLACE FUNCTION larder_v1.paths_of(p_inos bigint[]) RETURNS TABLE (ino bigint, path bytea)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT u.ino, larder.path_of(n.parent) || '/' || n.name FROM unnest(p_inos) u (ino)
    CROSS JOIN LATERAL (SELECT d.parent, d.name FROM larder.dentry d WHERE d.ino = u.ino LIMIT 1) n
$$;

-- One step down: the next p_limit of what lies in these directories, in the first one after a place. A row without inode
-- sums the files that have one link only; then a row for each directory and for each file with several links. A row with
-- a name says where the page ended: in the directory "ino", at the hash "files". There is none behind the last.
CREATE OR REPLACE FUNCTION larder_v1.usage_step(p_directories bigint[], p_hash bigint, p_name bytea, p_limit int)
RETURNS TABLE (ino bigint, directory boolean, files bigint, size bigint, allocated bigint, name bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    v_hash bigint := p_hash;
    v_name bytea := p_name;
    v_all bigint[] := ARRAY[]::bigint[];
    v_inos bigint[];
    v_left int := p_limit;
    v_directory bigint;
BEGIN
    FOREACH v_directory IN ARRAY p_directories LOOP
        v_inos := ARRAY(SELECT d.ino FROM larder.dentry d WHERE d.parent = v_directory
                        AND (d.hash, d.name) > (v_hash, v_name) ORDER BY d.hash, d.name LIMIT v_left);
        v_all := v_all || v_inos;
        IF cardinality(v_inos) = v_left THEN
            SELECT v_directory, d.hash, d.name INTO usage_step.ino, files, usage_step.name FROM larder.dentry d
            WHERE d.parent = v_directory AND (d.hash, d.name) > (v_hash, v_name)
            ORDER BY d.hash, d.name OFFSET v_left - 1 LIMIT 1;
            RETURN NEXT;
            EXIT;
        END IF;
        v_left := v_left - cardinality(v_inos);
        v_hash := -9223372036854775808;
        v_name := '';
    END LOOP;
    RETURN QUERY
    SELECT CASE WHEN i.mode & 61440 = 16384 OR i.nlink > 1 THEN i.ino END, i.mode & 61440 = 16384,
           count(*), sum(i.size)::bigint, sum(i.allocated)::bigint, NULL::bytea
    FROM unnest(v_all) u (ino) CROSS JOIN LATERAL (SELECT n.* FROM larder.inode n WHERE n.ino = u.ino OFFSET 0) i
    GROUP BY 1, 2;
END $$;

-- The next extents after a place, as many as p_room bytes hold and one; without p_data none has its inline bytes.
CREATE OR REPLACE FUNCTION larder_v1.extents(p_after_ino bigint, p_after_off bigint, p_data boolean, p_room bigint)
RETURNS TABLE (ino bigint, off bigint, len bigint, kind smallint, content uuid, skip bigint, segment uuid,
               frames bytea, data bytea) LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    v_bytes bigint := 0;
BEGIN
    FOR ino, off, len, kind, content, skip, segment, frames, data IN
        SELECT e.ino, e.off, e.len, e.kind, e.content, e.skip, e.segment, e.frames, CASE WHEN p_data THEN e.data END
        FROM larder.extent e WHERE (e.ino, e.off) > (p_after_ino, p_after_off)
        ORDER BY e.ino, e.off LIMIT p_room / 512 + 1 LOOP
        RETURN NEXT;
        v_bytes := v_bytes + larder.row_bytes(frames, data);
        EXIT WHEN v_bytes >= p_room;
    END LOOP;
END $$;
