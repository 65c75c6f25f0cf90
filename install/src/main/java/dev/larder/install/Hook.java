package dev.larder.install;

/** What all hooks' main methods do with what goes wrong. */
final class Hook {
    /** One hook's work. */
    interface Work {
        void run(ApiServer api);
    }

    private Hook() {}

    /** Does it against the pod's own API server; ends the process with 1 when it fails. */
    static void main(Work work) {
        try (ApiServer api = ApiServer.ofPod(System.getenv())) {
            work.run(api);
        } catch (InstallException | ApiServer.Refusal e) {
            System.err.println("larder: " + e.getMessage());
            System.exit(1);
        }
    }
}
