package dev.larder.csi.controller;

import java.util.List;

/**
 * A SharedVolume that a claim asks for.
 *
 * @param accessModes as Kubernetes calls them
 */
record WantedVolume(ClaimNames names, VolumeSettings settings, List<String> accessModes, long capacityBytes) {}
