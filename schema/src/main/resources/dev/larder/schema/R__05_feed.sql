-- The change feed. Rows are invalidations, never values: order does not matter.

-- Appends a change. The three tables take turns by the minute. Who changes whether an inode has a link, or the allocated
-- bytes of one that has, notes by how much its share of the usage changed: usage_page counts on it.
CREATE OR REPLACE FUNCTION larder.note(p_kind int, p_parent bigint, p_name bytea, p_ino bigint, p_off bigint,
        p_len bigint, p_session uuid, p_bytes bigint DEFAULT 0, p_inodes int DEFAULT 0) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    turn int := (date_part('epoch', clock_timestamp())::bigint / 60) % 3;  -- extract answers a slow numeric
BEGIN
    IF turn = 0 THEN
        INSERT INTO larder.change_0 (xid, parent, ino, off, len, session, kind, name, bytes, inodes)
        VALUES (pg_current_xact_id(), p_parent, p_ino, p_off, p_len, p_session, p_kind, p_name,
                p_bytes, p_inodes);
    ELSIF turn = 1 THEN
        INSERT INTO larder.change_1 (xid, parent, ino, off, len, session, kind, name, bytes, inodes)
        VALUES (pg_current_xact_id(), p_parent, p_ino, p_off, p_len, p_session, p_kind, p_name,
                p_bytes, p_inodes);
    ELSE
        INSERT INTO larder.change_2 (xid, parent, ino, off, len, session, kind, name, bytes, inodes)
        VALUES (pg_current_xact_id(), p_parent, p_ino, p_off, p_len, p_session, p_kind, p_name,
                p_bytes, p_inodes);
    END IF;
END $$;

-- Empties the table whose turn is next. It may go only when every row of it was visible at the previous rotation: then
-- a cursor made since that rotation has seen them all, and an older one is told that it is lost. Returns false when
-- there was nothing to do or something held the table; the next read tries again.
CREATE OR REPLACE FUNCTION larder.rotate_feed(p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    next_turn int := (extract(epoch FROM p_now)::bigint / 60 + 1) % 3;
    last_seen pg_snapshot;
    late boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1279345714, 5) THEN
        RETURN false;
    END IF;
    SELECT r.seen INTO last_seen FROM larder.feed_rotation r WHERE r.at <= p_now - interval '55 seconds';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    BEGIN
        EXECUTE format('LOCK TABLE larder.change_%s IN ACCESS EXCLUSIVE MODE NOWAIT', next_turn);
    EXCEPTION WHEN lock_not_available THEN
        RETURN false;
    END;
    EXECUTE format('SELECT EXISTS (SELECT FROM larder.change_%s c WHERE c.xid >= pg_snapshot_xmax($1)
        OR c.xid = ANY (ARRAY(SELECT pg_snapshot_xip($1))))', next_turn) INTO late USING last_seen;
    IF NOT late THEN
        EXECUTE format('TRUNCATE larder.change_%s', next_turn);
    END IF;
    UPDATE larder.feed_rotation SET number = number + CASE WHEN late THEN 0 ELSE 1 END,
        seen = CASE WHEN late THEN seen ELSE pg_current_snapshot() END, at = p_now;
    RETURN NOT late;
END $$;

-- What an older snapshot does not see: rows with an xid from its xmax on, or one of those then in progress; whether they
-- are committed now is what MVCC answers.
CREATE OR REPLACE FUNCTION larder.unseen(p_from xid8, p_open xid8[]) RETURNS SETOF larder.change_0
LANGUAGE sql STABLE AS $$
    SELECT * FROM larder.change_0 WHERE xid >= p_from UNION ALL
    SELECT * FROM larder.change_1 WHERE xid >= p_from UNION ALL
    SELECT * FROM larder.change_2 WHERE xid >= p_from UNION ALL
    SELECT * FROM larder.change_0 WHERE xid = ANY (p_open) UNION ALL
    SELECT * FROM larder.change_1 WHERE xid = ANY (p_open) UNION ALL
    SELECT * FROM larder.change_2 WHERE xid = ANY (p_open)
$$;

-- One read of the feed. The cursor is 'snapshot/rotation/incarnation'.
CREATE OR REPLACE FUNCTION larder_v1.feed(p_session uuid, p_cursor text, p_limit int,
        OUT next_cursor text, OUT lost boolean, OUT incarnation uuid, OUT others int,
        OUT kinds smallint[], OUT parents bigint[], OUT names bytea[], OUT inodes bigint[], OUT offs bigint[],
        OUT lens bigint[]) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    seen pg_snapshot;
    from_xid xid8;
    open_xids xid8[];
    old_rotation bigint;
    rotation bigint;
    now_rotation bigint;
    snapshot_now pg_snapshot;
    v_found int;
BEGIN
    lost := false;
    incarnation := larder.incarnation_now();
    -- before the rows are read: what a session that has ended committed is among them; one whose lease is over may
    -- still go on until it is fenced
    SELECT count(*) INTO others FROM larder.session s WHERE s.id <> p_session AND NOT s.fenced;
    IF p_cursor IS NOT NULL THEN
        seen := split_part(p_cursor, '/', 1)::pg_snapshot;
        old_rotation := split_part(p_cursor, '/', 2)::bigint;
        from_xid := pg_snapshot_xmax(seen);
        open_xids := ARRAY(SELECT pg_snapshot_xip(seen));
        lost := split_part(p_cursor, '/', 3)::uuid <> incarnation;
    END IF;
    IF p_cursor IS NULL OR lost THEN
        SELECT r.number, pg_current_snapshot() INTO rotation, snapshot_now FROM larder.feed_rotation r;
        IF NOT FOUND THEN
            INSERT INTO larder.feed_rotation (number, seen, at) VALUES (0, pg_current_snapshot(), clock_timestamp())
                ON CONFLICT DO NOTHING;
            SELECT r.number, pg_current_snapshot() INTO rotation, snapshot_now FROM larder.feed_rotation r;
        END IF;
        next_cursor := snapshot_now || '/' || rotation || '/' || incarnation;
        RETURN;
    END IF;
    -- one snapshot for the rows, the next cursor and its rotation
    WITH c AS MATERIALIZED (
        SELECT * FROM larder.unseen(from_xid, open_xids) u
        WHERE u.session IS DISTINCT FROM p_session OR u.kind = 4 LIMIT p_limit + 1)
    SELECT count(*), array_agg(c.kind), array_agg(c.parent), array_agg(c.name), array_agg(c.ino), array_agg(c.off),
           array_agg(c.len), pg_current_snapshot(), (SELECT r.number FROM larder.feed_rotation r)
      INTO v_found, kinds, parents, names, inodes, offs, lens, snapshot_now, rotation
      FROM c;
    -- a truncation just before is not hidden by MVCC; a later one waits for this transaction
    SELECT r.number INTO now_rotation FROM larder.feed_rotation r;
    IF v_found > p_limit OR old_rotation < now_rotation - 1 OR rotation IS NULL THEN
        lost := true;
        kinds := NULL; parents := NULL; names := NULL; inodes := NULL; offs := NULL; lens := NULL;
    END IF;
    next_cursor := snapshot_now || '/' || rotation || '/' || incarnation;
END $$;

-- Called by every agent's heartbeat: bounds the feed's space.
CREATE OR REPLACE FUNCTION larder_v1.trim_feed() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    RETURN larder.rotate_feed(clock_timestamp());
END $$;
