/** The {@code larder} command: mounts and administers volumes on one machine. */
package dev.larder.cli;
