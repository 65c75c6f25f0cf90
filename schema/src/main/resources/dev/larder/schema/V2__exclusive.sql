-- A session that keeps those of other hosts out: the lease of a node on a volume that one node at a time may use.
ALTER TABLE larder.session ADD COLUMN exclusive boolean NOT NULL DEFAULT false;
