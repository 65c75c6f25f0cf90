/**
 * Serves a {@link dev.larder.volume.FileSystem} over a FUSE descriptor. In order of use: {@link
 * dev.larder.linux.fuse.FuseMount} mounts, {@link dev.larder.linux.fuse.FuseInit} negotiates (both in the process that
 * keeps the descriptor); in the process that serves, {@link dev.larder.agent.fuse.FuseKernel}, then the file system,
 * then {@link dev.larder.agent.fuse.FuseServer}.
 */
package dev.larder.agent.fuse;
