-- The tables of one volume's metadata, format 1. Agents never touch them: they EXECUTE functions of larder_v1.
-- Inode numbers, segment ids and content ids are never made by the database: a crash could hand one out twice.

CREATE SCHEMA larder;
CREATE SCHEMA larder_v1;

-- What SchemaMigration looks at before it loads anything: the last versioned file and a digest of all of them.
CREATE TABLE larder.schema_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  int  NOT NULL,
    digest   text NOT NULL
);

CREATE TABLE larder.volume (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id           uuid    NOT NULL,
    name         text    NOT NULL,
    format       int     NOT NULL DEFAULT 1,
    created      timestamptz NOT NULL DEFAULT now(),
    quota_bytes  bigint  NOT NULL DEFAULT 0,  -- 0 = none
    quota_inodes bigint  NOT NULL DEFAULT 0,
    trash        interval NOT NULL DEFAULT interval '1 day',  -- 0 = no trash
    next_inode   bigint  NOT NULL DEFAULT 2,
    base_bytes   bigint  NOT NULL DEFAULT 0,  -- usage of sessions that have ended
    base_inodes  bigint  NOT NULL DEFAULT 1,
    usage_repairs int    NOT NULL DEFAULT 0   -- so that an error is never put right twice
);

-- Empty after a crash of the server and on a promoted standby: that is how agents see it.
CREATE UNLOGGED TABLE larder.incarnation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id       uuid NOT NULL,
    began    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE larder.inode (
    ino        bigint PRIMARY KEY,
    size       bigint NOT NULL DEFAULT 0,
    allocated  bigint NOT NULL DEFAULT 0,  -- sum of its extents' lengths
    version    bigint NOT NULL DEFAULT 0,  -- grows with every change of content
    generation bigint NOT NULL DEFAULT 0,  -- grows with every truncation
    parent     bigint NOT NULL DEFAULT 0,  -- of a directory
    uid        bigint NOT NULL,
    gid        bigint NOT NULL,
    rdev       bigint NOT NULL DEFAULT 0,
    atime_s    bigint NOT NULL,
    mtime_s    bigint NOT NULL,
    ctime_s    bigint NOT NULL,
    btime_s    bigint NOT NULL,
    atime_ns   int    NOT NULL,
    mtime_ns   int    NOT NULL,
    ctime_ns   int    NOT NULL,
    btime_ns   int    NOT NULL,
    mode       int    NOT NULL,
    nlink      int    NOT NULL,
    flags      int    NOT NULL DEFAULT 0,  -- 1 default ACL, 2 access ACL, 4 any xattr
    target     bytea                       -- of a symlink
) WITH (fillfactor = 75);

-- What a statement answers about an inode: the members of dev.larder.volume.Attributes, in order.
CREATE TYPE larder.attributes AS (
    ino        bigint,
    mode       int,
    uid        bigint,
    gid        bigint,
    nlink      int,
    rdev       bigint,
    size       bigint,
    allocated  bigint,
    atime_s    bigint,
    atime_ns   int,
    mtime_s    bigint,
    mtime_ns   int,
    ctime_s    bigint,
    ctime_ns   int,
    btime_s    bigint,
    btime_ns   int,
    version    bigint,
    generation bigint,
    parent     bigint,
    flags      int
);

CREATE FUNCTION larder.attributes_of(i larder.inode) RETURNS larder.attributes LANGUAGE sql IMMUTABLE AS $$
    SELECT ROW(i.ino, i.mode, i.uid, i.gid, i.nlink, i.rdev, i.size, i.allocated, i.atime_s, i.atime_ns,
               i.mtime_s, i.mtime_ns, i.ctime_s, i.ctime_ns, i.btime_s, i.btime_ns,
               i.version, i.generation, i.parent, i.flags)::larder.attributes
$$;

-- nlink 0: what purge looks at.
CREATE INDEX inode_unlinked ON larder.inode (ino) WHERE nlink = 0;

CREATE TABLE larder.dentry (
    parent bigint   NOT NULL,
    hash   bigint   NOT NULL,  -- 63 bits of SHA-256 of the name, made by the agent: the readdir cookie
    ino    bigint   NOT NULL,
    type   smallint NOT NULL,  -- DT_*
    name   bytea    NOT NULL,
    PRIMARY KEY (parent, hash, name)
);
-- From an inode to its names: paths, fsck. What it costs a create: docs/adr/0022.
CREATE INDEX dentry_ino ON larder.dentry (ino);

CREATE TABLE larder.extent (
    ino     bigint   NOT NULL,
    off     bigint   NOT NULL,
    len     bigint   NOT NULL CHECK (len > 0),
    skip    bigint   NOT NULL DEFAULT 0,  -- begins at this byte of its content
    content uuid,                         -- identity of the bytes; stays when they move
    segment uuid,                         -- the object that holds them
    kind    smallint NOT NULL,            -- 0 inline, 1 segment, 2 external, 3 archived, 4 unwritten
    key_id  smallint NOT NULL DEFAULT 0,  -- encryption key, 0 = none
    born    timestamptz,                  -- inline: when it was committed, for the packer
    frames  bytea,                        -- FrameTable of the content; null: unwritten, or inline and cut
    data    bytea,                        -- inline: the whole content, or with frames null just this extent's bytes
    PRIMARY KEY (ino, off)
);
-- A content of up to 8 KB stays in its row: no TOAST rows for a commit of 4 KiB.
ALTER TABLE larder.extent SET (toast_tuple_target = 8160);
ALTER TABLE larder.extent ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE larder.extent ALTER COLUMN frames SET STORAGE EXTERNAL;
CREATE INDEX extent_segment ON larder.extent (segment) WHERE segment IS NOT NULL;
CREATE INDEX extent_inline ON larder.extent (ino, off) WHERE kind = 0;

-- Key of the object: high half of the id (its session's) / low half.
CREATE TABLE larder.segment (
    id      uuid PRIMARY KEY,
    bytes   bigint NOT NULL,
    born    timestamptz NOT NULL DEFAULT now(),
    retired timestamptz,
    class   text NOT NULL DEFAULT ''
);
CREATE INDEX segment_retired ON larder.segment (retired) WHERE retired IS NOT NULL;

CREATE TABLE larder.xattr (
    ino   bigint NOT NULL,
    name  bytea  NOT NULL,
    value bytea  NOT NULL,
    PRIMARY KEY (ino, name)
);

CREATE TABLE larder.session (
    id      uuid PRIMARY KEY,
    epoch   bigint NOT NULL DEFAULT 1,  -- grows with every successor of a dead agent
    host    text NOT NULL,
    mount   text NOT NULL,
    lease   interval NOT NULL,
    began   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires timestamptz NOT NULL,       -- judged by this server's clock
    fenced  boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

-- The last mutation of each of a session's connections: replay record, fence and usage at once.
CREATE TABLE larder.session_slot (
    session uuid   NOT NULL,
    slot    int    NOT NULL,
    epoch   bigint NOT NULL,
    op      bigint NOT NULL DEFAULT 0,
    ino     bigint NOT NULL DEFAULT 0,  -- the result's inode
    bytes   bigint NOT NULL DEFAULT 0,  -- usage since the session began
    inodes  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (session, slot)
) WITH (fillfactor = 10);

CREATE TABLE larder.hold (
    session uuid   NOT NULL,
    ino     bigint NOT NULL,
    PRIMARY KEY (session, ino)
);
CREATE INDEX hold_ino ON larder.hold (ino);

CREATE TABLE larder.trash (
    ino     bigint PRIMARY KEY,
    parent  bigint NOT NULL,  -- where it was
    name    bytea  NOT NULL,
    deleted timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX trash_deleted ON larder.trash (deleted, ino);
CREATE INDEX trash_parent ON larder.trash (parent, name);

CREATE TABLE larder.lock (
    ino     bigint NOT NULL,
    session uuid   NOT NULL,
    owner   bigint NOT NULL,
    flock   boolean NOT NULL,
    first   bigint NOT NULL,
    last    bigint NOT NULL,
    type    smallint NOT NULL,  -- 0 read, 1 write
    pid     int    NOT NULL,
    PRIMARY KEY (ino, flock, session, owner, first)
);
CREATE INDEX lock_session ON larder.lock (session);

CREATE UNLOGGED TABLE larder.lock_wait (
    session uuid   NOT NULL,
    owner   bigint NOT NULL,
    ino     bigint NOT NULL,
    flock   boolean NOT NULL,
    first   bigint NOT NULL,
    last    bigint NOT NULL,
    type    smallint NOT NULL,
    until   timestamptz NOT NULL,
    PRIMARY KEY (session, owner, ino)
);
CREATE INDEX lock_wait_ino ON larder.lock_wait (ino);

-- Seen at nlink 0 and kept by nothing, since when by this server's clock.
CREATE TABLE larder.doomed (
    ino   bigint PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The feed: three tables used in turn by the minute, so that the oldest can be truncated; larder.note chooses, so no
-- row is routed to a partition.
CREATE UNLOGGED TABLE larder.change_0 (
    xid     xid8     NOT NULL,
    parent  bigint   NOT NULL,
    ino     bigint   NOT NULL,
    off     bigint   NOT NULL,
    len     bigint   NOT NULL,
    session uuid,
    kind    smallint NOT NULL,  -- ordinal of Metadata.Change.Kind
    name    bytea,
    bytes   bigint   NOT NULL DEFAULT 0,  -- how the inode's share of the usage changed, for the check
    inodes  smallint NOT NULL DEFAULT 0
);
CREATE INDEX change_0_xid ON larder.change_0 (xid);
CREATE UNLOGGED TABLE larder.change_1 (LIKE larder.change_0 INCLUDING DEFAULTS);
CREATE INDEX change_1_xid ON larder.change_1 (xid);
CREATE UNLOGGED TABLE larder.change_2 (LIKE larder.change_0 INCLUDING DEFAULTS);
CREATE INDEX change_2_xid ON larder.change_2 (xid);

-- How often a table of the feed was truncated, and what was visible at the last time.
CREATE UNLOGGED TABLE larder.feed_rotation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number   bigint NOT NULL,
    seen     pg_snapshot NOT NULL,
    at       timestamptz NOT NULL
);
