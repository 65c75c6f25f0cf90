/**
 * How FUSE descriptors are kept alive between csi-node, which mounts, and the node's agents, which serve: each
 * {@link dev.larder.protocol.custody.CustodyMessage} is one datagram on a SEQPACKET socket, and a descriptor may travel
 * with it. A mount lives as long as one process holds a duplicate of its descriptor; a process ends only when another one
 * has said that it holds it too.
 */
package dev.larder.protocol.custody;
