/**
 * The FUSE wire: opcodes, flags and the structs of linux/fuse.h, protocol 7.45, as offsets into off-heap memory. The
 * kernel and the server run on one machine, so everything is in native byte order (little endian on x86-64 and arm64).
 */
package dev.larder.linux.fuse;
