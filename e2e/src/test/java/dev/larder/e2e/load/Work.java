package dev.larder.e2e.load;

import java.io.IOException;

/** One thing that a program does to a file system, over and over, knowing what it must find. */
interface Work extends AutoCloseable {
    /** Once more. @throws IOException what the file system said; the work goes on after it */
    void once() throws IOException;

    /** At the end: everything that was written is there. @throws AssertionError what is not */
    default void verify() throws IOException {}

    /** To begin again with, after an error. */
    @Override
    default void close() throws IOException {}
}
