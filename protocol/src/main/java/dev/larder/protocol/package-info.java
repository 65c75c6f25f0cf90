/**
 * What Larder's processes say to each other. What a mount is to be ({@link dev.larder.protocol.MountSpec}) and the files
 * beside it ({@link dev.larder.protocol.MountDirectory}); requests to an agent, one JSON object per line on a Unix socket
 * ({@link dev.larder.protocol.ControlProtocol}); what a node must know of a volume
 * ({@link dev.larder.protocol.VolumeAccess}). Nothing here knows the engine.
 */
package dev.larder.protocol;
