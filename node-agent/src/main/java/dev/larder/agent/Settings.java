package dev.larder.agent;

import dev.larder.protocol.Answers.Setting;
import dev.larder.protocol.MountSpec;
import java.util.List;

/** What a mount was told, for people; no secret is in it. */
final class Settings {
    private Settings() {}

    static List<Setting> of(MountSpec spec) {
        return List.of(
                new Setting("volume", spec.volume(), "name in its manifest"),
                new Setting("volumeId", spec.volumeId().toString(), "identity, also in its database and store"),
                new Setting("mountPoint", String.valueOf(spec.mountPoint()), "where it is mounted"),
                new Setting("metadata", AdminRequests.metadata(spec), "database of names and attributes"),
                new Setting("metadataUser", spec.database().user(), "login; its password is in a file"),
                new Setting("objectStore", AdminRequests.objectStore(spec), "where the bytes are"),
                new Setting("cacheDirectory", spec.cache().directory().toString(), "this node's cache"),
                new Setting("cacheCapacityBytes", Long.toString(spec.cache().capacityBytes()), "at most"),
                new Setting("codec", spec.codec(), "compression of new segments"),
                new Setting("consistency", spec.consistency(), "what an open sees"),
                new Setting("durability", spec.durability(), "when data is durable"),
                new Setting("readOnly", Boolean.toString(spec.readOnly()), "nothing is written"),
                new Setting(
                        "patienceSeconds",
                        Long.toString(spec.patience().toSeconds()),
                        "operations wait so long for a silent database or store"));
    }
}
