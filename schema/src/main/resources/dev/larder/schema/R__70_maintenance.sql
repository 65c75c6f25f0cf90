-- Background work: the packer and garbage collection. Each call is bounded by rows, here and in the trash, walks and
-- check: what goes on has a place to go on from ("last", null at the end) or says that there is more, and the caller
-- repeats it.

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

-- Rows that one call removes, about.
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
    -- most of them lie in the trash: that is asked first
    v_unkept := ARRAY(
        SELECT u.ino FROM (
            SELECT n.ino FROM unnest(v_page) p (ino) CROSS JOIN LATERAL (
                SELECT i.ino FROM larder.inode i WHERE i.ino = p.ino AND i.nlink = 0 OFFSET 0) n
            WHERE NOT EXISTS (SELECT FROM larder.trash t WHERE t.ino = n.ino OFFSET 0) OFFSET 0) u
        WHERE NOT larder.held(u.ino));
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
            v_rows := v_rows - v_done.rows - 10;  -- what an inode costs besides its extents
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
