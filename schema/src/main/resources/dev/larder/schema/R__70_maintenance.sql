-- Background work: the packer, garbage collection, trash, sums. Each call is bounded by rows: what goes on has a place to
-- go on from ("last", null at the end) or says that there is more, and the caller repeats it.

-- A time as microseconds, which lose nothing on the way to a caller and back.
CREATE OR REPLACE FUNCTION larder.micros(p_at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (extract(epoch FROM p_at) * 1000000)::bigint
$$;

CREATE OR REPLACE FUNCTION larder.at_micros(p_micros bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT timestamptz 'epoch' + p_micros * interval '1 microsecond'
$$;

-- Inline extents by inode and offset, so that the runs of one file come together.
CREATE OR REPLACE FUNCTION larder_v1.inline_extents(p_age_ms bigint, p_max_bytes bigint)
RETURNS TABLE (ino bigint, off bigint, len bigint, kind smallint, content uuid, skip bigint, segment uuid,
               frames bytea, data bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    v_bytes bigint := 0;
BEGIN
    FOR ino, off, len, kind, content, skip, segment, frames, data IN
        SELECT e.ino, e.off, e.len, e.kind, e.content, e.skip, e.segment, e.frames, e.data FROM larder.extent e
        WHERE e.kind = 0 AND e.born <= clock_timestamp() - p_age_ms * interval '1 millisecond'
        ORDER BY e.ino, e.off LOOP
        v_bytes := v_bytes + larder.row_bytes(frames, data);
        EXIT WHEN v_bytes > p_max_bytes;
        RETURN NEXT;
    END LOOP;
END $$;

-- Compare and swap: a run of p_counts[i] extents that still stand exactly so becomes one extent of the same range.
CREATE OR REPLACE FUNCTION larder_v1.move(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_inos bigint[], p_counts int[],
    p_offs bigint[], p_lens bigint[], p_kinds smallint[], p_contents uuid[], p_skips bigint[], p_segments uuid[],
    p_to_kinds smallint[], p_to_contents uuid[], p_to_skips bigint[], p_to_segments uuid[], p_to_frames bytea[],
    p_new_segments uuid[], p_new_bytes bigint[], OUT errno int, OUT moved boolean[])
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_next int := 1;
    v_last int;
    v_len bigint;
    v_same int;
BEGIN
    errno := 0;
    moved := ARRAY[]::boolean[];
    IF cardinality(p_new_segments) > 0 THEN
        PERFORM larder.register_segments(p_new_segments, p_new_bytes);
    END IF;
    PERFORM FROM larder.inode n WHERE n.ino = ANY (p_inos) ORDER BY n.ino FOR NO KEY UPDATE;
    FOR i IN 1 .. cardinality(p_inos) LOOP
        v_last := v_next + p_counts[i] - 1;
        v_len := p_offs[v_last] + p_lens[v_last] - p_offs[v_next];
        SELECT count(*) INTO v_same
        FROM unnest(p_offs[v_next:v_last], p_lens[v_next:v_last], p_kinds[v_next:v_last], p_contents[v_next:v_last],
                    p_skips[v_next:v_last], p_segments[v_next:v_last]) f (off, len, kind, content, skip, segment)
        JOIN larder.extent e ON e.ino = p_inos[i] AND e.off = f.off AND e.len = f.len AND e.kind = f.kind
             AND e.content IS NOT DISTINCT FROM f.content AND e.skip = f.skip
             AND e.segment IS NOT DISTINCT FROM f.segment;
        IF v_same = p_counts[i] THEN
            IF p_counts[i] > 1 THEN  -- a check counts extents over several statements
                PERFORM larder.rewrite(p_inos[i]);
            END IF;
            DELETE FROM larder.extent e WHERE e.ino = p_inos[i] AND e.off > p_offs[v_next]
                AND e.off <= p_offs[v_last];
            UPDATE larder.extent e
            SET len = v_len, kind = p_to_kinds[i], content = p_to_contents[i], skip = p_to_skips[i],
                segment = p_to_segments[i], frames = p_to_frames[i], data = NULL, born = NULL
            WHERE e.ino = p_inos[i] AND e.off = p_offs[v_next];
            moved := moved || true;
        ELSE
            -- sent again after it was done?
            moved := moved || (p_resent AND EXISTS (SELECT FROM larder.extent e WHERE e.ino = p_inos[i]
                AND e.off = p_offs[v_next] AND e.len = v_len AND e.content = p_to_contents[i]
                AND e.segment = p_to_segments[i]));
        END IF;
        v_next := v_last + 1;
    END LOOP;
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_inos[1], 0, 0);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.retire_segments(p_age_ms bigint, p_after uuid, p_limit int,
    OUT errno int, OUT retired int, OUT last uuid) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    SELECT max(b.id::text)::uuid INTO last FROM (SELECT s.id FROM larder.segment s
        WHERE s.id > p_after ORDER BY s.id LIMIT p_limit) b;
    UPDATE larder.segment s SET retired = clock_timestamp()
    WHERE s.id > p_after AND s.id <= last AND s.retired IS NULL
      AND s.born <= clock_timestamp() - p_age_ms * interval '1 millisecond'
      AND NOT EXISTS (SELECT FROM larder.extent e WHERE e.segment = s.id);
    GET DIAGNOSTICS retired = ROW_COUNT;
END $$;

DROP FUNCTION IF EXISTS larder_v1.retired_segments(bigint, int);
CREATE FUNCTION larder_v1.retired_segments(p_age_ms bigint, p_limit int) RETURNS TABLE (id uuid, bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT s.id, s.bytes FROM larder.segment s WHERE s.retired <= clock_timestamp() - p_age_ms * interval '1 millisecond'
      AND NOT EXISTS (SELECT FROM larder.extent e WHERE e.segment = s.id)
    ORDER BY s.retired LIMIT p_limit
$$;

CREATE OR REPLACE FUNCTION larder_v1.forget_segments(p_ids uuid[], OUT errno int) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    DELETE FROM larder.segment s WHERE s.id = ANY (p_ids) AND s.retired IS NOT NULL
        AND NOT EXISTS (SELECT FROM larder.extent e WHERE e.segment = s.id);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.known_segments(p_ids uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT s.id FROM larder.segment s WHERE s.id = ANY (p_ids)
$$;

CREATE OR REPLACE FUNCTION larder_v1.live_sessions() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT s.id FROM larder.session s WHERE NOT s.fenced
$$;

-- What retire_segments would retire, and what could be deleted then, among the segments after one.
CREATE OR REPLACE FUNCTION larder_v1.segment_garbage(p_age_ms bigint, p_after uuid, p_limit int,
    OUT errno int, OUT unreferenced bigint, OUT deletable bigint, OUT deletable_bytes bigint, OUT last uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    v_before timestamptz := clock_timestamp() - p_age_ms * interval '1 millisecond';
BEGIN
    errno := 0;
    SELECT max(b.id::text)::uuid INTO last FROM (SELECT s.id FROM larder.segment s
        WHERE s.id > p_after ORDER BY s.id LIMIT p_limit) b;
    SELECT count(*) FILTER (WHERE g.retired IS NULL), count(*) FILTER (WHERE g.due),
           COALESCE(sum(g.bytes) FILTER (WHERE g.due), 0)
    INTO unreferenced, deletable, deletable_bytes
    FROM (SELECT s.bytes, s.retired,
                 CASE WHEN s.retired IS NULL THEN p_age_ms <= 0 ELSE s.retired <= v_before END AS due
          FROM larder.segment s
          WHERE s.id > p_after AND s.id <= last AND s.born <= v_before
            AND NOT EXISTS (SELECT FROM larder.extent e WHERE e.segment = s.id)) g;
END $$;

-- ---- removal

-- Removes an inode without a name, or only some of its extents when it has more than p_rows; its row says what is left.
CREATE OR REPLACE FUNCTION larder.remove_inode(p_ino bigint, p_rows int, OUT removed boolean, OUT rows int)
LANGUAGE plpgsql AS $$
DECLARE
    v_end bigint;
    v_bytes bigint;
BEGIN
    SELECT e.off INTO v_end FROM larder.extent e WHERE e.ino = p_ino ORDER BY e.off OFFSET p_rows LIMIT 1;
    removed := NOT FOUND;
    WITH gone AS (
        DELETE FROM larder.extent e WHERE e.ino = p_ino AND (removed OR e.off < v_end) RETURNING e.len)
    SELECT count(*), COALESCE(sum(g.len), 0) INTO rows, v_bytes FROM gone g;
    IF NOT removed THEN
        UPDATE larder.inode n SET allocated = n.allocated - v_bytes WHERE n.ino = p_ino;
        RETURN;
    END IF;
    DELETE FROM larder.xattr x WHERE x.ino = p_ino;
    DELETE FROM larder.lock l WHERE l.ino = p_ino;
    DELETE FROM larder.trash t WHERE t.ino = p_ino;
    DELETE FROM larder.doomed d WHERE d.ino = p_ino;
    DELETE FROM larder.inode n WHERE n.ino = p_ino;
END $$;

CREATE OR REPLACE FUNCTION larder.held(p_ino bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM larder.hold h JOIN larder.session s ON s.id = h.session
                   WHERE h.ino = p_ino AND NOT s.fenced)
$$;

-- Extents that one call removes at most.
CREATE OR REPLACE FUNCTION larder.removable_rows() RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 10000 $$;

-- The next p_limit inodes at nlink 0, and those that were seen so. One is seen at nlink 0 and unkept first, and removed
-- when it still is after p_age by this server's clock.
CREATE OR REPLACE FUNCTION larder_v1.purge_unlinked(p_age_ms bigint, p_after bigint, p_limit int,
    OUT errno int, OUT purged int, OUT last bigint) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_page bigint[];
    v_unkept bigint[];
    v_rows int := larder.removable_rows();
    v_ino bigint;
    v_done record;
BEGIN
    errno := 0;
    purged := 0;
    v_page := ARRAY(
        SELECT p.ino FROM (
            (SELECT n.ino FROM larder.inode n WHERE n.nlink = 0 AND n.ino > p_after ORDER BY n.ino LIMIT p_limit)
            UNION
            (SELECT d.ino FROM larder.doomed d WHERE d.ino > p_after ORDER BY d.ino LIMIT p_limit)) p
        ORDER BY p.ino LIMIT p_limit);
    last := CASE WHEN cardinality(v_page) = p_limit THEN v_page[p_limit] END;
    v_unkept := ARRAY(
        SELECT n.ino FROM unnest(v_page) p (ino) JOIN larder.inode n ON n.ino = p.ino
        WHERE n.nlink = 0 AND NOT larder.held(n.ino) AND NOT EXISTS (SELECT FROM larder.trash t WHERE t.ino = n.ino));
    DELETE FROM larder.doomed d WHERE d.ino = ANY (v_page) AND d.ino <> ALL (v_unkept);
    INSERT INTO larder.doomed (ino) SELECT u.ino FROM unnest(v_unkept) u (ino) ON CONFLICT DO NOTHING;
    FOR v_ino IN SELECT d.ino FROM larder.doomed d
                 WHERE d.ino = ANY (v_unkept) AND d.since <= clock_timestamp() - p_age_ms * interval '1 millisecond'
                 ORDER BY d.ino FOR UPDATE SKIP LOCKED LOOP
        IF v_rows <= 0 THEN
            last := v_ino - 1;
            EXIT;
        END IF;
        PERFORM FROM larder.inode n WHERE n.ino = v_ino AND n.nlink = 0 FOR UPDATE;
        IF FOUND AND NOT larder.held(v_ino) THEN
            SELECT * INTO v_done FROM larder.remove_inode(v_ino, v_rows);
            v_rows := v_rows - v_done.rows;
            IF v_done.removed THEN
                purged := purged + 1;
            ELSE
                last := v_ino - 1;
                EXIT;
            END IF;
        END IF;
    END LOOP;
END $$;

-- Among the next p_limit inodes that were seen at nlink 0: what purge_unlinked would remove now.
CREATE OR REPLACE FUNCTION larder_v1.unlinked_garbage(p_age_ms bigint, p_after bigint, p_limit int,
    OUT errno int, OUT inodes bigint, OUT last bigint) LANGUAGE sql STABLE SECURITY DEFINER AS $$
    WITH page AS MATERIALIZED (
        SELECT d.ino, d.since FROM larder.doomed d WHERE d.ino > p_after ORDER BY d.ino LIMIT p_limit)
    SELECT 0,
           (SELECT count(*) FROM page d
            WHERE d.since <= clock_timestamp() - p_age_ms * interval '1 millisecond' AND NOT larder.held(d.ino)
              AND EXISTS (SELECT FROM larder.inode n WHERE n.ino = d.ino AND n.nlink = 0)
              AND NOT EXISTS (SELECT FROM larder.trash t WHERE t.ino = d.ino)),
           (SELECT max(d.ino) FROM page d HAVING count(*) = p_limit)
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

-- ---- trash

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
    FOR v_child IN SELECT DISTINCT ON (x.name) x.name, x.ino FROM larder.trash x
                   WHERE x.parent = p_directory AND x.name > p_after
                   ORDER BY x.name, x.deleted DESC LIMIT p_limit LOOP
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

-- ---- sums and walks

-- The number of inodes, and of segments, among the next p_limit after one.
CREATE OR REPLACE FUNCTION larder_v1.count_inodes(p_after bigint, p_limit int,
    OUT errno int, OUT count bigint, OUT last bigint) LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT 0, count(*), CASE WHEN count(*) = p_limit THEN max(p.ino) END
    FROM (SELECT n.ino FROM larder.inode n WHERE n.ino > p_after ORDER BY n.ino LIMIT p_limit) p
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

CREATE OR REPLACE FUNCTION larder_v1.extents(p_after_ino bigint, p_after_off bigint, p_limit int)
RETURNS TABLE (ino bigint, off bigint, len bigint, kind smallint, content uuid, skip bigint, segment uuid,
               frames bytea, data bytea) LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT e.ino, e.off, e.len, e.kind, e.content, e.skip, e.segment, e.frames, e.data FROM larder.extent e
    WHERE (e.ino, e.off) > (p_after_ino, p_after_off) ORDER BY e.ino, e.off LIMIT p_limit
$$;
