-- Extents.

-- Cuts [p_from, p_to) out of a file whose inode's row the caller has locked. Returns the bytes that were freed.
CREATE OR REPLACE FUNCTION larder.trim_extents(p_ino bigint, p_from bigint, p_to bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_freed bigint := 0;
    e larder.extent;
BEGIN
    FOR e IN DELETE FROM larder.extent x
             WHERE x.ino = p_ino AND x.off < p_to AND x.off + x.len > p_from RETURNING x.* LOOP
        v_freed := v_freed + LEAST(e.off + e.len, p_to) - GREATEST(e.off, p_from);
        IF e.off < p_from THEN
            INSERT INTO larder.extent VALUES (e.ino, e.off, p_from - e.off, e.skip, e.content, e.segment, e.kind,
                                              e.key_id, e.frames, e.data);
        END IF;
        IF e.off + e.len > p_to THEN
            INSERT INTO larder.extent VALUES (e.ino, p_to, e.off + e.len - p_to, e.skip + p_to - e.off, e.content,
                                              e.segment, e.kind, e.key_id, e.frames, e.data);
        END IF;
    END LOOP;
    RETURN v_freed;
END $$;
