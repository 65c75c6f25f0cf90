package dev.larder.csi.controller;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Predicate;

/** SharedVolumes in memory, with an operator that does at once what is asked for, or nothing. */
final class ListedVolumes implements SharedVolumes {
    final ConcurrentSkipListMap<String, VolumeObject> objects = new ConcurrentSkipListMap<>();
    volatile WantedVolume lastWanted;

    /** Null = the operator works. */
    volatile String problem;

    private static String key(String namespace, String name) {
        return namespace + "/" + name;
    }

    VolumeObject put(String namespace, String name, String csiName, VolumeSettings settings, long bytes) {
        boolean works = problem == null;
        VolumeObject made = new VolumeObject(
                namespace,
                name,
                UUID.randomUUID().toString(),
                csiName,
                settings,
                bytes,
                works ? UUID.randomUUID() : null,
                works ? bytes : 0,
                works,
                false,
                problem);
        objects.put(made.fullName(), made);
        return made;
    }

    /** The operator goes on after it was held up. */
    void work() {
        problem = null;
        objects.replaceAll((_, old) -> new VolumeObject(
                old.namespace(),
                old.name(),
                old.uid(),
                old.csiName(),
                old.settings(),
                old.capacityBytes(),
                old.volume() == null ? UUID.randomUUID() : old.volume(),
                old.capacityBytes(),
                true,
                old.deleting(),
                null));
        objects.values().removeIf(VolumeObject::deleting);
    }

    @Override
    public VolumeObject find(String namespace, String name) {
        return objects.get(key(namespace, name));
    }

    @Override
    public VolumeObject find(UUID volume) {
        return objects.values().stream()
                .filter(object -> volume.equals(object.volume()))
                .findFirst()
                .orElse(null);
    }

    @Override
    public List<VolumeObject> list() {
        Collection<VolumeObject> all = objects.values();
        return all.stream().filter(object -> Objects.nonNull(object.volume())).toList();
    }

    @Override
    public VolumeObject create(WantedVolume wanted) {
        lastWanted = wanted;
        ClaimNames names = wanted.names();
        VolumeObject there = find(names.namespace(), names.name());
        return there != null
                ? there
                : put(names.namespace(), names.name(), names.csiName(), wanted.settings(), wanted.capacityBytes());
    }

    @Override
    public void grow(VolumeObject volume, long capacityBytes) {
        objects.put(
                volume.fullName(),
                new VolumeObject(
                        volume.namespace(),
                        volume.name(),
                        volume.uid(),
                        volume.csiName(),
                        volume.settings(),
                        capacityBytes,
                        volume.volume(),
                        problem == null ? capacityBytes : volume.servedBytes(),
                        true,
                        false,
                        problem));
    }

    @Override
    public void delete(VolumeObject volume) {
        if (problem == null) {
            objects.remove(volume.fullName());
            return;
        }
        objects.put(
                volume.fullName(),
                new VolumeObject(
                        volume.namespace(),
                        volume.name(),
                        volume.uid(),
                        volume.csiName(),
                        volume.settings(),
                        volume.capacityBytes(),
                        volume.volume(),
                        volume.servedBytes(),
                        true,
                        true,
                        problem));
    }

    /** Nothing changes while somebody waits: the state holds or the time is over. */
    @Override
    public VolumeObject await(String namespace, String name, Predicate<VolumeObject> state, Duration patience) {
        return find(namespace, name);
    }
}
