/**
 * The mounts of a node's volumes: made here, served by agents, kept by both
 * ({@link dev.larder.protocol.custody.Keeper}).
 */
package dev.larder.csi.custody;
