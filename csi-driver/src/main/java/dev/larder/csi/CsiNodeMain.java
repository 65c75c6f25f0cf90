package dev.larder.csi;

import dev.larder.csi.custody.KeptVolumes;

/** The command csi-node. */
public final class CsiNodeMain {
    private CsiNodeMain() {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    static int run(String... arguments) {
        return Service.run(
                "csi-node",
                arguments,
                new CsiNodeOptions(),
                options -> {
                    options.findApiServer(System.getenv());
                    options.check();
                },
                options -> CsiNode.start(options, KeptVolumes::collect));
    }
}
