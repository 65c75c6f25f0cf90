/** CSI's Controller service: a claim becomes a SharedVolume, which the operator carries out. */
package dev.larder.csi.controller;
