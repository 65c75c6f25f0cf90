package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.protocol.custody.CustodyMessage.Refusal;
import dev.larder.protocol.custody.Keeper;
import dev.larder.protocol.custody.Keeper.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A volume that one node at a time may use, and two nodes that want it. */
class NodeLeaseTest {
    private static final String NAME = "alone";
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @Test
    @Timeout(300)
    void theSecondNodeGetsTheVolumeWhenTheFirstHasEnded() throws Exception {
        try (AgentNode first = AgentNode.create();
                AgentNode second = AgentNode.create()) {
            AgentNode.Volume volume = first.make(NAME);
            first.mount(NAME, volume, true);
            AgentNode.Agent agent = first.startAgent("n1");
            first.awaitServed();
            Files.writeString(first.mountPoint(NAME).resolve("f"), "first");
            second.startAgent("n2");
            second.mount(NAME, volume, true);
            assertHeldBy("n1", second);
            AgentNode.Agent successor = first.startAgent("n1");
            first.awaitAgents(2);
            agent.terminate();
            assertEquals(0, agent.awaitExit(Duration.ofMinutes(2)), first::logs);
            first.awaitServed();
            Files.writeString(first.mountPoint(NAME).resolve("f"), "second");
            assertHeldBy("n1", second);
            assertTrue(successor.process().isAlive());
            first.unmount(NAME);
            awaitServed(second);
            assertEquals("second", Files.readString(second.mountPoint(NAME).resolve("f")));
            second.unmount(NAME);
        }
    }

    @Test
    @Timeout(300)
    void aNodeThatIsLostLosesTheVolumeAndCannotWrite() throws Exception {
        try (AgentNode first = AgentNode.create();
                AgentNode second = AgentNode.create()) {
            AgentNode.Volume volume = first.make(NAME);
            first.mount(NAME, volume, true);
            AgentNode.Agent lost = first.startAgent("n1");
            first.awaitServed();
            Path there = first.mountPoint(NAME).resolve("f");
            Files.writeString(there, "before");
            second.startAgent("n2");
            second.mount(NAME, volume, true);
            assertHeldBy("n1", second);
            lost.pause();
            try {
                letLeasesEnd(first, volume);
                awaitServed(second);
                Path here = second.mountPoint(NAME).resolve("f");
                assertEquals("before", Files.readString(here));
                Files.writeString(here, "after");
            } finally {
                lost.resume();
            }
            assertThrows(IOException.class, () -> Files.writeString(there, "late"));
            assertThrows(IOException.class, () -> Files.createDirectory(there.resolveSibling("d")));
            assertEquals("after", Files.readString(second.mountPoint(NAME).resolve("f")));
            second.unmount(NAME);
            awaitWritable(there);
            assertEquals("late", Files.readString(there));
            first.unmount(NAME);
        }
    }

    private static void assertHeldBy(String host, AgentNode node) {
        Keeper.Answer answer = node.awaitAnswer(NAME);
        assertEquals(Outcome.REFUSED, answer.outcome(), node::logs);
        assertEquals(Refusal.HELD_ELSEWHERE, answer.refusal(), answer::text);
        assertTrue(answer.text().startsWith("node " + host + " has the volume to itself since 20"), answer.text());
    }

    /** An agent is asked again and again. */
    private static void awaitServed(AgentNode node) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        Keeper.Answer answer = node.awaitAnswer(NAME);
        while (answer.outcome() != Outcome.SERVED) {
            assertTrue(System.nanoTime() < end, answer + "\n" + node.logs());
            answer = node.awaitAnswer(NAME);
        }
    }

    /** As the database sees it after the lease, when it has run for as long. */
    private static void letLeasesEnd(AgentNode node, AgentNode.Volume volume) throws SQLException {
        try (Connection database = node.superuser(volume);
                Statement statement = database.createStatement()) {
            statement.execute("UPDATE larder.incarnation SET began = now() - interval '1 hour'");
            statement.execute("UPDATE larder.session SET expires = now() - interval '1 s'");
        }
    }

    private static void awaitWritable(Path file) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                Files.writeString(file, "late");
                return;
            } catch (IOException e) {
                assertTrue(System.nanoTime() < end, e.toString());
                TimeUnit.MILLISECONDS.sleep(100);
            }
        }
    }
}
