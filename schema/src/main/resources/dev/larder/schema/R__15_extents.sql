-- Cutting extents. The caller has locked the inode's row and keeps its allocated bytes and times.

-- A new version of an inode's row: tells a check that what belongs to the inode changed (R__75_check.sql).
CREATE OR REPLACE FUNCTION larder.rewrite(p_ino bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE larder.inode n SET nlink = n.nlink WHERE n.ino = p_ino
$$;

-- What a cut extent keeps of an inline content: all of it while it uses at least half, else its own bytes only (then
-- without frames), so that n cuts of a content never make n copies of it. Compressed or encrypted content is kept whole.
CREATE OR REPLACE FUNCTION larder.keeps_whole(p_kind smallint, p_key_id smallint, p_frames bytea, p_data_bytes int,
        p_len bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_kind <> 0 OR (p_frames IS NOT NULL
        AND (p_key_id <> 0 OR get_byte(p_frames, 1) <> 0 OR 2 * p_len >= p_data_bytes))
$$;

-- The inline bytes of [p_skip, p_skip + p_len) of a content, of which p_data begins at p_base.
CREATE OR REPLACE FUNCTION larder.cut_data(p_frames bytea, p_data bytea, p_skip bigint, p_new_skip bigint,
        p_len bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT substring(p_data FROM (p_new_skip - CASE WHEN p_frames IS NULL THEN p_skip ELSE 0 END)::int + 1
        FOR p_len::int)
$$;

-- Makes one extent cover [p_off, p_off + p_len) of what it covers; p_len 0 is not for this function.
CREATE OR REPLACE FUNCTION larder.cut_extent(p_ino bigint, p_old_off bigint, p_off bigint, p_len bigint)
        RETURNS void LANGUAGE sql AS $$
    UPDATE larder.extent e
       SET off = p_off, len = p_len, skip = e.skip + p_off - p_old_off,
           frames = CASE WHEN larder.keeps_whole(e.kind, e.key_id, e.frames, octet_length(e.data), p_len)
                         THEN e.frames END,
           data = CASE WHEN larder.keeps_whole(e.kind, e.key_id, e.frames, octet_length(e.data), p_len) THEN e.data
                       ELSE larder.cut_data(e.frames, e.data, e.skip, e.skip + p_off - p_old_off, p_len) END
     WHERE e.ino = p_ino AND e.off = p_old_off
$$;

-- Copies [p_off, p_off + p_len) of an extent to p_to_ino, p_to_off.
CREATE OR REPLACE FUNCTION larder.share_extent(p_ino bigint, p_old_off bigint, p_off bigint, p_len bigint,
        p_to_ino bigint, p_to_off bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO larder.extent (ino, off, len, skip, content, segment, kind, key_id, born, frames, data)
    SELECT p_to_ino, p_to_off, p_len, e.skip + p_off - p_old_off, e.content, e.segment, e.kind, e.key_id, e.born,
           CASE WHEN larder.keeps_whole(e.kind, e.key_id, e.frames, octet_length(e.data), p_len) THEN e.frames END,
           CASE WHEN larder.keeps_whole(e.kind, e.key_id, e.frames, octet_length(e.data), p_len) THEN e.data
                ELSE larder.cut_data(e.frames, e.data, e.skip, e.skip + p_off - p_old_off, p_len) END
      FROM larder.extent e WHERE e.ino = p_ino AND e.off = p_old_off
$$;

-- Drops what lies in [p_from, p_to); returns the bytes freed. One index probe when nothing lies there.
CREATE OR REPLACE FUNCTION larder.trim_extents(p_ino bigint, p_from bigint, p_to bigint) RETURNS bigint
        LANGUAGE plpgsql AS $$
DECLARE
    last_off bigint;
    last_len bigint;
    first_off bigint;
    first_len bigint;
    freed bigint := 0;
    deleted bigint;
BEGIN
    IF p_from >= p_to THEN
        RETURN 0;
    END IF;
    SELECT e.off, e.len INTO last_off, last_len FROM larder.extent e
     WHERE e.ino = p_ino AND e.off < p_to ORDER BY e.off DESC LIMIT 1;
    IF NOT FOUND OR last_off + last_len <= p_from THEN
        RETURN 0;
    END IF;
    -- the tail of the last one stays; from here on none reaches beyond p_to
    IF last_off + last_len > p_to THEN
        IF last_off < p_from THEN
            PERFORM larder.share_extent(p_ino, last_off, p_to, last_off + last_len - p_to, p_ino, p_to);
            PERFORM larder.cut_extent(p_ino, last_off, last_off, p_from - last_off);
            RETURN p_to - p_from;
        END IF;
        PERFORM larder.cut_extent(p_ino, last_off, p_to, last_off + last_len - p_to);
        freed := p_to - last_off;
    END IF;
    -- the head of the first one stays
    SELECT e.off, e.len INTO first_off, first_len FROM larder.extent e
     WHERE e.ino = p_ino AND e.off < p_from ORDER BY e.off DESC LIMIT 1;
    IF FOUND AND first_off + first_len > p_from THEN
        PERFORM larder.cut_extent(p_ino, first_off, first_off, p_from - first_off);
        freed := freed + first_off + first_len - p_from;
    END IF;
    WITH gone AS (
        DELETE FROM larder.extent e WHERE e.ino = p_ino AND e.off >= p_from AND e.off < p_to RETURNING e.len)
    SELECT coalesce(sum(g.len), 0) INTO deleted FROM gone g;
    RETURN freed + deleted;
END $$;

-- Splits the extent that p_at lies inside of, if there is one.
CREATE OR REPLACE FUNCTION larder.split_extent(p_ino bigint, p_at bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    at_off bigint;
    at_len bigint;
BEGIN
    SELECT e.off, e.len INTO at_off, at_len FROM larder.extent e
     WHERE e.ino = p_ino AND e.off < p_at ORDER BY e.off DESC LIMIT 1;
    IF FOUND AND at_off + at_len > p_at THEN
        PERFORM larder.share_extent(p_ino, at_off, p_at, at_off + at_len - p_at, p_ino, p_at);
        PERFORM larder.cut_extent(p_ino, at_off, at_off, p_at - at_off);
    END IF;
END $$;
