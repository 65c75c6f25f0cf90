/**
 * Every native call of Larder, through the foreign function API, and nothing else. Failures are {@link
 * dev.larder.linux.LinuxException} with the call's name and errno. A blocking call holds its carrier: do not wait for
 * long on a virtual thread.
 */
package dev.larder.linux;
