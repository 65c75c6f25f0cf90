/**
 * What csi-node tells the cluster of its node: the status of its NodeCache, its share of CacheWarmups, the taint of a node
 * without an agent, and events. The client is a thin one of its own, for csi-node has little memory.
 */
package dev.larder.csi.cluster;
