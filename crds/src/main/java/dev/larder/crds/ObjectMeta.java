package dev.larder.crds;

/** The part of Kubernetes' object metadata that Larder reads; labels and annotations are taken and left to Kubernetes. */
public record ObjectMeta(
        @Described("A DNS label: at most 63 of a-z, 0-9 and -.")
        String name) {}
