/** The CSI services of a node: what kubelet asks, carried out with binds of each volume's one mount. */
package dev.larder.csi;
