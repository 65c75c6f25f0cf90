-- Sessions: lease, fence, replay record, usage, durability.
--
-- Conventions of larder_v1. One operation is one function and one statement. A mutation begins with (p_session, p_slot,
-- p_epoch, p_op, p_resent). What a caller may expect to fail (ENOENT, EEXIST) is answered in the first column, errno,
-- before anything was changed. What only a race can bring about is raised as 40001, and the caller sends the statement
-- again. The last thing a mutation does is larder.finish. SQLSTATE LFNCE: the session is fenced (ESTALE); LHELD: another
-- host keeps this one out, the message names it; LF and three digits: that errno, everything rolled back.
--
-- Lock order: directory rows of larder.inode by inode number, then other inode rows by number, then the rest.
-- Usage counts inodes that have a link, and their allocated bytes.

-- The record of an operation that was executed already: its inode, or null.
CREATE OR REPLACE FUNCTION larder.replayed(p_session uuid, p_op bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_ino bigint;
BEGIN
    SELECT s.ino INTO v_ino FROM larder.session_slot s WHERE s.session = p_session AND s.op = p_op;
    RETURN v_ino;
END $$;

CREATE OR REPLACE FUNCTION larder.finish(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_ino bigint, p_bytes bigint, p_inodes bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE larder.session_slot
    SET op = p_op, ino = p_ino, bytes = bytes + p_bytes, inodes = inodes + p_inodes
    WHERE session = p_session AND slot = p_slot AND epoch = p_epoch;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'session % is fenced', p_session USING ERRCODE = 'LFNCE';
    END IF;
END $$;

-- For what is idempotent and needs no slot: the session lives, and stays so until the end of this transaction.
CREATE OR REPLACE FUNCTION larder.alive(p_session uuid, p_epoch bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM larder.session WHERE id = p_session AND epoch = p_epoch AND NOT fenced FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'session % is fenced', p_session USING ERRCODE = 'LFNCE';
    END IF;
END $$;

-- This transaction's commit waits until it, and all before it, are on disk. An empty transaction would flush nothing.
CREATE OR REPLACE FUNCTION larder.durable() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
    PERFORM pg_logical_emit_message(true, 'larder', '');
END $$;

-- A new incarnation skips inode numbers: a promoted standby may lack leases that the primary gave, durable as they were.
-- A new volume has lost nothing. Durable, so that the next crash cannot give the same numbers, nor the same versions, to
-- another incarnation.
CREATE OR REPLACE FUNCTION larder.incarnation_now() RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
BEGIN
    SELECT id INTO v_id FROM larder.incarnation;
    IF NOT FOUND THEN
        INSERT INTO larder.incarnation (id) VALUES (gen_random_uuid()) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            UPDATE larder.volume SET next_inode = next_inode + 4294967296
            WHERE next_inode > 2 OR EXISTS (SELECT FROM larder.session);
            PERFORM larder.durable();
        END IF;
        SELECT id INTO STRICT v_id FROM larder.incarnation;
    END IF;
    RETURN v_id;
END $$;

-- The version of a changed content. Its upper half is the incarnation's, that of the inode numbers leased in it: no
-- version is given twice, and an agent sees which incarnation made a change.
-- A connection never outlives the incarnation that it has written in, so it remembers.
CREATE OR REPLACE FUNCTION larder.next_version(p_version bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_base text := current_setting('larder.version_base', true);
BEGIN
    IF COALESCE(v_base, '') = '' THEN
        PERFORM larder.incarnation_now();
        SELECT v.next_inode & -4294967296 INTO v_base FROM larder.volume v;
        PERFORM set_config('larder.version_base', v_base, false);
    END IF;
    RETURN GREATEST(p_version, v_base::bigint) + 1;
END $$;

-- Everything a session has besides its row goes; its usage is folded into the volume's.
CREATE OR REPLACE FUNCTION larder.dissolve(p_session uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_bytes bigint := 0;
    v_inodes bigint := 0;
    s larder.session_slot;
    l larder.lock;
BEGIN
    FOR s IN DELETE FROM larder.session_slot WHERE session = p_session RETURNING * LOOP
        v_bytes := v_bytes + s.bytes;
        v_inodes := v_inodes + s.inodes;
    END LOOP;
    UPDATE larder.volume SET base_bytes = base_bytes + v_bytes, base_inodes = base_inodes + v_inodes;
    DELETE FROM larder.hold WHERE session = p_session;
    DELETE FROM larder.lock_wait WHERE session = p_session;
    FOR l IN DELETE FROM larder.lock WHERE session = p_session RETURNING * LOOP
        PERFORM larder.note(4, 0, NULL, l.ino, 0, 0, p_session);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION larder.fence(p_session uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE larder.session SET fenced = true, epoch = epoch + 1 WHERE id = p_session AND NOT fenced;
    IF FOUND THEN
        PERFORM larder.dissolve(p_session);
    END IF;
END $$;

-- Whether a host may have a session, an exclusive one perhaps: with an exclusive session no other host has any. Openings
-- come one after another, so that of two at once the second sees the first. Who is in the way and is past its lease is
-- fenced, by the rule of the heartbeat, and cannot write any more; who is not raises LHELD.
CREATE OR REPLACE FUNCTION larder.claim(p_session uuid, p_host text, p_exclusive boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_dead uuid;
    v_holder larder.session;
BEGIN
    PERFORM pg_advisory_xact_lock(1279345717, 0);
    FOR v_dead IN
        SELECT s.id FROM larder.session s, larder.incarnation i
        WHERE s.id <> p_session AND s.host <> p_host AND (s.exclusive OR p_exclusive) AND NOT s.fenced
          AND s.expires < clock_timestamp() AND i.began + s.lease < clock_timestamp()
        ORDER BY s.id FOR NO KEY UPDATE OF s LOOP
        PERFORM larder.fence(v_dead);
    END LOOP;
    SELECT s.* INTO v_holder FROM larder.session s
    WHERE s.id <> p_session AND s.host <> p_host AND (s.exclusive OR p_exclusive) AND NOT s.fenced
    ORDER BY s.exclusive DESC, s.began LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'LHELD', MESSAGE = format(
            CASE WHEN v_holder.exclusive THEN 'node %s has the volume to itself since %s'
                ELSE 'node %s uses the volume since %s, and node %s would have it to itself' END,
            v_holder.host, to_char(v_holder.began AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), p_host);
    END IF;
END $$;

-- A new session (p_continue false), or the successor of a dead agent takes it over: the predecessor is fenced by the
-- epoch. errno 116: it has ended, or was fenced, or the volume never knew it. Durable, so that no crash forgets whose
-- segments are being written, nor who has the volume to itself.
CREATE OR REPLACE FUNCTION larder.open_session(
    p_session uuid, p_continue boolean, p_host text, p_mount text, p_lease_ms bigint, p_slots int, p_exclusive boolean,
    OUT errno int, OUT epoch bigint, OUT incarnation uuid, OUT volume uuid)
LANGUAGE plpgsql AS $$
DECLARE
    v_lease interval := p_lease_ms * interval '1 millisecond';
BEGIN
    incarnation := larder.incarnation_now();
    PERFORM larder.claim(p_session, p_host, p_exclusive);
    IF p_continue THEN
        UPDATE larder.session s
        SET epoch = s.epoch + 1, host = p_host, mount = p_mount, exclusive = p_exclusive, lease = v_lease,
            expires = clock_timestamp() + v_lease
        WHERE s.id = p_session AND NOT s.fenced
        RETURNING s.epoch INTO epoch;
        IF NOT FOUND THEN
            errno := 116;
            RETURN;
        END IF;
        UPDATE larder.session_slot s SET epoch = open_session.epoch WHERE s.session = p_session;
    ELSE
        epoch := 1;
        INSERT INTO larder.session (id, host, mount, exclusive, lease, expires)
        VALUES (p_session, p_host, p_mount, p_exclusive, v_lease, clock_timestamp() + v_lease);
        DELETE FROM larder.session s WHERE s.fenced AND s.expires < clock_timestamp() - interval '7 days';
    END IF;
    INSERT INTO larder.session_slot (session, slot, epoch)
    SELECT p_session, n, open_session.epoch FROM generate_series(0, p_slots - 1) n
    ON CONFLICT DO NOTHING;
    SELECT v.id INTO STRICT volume FROM larder.volume v;
    PERFORM larder.durable();
    errno := 0;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.session_open(
    p_session uuid, p_continue boolean, p_host text, p_mount text, p_lease_ms bigint, p_slots int,
    OUT errno int, OUT epoch bigint, OUT incarnation uuid, OUT volume uuid)
LANGUAGE sql SECURITY DEFINER AS $$
    SELECT * FROM larder.open_session(p_session, p_continue, p_host, p_mount, p_lease_ms, p_slots, false)
$$;

-- As session_open; no other host has a session meanwhile.
CREATE OR REPLACE FUNCTION larder_v1.session_open_exclusive(
    p_session uuid, p_continue boolean, p_host text, p_mount text, p_lease_ms bigint, p_slots int,
    OUT errno int, OUT epoch bigint, OUT incarnation uuid, OUT volume uuid)
LANGUAGE sql SECURITY DEFINER AS $$
    SELECT * FROM larder.open_session(p_session, p_continue, p_host, p_mount, p_lease_ms, p_slots, true)
$$;

CREATE OR REPLACE FUNCTION larder_v1.session_end(p_session uuid, p_epoch bigint, OUT errno int)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    DELETE FROM larder.session WHERE id = p_session AND epoch = p_epoch AND NOT fenced;
    IF FOUND THEN
        PERFORM larder.dissolve(p_session);
    END IF;
END $$;

-- Declares another session dead, by hand or because its node is known to be gone.
CREATE OR REPLACE FUNCTION larder_v1.session_fence(p_session uuid, OUT errno int)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM larder.fence(p_session);
    errno := 0;
END $$;

-- Extends the lease, and judges the others' by this server's clock. Nobody is declared dead by one whose own lease had
-- run out (the judge slept), nor within a lease after the server came back (all of them could not renew).
CREATE OR REPLACE FUNCTION larder_v1.heartbeat(
    p_session uuid, p_epoch bigint,
    OUT errno int, OUT used_bytes bigint, OUT used_inodes bigint, OUT quota_bytes bigint, OUT quota_inodes bigint,
    OUT incarnation uuid)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_before timestamptz;
    v_dead uuid;
BEGIN
    errno := 0;
    incarnation := larder.incarnation_now();
    SELECT s.expires INTO v_before FROM larder.session s
    WHERE s.id = p_session AND s.epoch = p_epoch AND NOT s.fenced FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        errno := 116;
        RETURN;
    END IF;
    UPDATE larder.session s SET expires = clock_timestamp() + s.lease WHERE s.id = p_session;
    IF v_before > clock_timestamp() THEN
        FOR v_dead IN
            SELECT s.id FROM larder.session s, larder.incarnation i
            WHERE NOT s.fenced AND s.expires < clock_timestamp() AND i.began + s.lease < clock_timestamp()
            FOR NO KEY UPDATE OF s SKIP LOCKED LOOP
            PERFORM larder.fence(v_dead);
        END LOOP;
    END IF;
    SELECT v.base_bytes + COALESCE(sum(s.bytes), 0), v.base_inodes + COALESCE(sum(s.inodes), 0),
           v.quota_bytes, v.quota_inodes
    INTO used_bytes, used_inodes, quota_bytes, quota_inodes
    FROM larder.volume v LEFT JOIN larder.session_slot s ON true
    GROUP BY v.base_bytes, v.base_inodes, v.quota_bytes, v.quota_inodes;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.flush(OUT errno int, OUT incarnation uuid)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    incarnation := larder.incarnation_now();
    PERFORM larder.durable();
END $$;

CREATE OR REPLACE FUNCTION larder_v1.lease_inodes(
    p_session uuid, p_epoch bigint, p_count int, OUT errno int, OUT first bigint)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    PERFORM larder.incarnation_now();
    PERFORM larder.alive(p_session, p_epoch);
    UPDATE larder.volume SET next_inode = next_inode + p_count RETURNING next_inode - p_count INTO STRICT first;
    PERFORM larder.durable();
END $$;

CREATE OR REPLACE FUNCTION larder_v1.hold(p_session uuid, p_epoch bigint, p_inodes bigint[], OUT errno int)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    PERFORM larder.alive(p_session, p_epoch);
    INSERT INTO larder.hold (session, ino) SELECT p_session, n FROM unnest(p_inodes) n ON CONFLICT DO NOTHING;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.release_holds(p_session uuid, p_epoch bigint, p_inodes bigint[], OUT errno int)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    PERFORM larder.alive(p_session, p_epoch);
    DELETE FROM larder.hold WHERE session = p_session AND ino = ANY (p_inodes);
END $$;
