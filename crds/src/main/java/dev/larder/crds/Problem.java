package dev.larder.crds;

/** @param line from 1 */
public record Problem(int line, String reason) {}
