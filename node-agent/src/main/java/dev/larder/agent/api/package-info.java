/**
 * The boundary between the {@code larder} command and the agent that serves a mount: what a mount is to be
 * ({@link dev.larder.agent.api.MountSpec}), and one JSON object per line in both directions on a Unix socket
 * ({@link dev.larder.agent.api.ControlProtocol}). Nothing here knows the engine.
 */
package dev.larder.agent.api;
