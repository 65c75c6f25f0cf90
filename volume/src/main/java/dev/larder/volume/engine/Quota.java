package dev.larder.volume.engine;

/** The volume's limits as this session knows them. */
interface Quota {
    /**
     * Refuses growth beyond the volume's quota; what is granted counts until the next heartbeat replaces the sum.
     *
     * @throws dev.larder.volume.ErrnoException EDQUOT
     */
    void grow(long bytes, long inodes);

    /** Gives back growth that did not happen, or what was freed. */
    void shrink(long bytes, long inodes);
}
