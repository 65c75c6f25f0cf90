-- The change feed.

CREATE OR REPLACE FUNCTION larder.note(
    p_kind int, p_parent bigint, p_name bytea, p_ino bigint, p_off bigint, p_len bigint, p_session uuid)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
END $$;
