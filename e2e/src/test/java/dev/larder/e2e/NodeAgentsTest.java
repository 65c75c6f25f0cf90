package dev.larder.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.larder.e2e.load.LoadProcess;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The descriptors of a node's mounts, handed between a keeper and agents: users of the mounts see pauses, no error. */
class NodeAgentsTest {
    private static final int ROLLOUTS = 20;

    /** What a Helm upgrade does that changes both DaemonSets: the agent surges, the keeper is replaced meanwhile. */
    @Test
    @Timeout(900)
    void bothAreReplacedAtOnceTwentyTimesUnderLoad() throws Exception {
        try (AgentNode node = AgentNode.create()) {
            node.mount("one");
            node.mount("two");
            AgentNode.Agent agent = node.startAgent("a0");
            node.awaitServed();
            try (LoadProcess load = LoadProcess.start(node.mountPoint("one").resolve("load"), node.home())) {
                load.awaitProgress(5);
                for (int rollout = 1; rollout <= ROLLOUTS; rollout++) {
                    AgentNode.Agent next = node.startAgent("a" + rollout);
                    if (rollout % 2 == 0) {
                        agent.terminate();
                        node.replaceKeeper();
                    } else {
                        node.replaceKeeper();
                        agent.terminate();
                    }
                    assertEquals(0, agent.awaitExit(Duration.ofMinutes(2)), () -> "its log: " + node.logs());
                    agent = next;
                    node.awaitServed();
                    load.awaitProgress(2);
                }
                assertUnharmed(load.finish(), node);
            }
            node.unmount("one");
            node.unmount("two");
        }
    }

    @Test
    @Timeout(300)
    void anAgentIsKilledWithAndWithoutAStandby() throws Exception {
        try (AgentNode node = AgentNode.create()) {
            node.mount("one");
            AgentNode.Agent agent = node.startAgent("a0");
            node.awaitServed();
            try (LoadProcess load = LoadProcess.start(node.mountPoint("one").resolve("load"), node.home())) {
                load.awaitProgress(5);
                for (int kill = 1; kill <= 4; kill++) {
                    AgentNode.Agent standby = kill % 2 == 0 ? node.startAgent("s" + kill) : null;
                    if (standby != null) {
                        node.awaitAgents(2);
                    }
                    agent.kill();
                    agent = standby != null ? standby : node.startAgent("n" + kill);
                    node.awaitServed();
                    load.awaitProgress(3);
                }
                assertUnharmed(load.finish(), node);
            }
            node.unmount("one");
        }
    }

    private static void assertUnharmed(JsonNode seen, AgentNode node) {
        System.out.println("load: " + seen);
        assertTrue(seen.path("wrong").isNull(), () -> seen + "\n" + node.logs());
        assertEquals(0, seen.path("errors").asLong(), () -> seen + "\n" + node.logs());
    }
}
