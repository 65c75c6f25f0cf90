package dev.larder.agent;

import dev.larder.agent.fuse.FuseServer;
import dev.larder.volume.engine.VolumeOptions;
import dev.larder.volume.metadata.ConnectionBudget;
import dev.larder.volume.metadata.MetadataOptions;
import dev.larder.volume.objects.MemoryBudget;
import java.time.Duration;

/**
 * What the volumes of a process share, and what each of them may take.
 *
 * @param host the node's name
 * @param connections to databases, of all volumes together
 * @param connectionsPerVolume most of one volume to its database
 * @param transferMemory of objects on their way, of all volumes together
 * @param idleAfter without use a volume rests; 0 = never
 * @param fuse of each volume's server
 */
record AgentResources(
        String host,
        ConnectionBudget connections,
        int connectionsPerVolume,
        MemoryBudget transferMemory,
        Duration idleAfter,
        FuseServer.Options fuse) {

    /** Of a process with one volume. */
    static AgentResources ofOneVolume() {
        return new AgentResources(
                Stores.hostName(),
                ConnectionBudget.UNLIMITED,
                MetadataOptions.DEFAULT_CONNECTIONS,
                new MemoryBudget(VolumeOptions.DEFAULT_TRANSFER_MEMORY_BYTES),
                Duration.ZERO,
                FuseServer.Options.DEFAULT);
    }
}
