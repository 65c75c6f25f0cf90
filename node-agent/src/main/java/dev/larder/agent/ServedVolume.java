package dev.larder.agent;

import java.io.IOException;

/** What an agent's process serves, until it ends. */
interface ServedVolume extends AutoCloseable {
    /** @return true when it has ended as asked; false when it stopped for another reason */
    boolean awaitEnd();

    /** SIGTERM: ends it, in bounded time. */
    void terminate();

    @Override
    void close() throws IOException;
}
