/**
 * Builds the OCI image from local files: a root directory is staged, AOT caches are trained in it, and the very same
 * files are packed. Nothing of this package is in the image.
 */
package dev.larder.image;
