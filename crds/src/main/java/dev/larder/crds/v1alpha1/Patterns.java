package dev.larder.crds.v1alpha1;

/** Regular expressions of the CRDs. */
final class Patterns {
    static final String DNS_LABEL = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
    static final String SECRET_NAME = "^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$";
    static final String UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

    static final String PEM = "^\\s*(#.*\\s+)*-----BEGIN CERTIFICATE-----";

    private Patterns() {}
}
