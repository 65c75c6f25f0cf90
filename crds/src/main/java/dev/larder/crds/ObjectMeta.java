package dev.larder.crds;

/**
 * The part of Kubernetes' object metadata that Larder reads; labels and annotations are taken and left to Kubernetes.
 *
 * @param name a DNS label
 */
public record ObjectMeta(String name) {}
