-- flock and fcntl locks. Those of one inode are changed under an advisory lock of the inode, waits are judged under one
-- for all (inode first). Locks of sessions that are fenced or whose lease ran out do not count.

CREATE OR REPLACE FUNCTION larder.session_gone(p_session uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM larder.session s LEFT JOIN larder.incarnation i ON true
        WHERE s.id = p_session AND NOT s.fenced
          AND (s.expires >= clock_timestamp() OR i.began + s.lease >= clock_timestamp()))
$$;

-- What stands in the way of a lock, one of it.
CREATE OR REPLACE FUNCTION larder.lock_in_way(
    p_session uuid, p_ino bigint, p_owner bigint, p_flock boolean, p_first bigint, p_last bigint, p_type int)
RETURNS SETOF larder.lock LANGUAGE sql STABLE AS $$
    SELECT l.* FROM larder.lock l
    WHERE l.ino = p_ino AND l.flock = p_flock AND l.first <= p_last AND l.last >= p_first
      AND (l.type = 1 OR p_type = 1) AND (l.session <> p_session OR l.owner <> p_owner)
      AND NOT larder.session_gone(l.session)
    ORDER BY l.first LIMIT 1
$$;

CREATE OR REPLACE FUNCTION larder.note_unlocked(p_ino bigint, p_session uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM larder.lock_wait w WHERE w.ino = p_ino AND w.until > clock_timestamp()) THEN
        PERFORM larder.note(4, 0, NULL, p_ino, 0, 0, p_session);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.test_lock(
    p_session uuid, p_ino bigint, p_owner bigint, p_flock boolean, p_first bigint, p_last bigint, p_type int,
    OUT owner bigint, OUT pid int, OUT type int, OUT first bigint, OUT last bigint)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT l.owner, l.pid, l.type, l.first, l.last
    FROM larder.lock_in_way(p_session, p_ino, p_owner, p_flock, p_first, p_last, p_type) l
$$;

-- Would this wait close a cycle of owners that wait for one another?
CREATE OR REPLACE FUNCTION larder.lock_cycle(
    p_session uuid, p_ino bigint, p_owner bigint, p_first bigint, p_last bigint, p_type int)
RETURNS boolean LANGUAGE sql AS $$
    WITH RECURSIVE holder(session, owner) AS (
        SELECT l.session, l.owner FROM larder.lock l
        WHERE l.ino = p_ino AND NOT l.flock AND l.first <= p_last AND l.last >= p_first
          AND (l.type = 1 OR p_type = 1) AND (l.session <> p_session OR l.owner <> p_owner)
          AND NOT larder.session_gone(l.session)
        UNION
        SELECT l.session, l.owner
        FROM holder h
        JOIN larder.lock_wait w ON w.session = h.session AND w.owner = h.owner AND NOT w.flock
             AND w.until > clock_timestamp()
        JOIN larder.lock l ON l.ino = w.ino AND NOT l.flock AND l.first <= w.last AND l.last >= w.first
             AND (l.type = 1 OR w.type = 1) AND (l.session <> w.session OR l.owner <> w.owner)
        WHERE NOT larder.session_gone(l.session))
    SELECT EXISTS (SELECT FROM holder h WHERE h.session = p_session AND h.owner = p_owner)
$$;

-- Takes p_first .. p_last out of an owner's locks, and beside it what a lock of p_type may be joined with; returns the
-- range that a new lock covers then.
CREATE OR REPLACE FUNCTION larder.cut_locks(
    p_session uuid, p_ino bigint, p_owner bigint, p_flock boolean, p_type int,
    INOUT p_first bigint, INOUT p_last bigint) LANGUAGE plpgsql AS $$
DECLARE
    l larder.lock;
    v_first bigint := p_first;
    v_last bigint := p_last;
BEGIN
    FOR l IN DELETE FROM larder.lock x
             WHERE x.ino = p_ino AND x.flock = p_flock AND x.session = p_session AND x.owner = p_owner
               AND x.first - CASE WHEN x.type = p_type AND x.first > 0 THEN 1 ELSE 0 END <= v_last
               AND x.last + CASE WHEN x.type = p_type AND x.last < 9223372036854775807 THEN 1 ELSE 0 END >= v_first
             RETURNING x.* LOOP
        IF l.type = p_type THEN
            p_first := LEAST(p_first, l.first);
            p_last := GREATEST(p_last, l.last);
            CONTINUE;
        END IF;
        IF l.first < v_first THEN
            INSERT INTO larder.lock (ino, session, owner, flock, first, last, type, pid)
            VALUES (p_ino, p_session, p_owner, p_flock, l.first, v_first - 1, l.type, l.pid);
        END IF;
        IF l.last > v_last THEN
            INSERT INTO larder.lock (ino, session, owner, flock, first, last, type, pid)
            VALUES (p_ino, p_session, p_owner, p_flock, v_last + 1, l.last, l.type, l.pid);
        END IF;
    END LOOP;
END $$;

-- Sessions whose lease ran out lose what a lock was granted over: they are fenced, so that none returns believing it.
CREATE OR REPLACE FUNCTION larder.fence_overrun(p_session uuid, p_ino bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_dead uuid;
BEGIN
    FOR v_dead IN SELECT DISTINCT l.session FROM larder.lock l
                  WHERE l.ino = p_ino AND l.session <> p_session AND larder.session_gone(l.session) LOOP
        PERFORM larder.fence(v_dead);
        DELETE FROM larder.lock l WHERE l.ino = p_ino AND l.session = v_dead;
    END LOOP;
END $$;

-- p_type 0 read, 1 write, 2 unlock. errno 0: done; 11: owner to last tell what is in the way, and with p_wait_ms > 0 the
-- wait is recorded for that long; 35: that wait would close a cycle; 116: the inode is gone.
CREATE OR REPLACE FUNCTION larder_v1.set_lock(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_owner bigint, p_pid int, p_flock boolean, p_first bigint, p_last bigint, p_type int,
    p_wait_ms bigint,
    OUT errno int, OUT owner bigint, OUT pid int, OUT type int, OUT first bigint, OUT last bigint)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_first bigint;
    v_last bigint;
    v_held int;
    way larder.lock;
BEGIN
    errno := 0;
    IF p_type = 2 AND NOT EXISTS (SELECT FROM larder.lock l WHERE l.ino = p_ino AND l.flock = p_flock
            AND l.session = p_session AND l.owner = p_owner) THEN
        RETURN;
    END IF;
    IF p_resent AND larder.replayed(p_session, p_op) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(1279345715, hashint8(p_ino));
    IF p_type <> 2 THEN
        SELECT * INTO way FROM larder.lock_in_way(p_session, p_ino, p_owner, p_flock, p_first, p_last, p_type);
        IF FOUND THEN
            errno := 11; owner := way.owner; pid := way.pid; type := way.type; first := way.first; last := way.last;
            IF p_flock THEN  -- as Linux: a conversion gives up the old lock first
                DELETE FROM larder.lock l WHERE l.ino = p_ino AND l.flock AND l.session = p_session
                    AND l.owner = p_owner;
                IF FOUND THEN
                    PERFORM larder.note_unlocked(p_ino, p_session);
                END IF;
            END IF;
            IF p_wait_ms > 0 THEN
                IF NOT p_flock THEN
                    PERFORM pg_advisory_xact_lock(1279345716, 0);
                    IF larder.lock_cycle(p_session, p_ino, p_owner, p_first, p_last, p_type) THEN
                        errno := 35;
                        RETURN;
                    END IF;
                END IF;
                INSERT INTO larder.lock_wait AS w (session, owner, ino, flock, first, last, type, until)
                VALUES (p_session, p_owner, p_ino, p_flock, p_first, p_last, p_type,
                        clock_timestamp() + p_wait_ms * interval '1 millisecond')
                ON CONFLICT ON CONSTRAINT lock_wait_pkey DO UPDATE SET flock = excluded.flock, first = excluded.first,
                    last = excluded.last, type = excluded.type, until = excluded.until;
            END IF;
            RETURN;
        END IF;
        PERFORM FROM larder.inode i WHERE i.ino = p_ino;
        IF NOT FOUND THEN
            errno := 116;
            RETURN;
        END IF;
        PERFORM larder.fence_overrun(p_session, p_ino);
        DELETE FROM larder.lock_wait w WHERE w.session = p_session AND w.owner = p_owner AND w.ino = p_ino;
    END IF;
    SELECT count(*) INTO v_held FROM larder.lock l WHERE l.ino = p_ino AND l.flock = p_flock
        AND l.session = p_session AND l.owner = p_owner;
    v_first := p_first;
    v_last := p_last;
    IF v_held > 0 THEN
        SELECT c.p_first, c.p_last INTO v_first, v_last
        FROM larder.cut_locks(p_session, p_ino, p_owner, p_flock, p_type, p_first, p_last) c;
        PERFORM larder.note_unlocked(p_ino, p_session);
    END IF;
    IF p_type <> 2 THEN
        INSERT INTO larder.lock (ino, session, owner, flock, first, last, type, pid)
        VALUES (p_ino, p_session, p_owner, p_flock, v_first, v_last, p_type, p_pid);
    END IF;
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_ino, 0, 0);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.stop_waiting(p_session uuid, p_ino bigint, p_owner bigint, OUT errno int)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    errno := 0;
    DELETE FROM larder.lock_wait w WHERE w.session = p_session AND w.owner = p_owner AND w.ino = p_ino;
END $$;
