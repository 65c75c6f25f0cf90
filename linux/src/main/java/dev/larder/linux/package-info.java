/** Every native call. */
package dev.larder.linux;
