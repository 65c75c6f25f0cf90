package dev.larder.agent;

import dev.larder.protocol.MountSpec;
import dev.larder.volume.engine.VolumeOptions;
import dev.larder.volume.engine.VolumeOptions.Behaviour;
import dev.larder.volume.engine.VolumeOptions.Consistency;
import dev.larder.volume.objects.SegmentOptions;
import java.util.UUID;

/** The engine's options, as a {@link MountSpec} says. */
final class VolumeSettings {
    private VolumeSettings() {}

    /**
     * @param resources shared with other volumes
     * @param continued the session of a dead predecessor, or null
     */
    static VolumeOptions of(MountSpec spec, AgentResources resources, UUID continued) {
        Behaviour plain = Behaviour.DEFAULT;
        return VolumeOptions.of(
                        spec.volumeId(),
                        Stores.metadata(spec, resources, continued),
                        () -> Stores.objects(spec, resources),
                        spec.cache().directory(),
                        spec.cache().capacityBytes())
                .with(SegmentOptions.DEFAULT
                        .withCodec("zstd".equals(spec.codec()) ? SegmentOptions.Codec.ZSTD : SegmentOptions.Codec.NONE)
                        .withDeadline(spec.patience().multipliedBy(2)))
                .with(resources.transferMemory())
                .with(new Behaviour(
                        "bounded".equals(spec.consistency()) ? Consistency.BOUNDED : Consistency.CLOSE_TO_OPEN,
                        "onClose".equals(spec.durability()),
                        spec.readOnly(),
                        plain.feedInterval(),
                        plain.kernelTimeout(),
                        plain.prefetchBytes(),
                        resources.idleAfter(),
                        plain.jobs()));
    }
}
