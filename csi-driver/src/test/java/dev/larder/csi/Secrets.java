package dev.larder.csi;

import java.util.UUID;

/** Secrets as the operator writes them. */
final class Secrets {
    private Secrets() {}

    static String json(UUID volume, long generation) {
        return """
                {"version":1,"generation":%d,"volume":"team/data","volumeId":"%s",
                 "jdbcUrl":"jdbc:postgresql://db/larder?sslrootcert={directory}/database-ca.pem","user":"larder_a",
                 "objectStore":{"postgres":{}},"codec":"zstd","consistency":"closeToOpen","durability":"onFsync",
                 "patienceSeconds":120,"cacheBytes":0}""".formatted(generation, volume);
    }
}
