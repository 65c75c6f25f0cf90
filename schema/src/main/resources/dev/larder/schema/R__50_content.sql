-- Content: extents of regular files. Every mutation locks the inode's row first.

-- What an extent takes in an agent's memory, about.
CREATE OR REPLACE FUNCTION larder.row_bytes(p_frames bytea, p_data bytea) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT 512 + COALESCE(octet_length(p_frames), 0) + COALESCE(octet_length(p_data), 0)
$$;

-- Attributes in a first row without extent, then the extents that overlap [p_from, p_to), of one snapshot: at least one,
-- then as many as p_room bytes hold. When it is used up, a last row without extent tells by its off where the rest begins.
CREATE OR REPLACE FUNCTION larder_v1.content(p_ino bigint, p_from bigint, p_to bigint, p_room bigint)
RETURNS TABLE (a larder.attributes, off bigint, len bigint, kind smallint, content uuid, skip bigint, segment uuid,
               frames bytea, data bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 AS $$
DECLARE
    v_inode larder.inode;
    v_from bigint;
    v_bytes bigint := 0;
BEGIN
    SELECT * INTO v_inode FROM larder.inode i WHERE i.ino = p_ino;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    a := larder.attributes_of(v_inode);
    RETURN NEXT;
    IF v_inode.allocated = 0 THEN
        RETURN;
    END IF;
    SELECT e.off INTO v_from FROM larder.extent e
    WHERE e.ino = p_ino AND e.off <= p_from ORDER BY e.off DESC LIMIT 1;
    a := NULL;
    FOR off, len, kind, content, skip, segment, frames, data IN
        SELECT e.off, e.len, e.kind, e.content, e.skip, e.segment, e.frames, e.data FROM larder.extent e
        WHERE e.ino = p_ino AND e.off >= COALESCE(v_from, p_from) AND e.off < p_to AND e.off + e.len > p_from
        ORDER BY e.off LOOP
        IF v_bytes >= p_room THEN
            kind := NULL;
            RETURN NEXT;
            RETURN;
        END IF;
        v_bytes := v_bytes + larder.row_bytes(frames, data);
        RETURN NEXT;
    END LOOP;
END $$;

-- The mode after a write: set-user-id goes, set-group-id too when the group may execute.
CREATE OR REPLACE FUNCTION larder.without_suidgid(p_mode int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT p_mode & ~CASE WHEN p_mode & 8 <> 0 THEN 3072 ELSE 2048 END
$$;

-- Registers segments; bytes is the end of what is known to lie in the object. A late reference revives a retired one.
CREATE OR REPLACE FUNCTION larder.register_segments(p_ids uuid[], p_bytes bigint[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO larder.segment AS s (id, bytes)
    SELECT n.id, max(n.bytes) FROM unnest(p_ids, p_bytes) n (id, bytes) GROUP BY n.id ORDER BY n.id
    ON CONFLICT (id) DO UPDATE SET bytes = GREATEST(s.bytes, excluded.bytes), retired = NULL
    WHERE s.bytes < excluded.bytes OR s.retired IS NOT NULL
$$;

-- Several files' new content; see Metadata.Commit. The members come in inode order, p_counts[i] extents each. One row a
-- member, in that order. p_changes: nothing, or ten numbers a member: seconds and nanoseconds of ctime, mtime and atime,
-- mode, uid, gid, 1 = kill; null leaves what it stands for, a null ctime all of them.
CREATE OR REPLACE FUNCTION larder_v1.commit(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_inos bigint[], p_generations bigint[], p_sizes bigint[], p_appends boolean[], p_kills boolean[],
    p_seconds bigint[], p_nanos int[], p_counts int[], p_changes bigint[],
    p_offs bigint[], p_lens bigint[], p_kinds smallint[], p_contents uuid[], p_skips bigint[], p_segments uuid[],
    p_frames bytea[], p_datas bytea[], p_new_segments uuid[], p_new_bytes bigint[])
RETURNS TABLE (errno int, previous bigint, appended bigint, a larder.attributes)
LANGUAGE plpgsql SECURITY DEFINER ROWS 10 AS $$
DECLARE
    v_inode larder.inode;
    v_replay boolean := false;
    v_next int := 1;
    v_size bigint;
    v_limit bigint;
    v_off bigint;
    v_len bigint;
    v_from bigint;
    v_to bigint;
    v_delta bigint;
    v_usage bigint := 0;
    v_mode int;
    c int;
BEGIN
    IF p_resent THEN
        v_replay := larder.replayed(p_session, p_op) IS NOT NULL;
    END IF;
    IF cardinality(p_new_segments) > 0 AND NOT v_replay THEN
        PERFORM larder.register_segments(p_new_segments, p_new_bytes);
    END IF;
    FOR i IN 1 .. cardinality(p_inos) LOOP
        errno := 0;
        appended := 0;
        SELECT * INTO v_inode FROM larder.inode n WHERE n.ino = p_inos[i] FOR NO KEY UPDATE;
        previous := v_inode.version;
        IF NOT FOUND THEN
            errno := 116;
        ELSIF v_inode.mode & 61440 <> 32768 THEN
            errno := CASE WHEN v_inode.mode & 61440 = 16384 THEN 21 ELSE 22 END;
        ELSIF v_replay THEN
            previous := v_inode.version - 1;
            IF p_appends[i] THEN
                SELECT e.off - e.skip + p_skips[v_next] INTO appended FROM larder.extent e
                WHERE e.ino = p_inos[i] AND e.content = p_contents[v_next] ORDER BY e.off DESC LIMIT 1;
                appended := COALESCE(appended, GREATEST(v_inode.size - p_lens[v_next], 0));
            END IF;
        END IF;
        IF errno <> 0 OR v_replay THEN
            a := CASE WHEN errno = 0 THEN larder.attributes_of(v_inode) END;
            v_next := v_next + p_counts[i];
            RETURN NEXT;
            CONTINUE;
        END IF;

        v_size := v_inode.size;
        v_limit := NULL;
        IF p_appends[i] THEN
            appended := v_size;
        ELSIF p_generations[i] <> v_inode.generation THEN
            v_limit := v_size;  -- never revive what was cut off
        ELSE
            v_size := GREATEST(v_size, p_sizes[i]);
        END IF;
        v_from := v_size;
        v_to := 0;
        v_delta := 0;
        FOR j IN v_next .. v_next + p_counts[i] - 1 LOOP
            v_off := CASE WHEN p_appends[i] THEN v_size ELSE p_offs[j] END;
            v_len := LEAST(p_lens[j], COALESCE(v_limit, 9223372036854775807) - v_off);
            CONTINUE WHEN v_len <= 0;
            IF v_inode.allocated > 0 OR v_delta > 0 THEN
                v_delta := v_delta - larder.trim_extents(v_inode.ino, v_off, v_off + v_len);
            END IF;
            INSERT INTO larder.extent (ino, off, len, skip, content, segment, kind, born, frames, data)
            VALUES (v_inode.ino, v_off, v_len, p_skips[j], p_contents[j], p_segments[j], p_kinds[j],
                    CASE WHEN p_kinds[j] = 0 THEN clock_timestamp() END, p_frames[j], p_datas[j]);
            v_delta := v_delta + v_len;
            v_from := LEAST(v_from, v_off);
            v_to := GREATEST(v_to, v_off + v_len);
            IF p_appends[i] THEN
                v_size := v_size + v_len;
            END IF;
        END LOOP;
        v_next := v_next + p_counts[i];
        v_from := LEAST(v_from, v_inode.size);
        v_to := GREATEST(v_to, v_size);

        c := 10 * (i - 1);
        v_mode := CASE WHEN p_kills[i] THEN larder.without_suidgid(v_inode.mode) ELSE v_inode.mode END;
        IF p_changes[c + 1] IS NOT NULL THEN
            v_mode := COALESCE((v_mode & 61440) | (p_changes[c + 7]::int & 4095), v_mode);
            v_mode := CASE WHEN p_changes[c + 10] = 1 THEN larder.without_suidgid(v_mode) ELSE v_mode END;
            IF p_changes[c + 7] IS NOT NULL AND v_inode.flags & 2 <> 0 THEN
                PERFORM larder.acl_follows(v_inode.ino, v_mode);
            END IF;
        END IF;
        UPDATE larder.inode n
        SET size = v_size, allocated = v_inode.allocated + v_delta, version = larder.next_version(v_inode.version),
            mtime_s = COALESCE(p_changes[c + 3], p_seconds[i]), mtime_ns = COALESCE(p_changes[c + 4], p_nanos[i]),
            ctime_s = COALESCE(p_changes[c + 1], p_seconds[i]), ctime_ns = COALESCE(p_changes[c + 2], p_nanos[i]),
            atime_s = COALESCE(p_changes[c + 5], v_inode.atime_s),
            atime_ns = COALESCE(p_changes[c + 6], v_inode.atime_ns),
            uid = COALESCE(p_changes[c + 8], v_inode.uid), gid = COALESCE(p_changes[c + 9], v_inode.gid), mode = v_mode
        WHERE n.ino = v_inode.ino
        RETURNING * INTO v_inode;
        IF v_inode.nlink = 0 THEN
            v_delta := 0;
        END IF;
        v_usage := v_usage + v_delta;
        PERFORM larder.note(2, 0, NULL, v_inode.ino, v_from, v_to - v_from, p_session, v_delta);
        a := larder.attributes_of(v_inode);
        RETURN NEXT;
    END LOOP;
    IF NOT v_replay THEN
        PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_inos[1], v_usage, 0);
    END IF;
END $$;

-- What every other change of a file's content ends with.
CREATE OR REPLACE FUNCTION larder.content_changed(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_ino bigint, p_size bigint, p_delta bigint,
    p_truncated int, p_modified boolean, p_from bigint, p_len bigint, p_seconds bigint, p_nanos int)
RETURNS larder.attributes LANGUAGE plpgsql AS $$
DECLARE
    v_inode larder.inode;
    v_bytes bigint;
BEGIN
    UPDATE larder.inode n
    SET size = p_size, allocated = n.allocated + p_delta, version = larder.next_version(n.version),
        generation = n.generation + p_truncated, ctime_s = p_seconds, ctime_ns = p_nanos,
        mtime_s = CASE WHEN p_modified THEN p_seconds ELSE n.mtime_s END,
        mtime_ns = CASE WHEN p_modified THEN p_nanos ELSE n.mtime_ns END
    WHERE n.ino = p_ino RETURNING * INTO v_inode;
    v_bytes := CASE WHEN v_inode.nlink > 0 THEN p_delta ELSE 0 END;
    PERFORM larder.note(2, 0, NULL, p_ino, p_from, p_len, p_session, v_bytes);
    PERFORM larder.finish(p_session, p_slot, p_epoch, p_op, p_ino, v_bytes, 0);
    RETURN larder.attributes_of(v_inode);
END $$;

-- Locks a regular file's row. errno 116: it is gone, 21: a directory, 22: not a regular file.
CREATE OR REPLACE FUNCTION larder.lock_file(p_ino bigint, OUT errno int, OUT i larder.inode) LANGUAGE plpgsql AS $$
BEGIN
    SELECT * INTO i FROM larder.inode n WHERE n.ino = p_ino FOR NO KEY UPDATE;
    errno := CASE WHEN NOT FOUND THEN 116 WHEN i.mode & 61440 = 16384 THEN 21
                  WHEN i.mode & 61440 <> 32768 THEN 22 ELSE 0 END;
END $$;

-- The end of a range, without overflow.
CREATE OR REPLACE FUNCTION larder.range_end(p_off bigint, p_len bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_len > 9223372036854775807 - p_off THEN 9223372036854775807 ELSE p_off + p_len END
$$;

-- Fills the holes of [p_from, p_to) with unwritten extents; returns their bytes.
CREATE OR REPLACE FUNCTION larder.fill_holes(p_ino bigint, p_from bigint, p_to bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_at bigint := p_from;
    v_filled bigint := 0;
    e record;
BEGIN
    FOR e IN SELECT x.off, x.len FROM larder.extent x
             WHERE x.ino = p_ino AND x.off < p_to AND x.off + x.len > p_from ORDER BY x.off LOOP
        IF e.off > v_at THEN
            INSERT INTO larder.extent (ino, off, len, kind) VALUES (p_ino, v_at, e.off - v_at, 4);
            v_filled := v_filled + e.off - v_at;
        END IF;
        v_at := e.off + e.len;
    END LOOP;
    IF v_at < p_to THEN
        INSERT INTO larder.extent (ino, off, len, kind) VALUES (p_ino, v_at, p_to - v_at, 4);
        v_filled := v_filled + p_to - v_at;
    END IF;
    RETURN v_filled;
END $$;

CREATE OR REPLACE FUNCTION larder_v1.punch(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_off bigint, p_len bigint, p_unwritten boolean, p_seconds bigint, p_nanos int,
    OUT errno int, OUT a larder.attributes) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_file record;
    i larder.inode;
    v_end bigint := larder.range_end(p_off, p_len);
    v_delta bigint;
BEGIN
    v_file := larder.lock_file(p_ino);
    errno := v_file.errno;
    i := v_file.i;
    IF errno = 0 AND (p_off < 0 OR p_len <= 0) THEN
        errno := 22;
    END IF;
    IF errno <> 0 THEN
        RETURN;
    END IF;
    IF p_resent AND larder.replayed(p_session, p_op) IS NOT NULL THEN
        a := larder.attributes_of(i);
        RETURN;
    END IF;
    v_delta := -larder.trim_extents(p_ino, p_off, v_end);
    IF p_unwritten THEN
        v_delta := v_delta + larder.fill_holes(p_ino, p_off, v_end);
    END IF;
    a := larder.content_changed(p_session, p_slot, p_epoch, p_op, p_ino, i.size, v_delta, 0, true,
        p_off, v_end - p_off, p_seconds, p_nanos);
END $$;

CREATE OR REPLACE FUNCTION larder_v1.preallocate(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_off bigint, p_len bigint, p_keep_size boolean, p_seconds bigint, p_nanos int,
    OUT errno int, OUT a larder.attributes) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_file record;
    i larder.inode;
    v_size bigint;
BEGIN
    v_file := larder.lock_file(p_ino);
    errno := v_file.errno;
    i := v_file.i;
    IF errno = 0 AND (p_off < 0 OR p_len <= 0) THEN
        errno := 22;
    ELSIF errno = 0 AND p_len > 9223372036854775807 - p_off THEN
        errno := 27;
    END IF;
    IF errno <> 0 THEN
        RETURN;
    END IF;
    IF p_resent AND larder.replayed(p_session, p_op) IS NOT NULL THEN
        a := larder.attributes_of(i);
        RETURN;
    END IF;
    v_size := CASE WHEN p_keep_size THEN i.size ELSE GREATEST(i.size, p_off + p_len) END;
    a := larder.content_changed(p_session, p_slot, p_epoch, p_op, p_ino, v_size,
        larder.fill_holes(p_ino, p_off, p_off + p_len), 0, true, p_off, p_len, p_seconds, p_nanos);
END $$;

-- Collapse (p_shift < 0) removes [p_off, p_off - p_shift) and moves what is behind it forward; insert (p_shift > 0)
-- makes a hole of p_shift bytes at p_off.
CREATE OR REPLACE FUNCTION larder_v1.shift(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_off bigint, p_shift bigint, p_seconds bigint, p_nanos int,
    OUT errno int, OUT a larder.attributes) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_file record;
    i larder.inode;
    v_delta bigint := 0;
BEGIN
    v_file := larder.lock_file(p_ino);
    errno := v_file.errno;
    i := v_file.i;
    IF errno <> 0 THEN
        RETURN;
    END IF;
    IF p_resent AND larder.replayed(p_session, p_op) IS NOT NULL THEN
        a := larder.attributes_of(i);
        RETURN;
    END IF;
    IF p_off < 0 OR p_shift = 0 OR p_off >= i.size OR (p_shift < 0 AND p_off >= i.size + p_shift) THEN
        errno := 22;
        RETURN;
    ELSIF p_shift > 9223372036854775807 - i.size THEN
        errno := 27;
        RETURN;
    END IF;
    IF p_shift < 0 THEN
        v_delta := -larder.trim_extents(p_ino, p_off, p_off - p_shift);
    ELSE
        PERFORM larder.split_extent(p_ino, p_off);
    END IF;
    -- in two steps, through negative offsets: unique keys are checked row by row
    UPDATE larder.extent e SET off = -1 - (e.off + p_shift) WHERE e.ino = p_ino AND e.off >= p_off;
    UPDATE larder.extent e SET off = -1 - e.off WHERE e.ino = p_ino AND e.off < 0;
    a := larder.content_changed(p_session, p_slot, p_epoch, p_op, p_ino, i.size + p_shift, v_delta,
        CASE WHEN p_shift < 0 THEN 1 ELSE 0 END, true, p_off, 0, p_seconds, p_nanos);
END $$;

-- errno 22: the ranges overlap in one file. Ends at the source's size.
CREATE OR REPLACE FUNCTION larder_v1.copy_range(
    p_session uuid, p_slot int, p_epoch bigint, p_op bigint, p_resent boolean,
    p_ino bigint, p_off bigint, p_to_ino bigint, p_to_off bigint, p_len bigint, p_seconds bigint, p_nanos int,
    OUT errno int, OUT a larder.attributes) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    v_file record;
    v_source larder.inode;
    v_target larder.inode;
    v_len bigint;
    v_delta bigint;
    e record;
    v_lo bigint;
    v_hi bigint;
BEGIN
    PERFORM FROM larder.inode n WHERE n.ino IN (p_ino, p_to_ino) ORDER BY n.ino FOR NO KEY UPDATE;
    v_file := larder.lock_file(p_ino);
    errno := v_file.errno;
    v_source := v_file.i;
    IF errno = 0 THEN
        v_file := larder.lock_file(p_to_ino);
    errno := v_file.errno;
    v_target := v_file.i;
    END IF;
    IF errno = 0 AND (p_off < 0 OR p_to_off < 0 OR p_len < 0) THEN
        errno := 22;
    END IF;
    IF errno <> 0 THEN
        RETURN;
    END IF;
    v_len := LEAST(p_len, v_source.size - p_off, 9223372036854775807 - p_to_off);
    IF p_ino = p_to_ino AND v_len > 0 AND abs(p_off - p_to_off) < v_len THEN
        errno := 22;
        RETURN;
    END IF;
    IF v_len <= 0 OR (p_resent AND larder.replayed(p_session, p_op) IS NOT NULL) THEN
        a := larder.attributes_of(v_target);
        RETURN;
    END IF;
    v_delta := -larder.trim_extents(p_to_ino, p_to_off, p_to_off + v_len);
    FOR e IN SELECT x.off, x.len FROM larder.extent x
             WHERE x.ino = p_ino AND x.off < p_off + v_len AND x.off + x.len > p_off AND x.kind <> 4 LOOP
        v_lo := GREATEST(e.off, p_off);
        v_hi := LEAST(e.off + e.len, p_off + v_len);
        PERFORM larder.share_extent(p_ino, e.off, v_lo, v_hi - v_lo, p_to_ino, p_to_off + v_lo - p_off);
        v_delta := v_delta + v_hi - v_lo;
    END LOOP;
    a := larder.content_changed(p_session, p_slot, p_epoch, p_op, p_to_ino, GREATEST(v_target.size, p_to_off + v_len),
        v_delta, 0, true, LEAST(p_to_off, v_target.size), 0, p_seconds, p_nanos);
END $$;
