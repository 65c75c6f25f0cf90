package dev.larder.protocol.custody;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.larder.linux.Descriptor;
import dev.larder.linux.LinuxFile;
import dev.larder.protocol.custody.CustodyMessage.Refusal;
import dev.larder.protocol.custody.Keeper.Answer;
import dev.larder.protocol.custody.Keeper.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keepers and agents over real sockets with real descriptors; what they serve is a fake. */
class KeeperTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(600);
    private static final UUID VOLUME = new UUID(4, 2);

    @TempDir
    private Path directory;

    private final FakeAgent.Node node = new FakeAgent.Node();
    private final List<AutoCloseable> processes = new ArrayList<>();
    private Path socket;

    @BeforeEach
    void choosePlace() {
        socket = directory.resolve("custody.sock");
    }

    @AfterEach
    void endAll() throws Exception {
        for (AutoCloseable process : processes.reversed()) {
            process.close();
        }
    }

    private Keeper keeper(UUID... expected) {
        Keeper keeper = new Keeper(socket);
        processes.add(keeper);
        assertEquals(Set.of(), keeper.collect(Set.of(expected), PATIENCE));
        return keeper;
    }

    private FakeAgent agent(String name) {
        FakeAgent agent = new FakeAgent(socket, name, node);
        processes.add(agent);
        eventually(agent.link::isConnected, name + " is connected");
        return agent;
    }

    private void keep(Keeper keeper, UUID volume) {
        keeper.keep(volume, LinuxFile.memory("mount"), new byte[] {1, 2});
    }

    private static void eventually(BooleanSupplier state, String what) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!state.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "in time: " + what);
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static long inode(Descriptor descriptor) {
        return LinuxFile.stat(descriptor.number()).inode();
    }

    @Test
    void anAgentServesWhatIsKept() {
        Keeper keeper = keeper();
        FakeAgent agent = agent("a");
        keep(keeper, VOLUME);
        assertEquals(new Answer(Outcome.SERVED, null, null), keeper.awaitServed(VOLUME, PATIENCE));
        assertTrue(agent.serves(VOLUME));
        assertArrayEquals(new byte[] {1, 2}, agent.holdings().getFirst().negotiated());
        assertNull(keeper.drop(VOLUME, PATIENCE));
        assertEquals(Set.of(), agent.held());
        assertEquals(Outcome.UNKNOWN, keeper.awaitServed(VOLUME, SHORT).outcome());
    }

    @Test
    void withoutAnAgentTheAnswerSaysSo() {
        Keeper keeper = keeper();
        keep(keeper, VOLUME);
        assertEquals(Outcome.NO_AGENT, keeper.awaitServed(VOLUME, SHORT).outcome());
        assertEquals(Set.of(VOLUME), keeper.health().unserved().keySet());
        assertNull(keeper.drop(VOLUME, PATIENCE));
    }

    @Test
    void aRefusalIsToldAndTriedAgain() {
        Keeper keeper = keeper();
        agent("a");
        node.refused.add(VOLUME);
        keep(keeper, VOLUME);
        assertEquals(
                new Answer(Outcome.REFUSED, Refusal.OTHER, "the database does not answer"),
                keeper.awaitServed(VOLUME, PATIENCE));
        node.heldElsewhere.add(VOLUME);
        node.refused.clear();
        eventually(
                () -> keeper.awaitServed(VOLUME, PATIENCE)
                        .equals(new Answer(Outcome.REFUSED, Refusal.HELD_ELSEWHERE, "node n1 has it")),
                "another node has it");
        node.heldElsewhere.clear();
        eventually(() -> keeper.health().served() == 1, "served after all");
    }

    @Test
    void aRefusalOfALaterVersionIsARefusal() throws IOException {
        CustodyMessage later = CustodyMessage.decode(
                "{\"kind\":\"REFUSED\",\"refusal\":\"IN_THE_MOON\",\"text\":\"why\"}".getBytes(StandardCharsets.UTF_8));
        assertEquals(CustodyMessage.refused(null, Refusal.OTHER, "why"), later);
    }

    @Test
    void theNextAgentServesWhenOneDies() {
        Keeper keeper = keeper();
        FakeAgent first = agent("a");
        keep(keeper, VOLUME);
        keeper.awaitServed(VOLUME, PATIENCE);
        FakeAgent second = agent("b");
        eventually(() -> second.held().contains(VOLUME), "the second holds it too");
        assertFalse(second.serves(VOLUME));
        first.close();
        eventually(() -> second.serves(VOLUME), "the second serves");
    }

    @Test
    void anAgentThatYieldsServesUntilItHasASuccessor() throws InterruptedException {
        Keeper keeper = keeper();
        FakeAgent first = agent("a");
        keep(keeper, VOLUME);
        keeper.awaitServed(VOLUME, PATIENCE);
        first.link.yieldUp();
        assertFalse(first.relieved.await(SHORT.toMillis(), TimeUnit.MILLISECONDS), "there is nobody else");
        assertTrue(first.serves(VOLUME));
        FakeAgent second = agent("b");
        assertTrue(first.relieved.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
        eventually(() -> second.serves(VOLUME), "the second serves");
        keep(keeper, new UUID(1, 1));
        assertEquals(
                Outcome.SERVED, keeper.awaitServed(new UUID(1, 1), PATIENCE).outcome());
        assertTrue(second.serves(new UUID(1, 1)));
    }

    @Test
    void aNewKeeperCollectsWhatAgentsHold() throws Exception {
        Keeper keeper = keeper();
        FakeAgent agent = agent("a");
        FakeAgent standby = agent("b");
        keep(keeper, VOLUME);
        keeper.awaitServed(VOLUME, PATIENCE);
        eventually(() -> standby.held().contains(VOLUME), "the standby holds it");
        FakeAgent server = agent.serves(VOLUME) ? agent : standby;
        keeper.close();
        processes.remove(keeper);
        Keeper next = keeper(VOLUME);
        assertEquals(Set.of(VOLUME), next.mounts());
        assertEquals(Outcome.SERVED, next.awaitServed(VOLUME, PATIENCE).outcome());
        assertTrue(server.serves(VOLUME), "it stays where it was");
        FakeAgent third = agent("c");
        eventually(() -> third.held().contains(VOLUME), "handed out again");
        assertEquals(inode(agent.descriptor(VOLUME)), inode(third.descriptor(VOLUME)), "the same mount");
    }

    @Test
    void aMountThatNobodyHoldsAnyMoreIsDead() {
        Keeper keeper = new Keeper(socket);
        processes.add(keeper);
        assertEquals(Set.of(VOLUME), keeper.collect(Set.of(VOLUME), SHORT));
    }

    @Test
    void aKeeperThatEndsWaitsForAnAgentThatStays() throws Exception {
        Keeper keeper = keeper();
        FakeAgent first = agent("a");
        keep(keeper, VOLUME);
        keeper.awaitServed(VOLUME, PATIENCE);
        first.link.yieldUp();
        eventually(() -> keeper.health().staying() == 0, "the keeper knows");
        assertFalse(keeper.awaitRelieved(SHORT), "the only agent ends too");
        CompletableFuture<Boolean> relieved = CompletableFuture.supplyAsync(() -> keeper.awaitRelieved(PATIENCE));
        FakeAgent second = agent("b");
        assertTrue(relieved.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        assertTrue(first.relieved.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
        eventually(() -> second.serves(VOLUME), "the second serves");
    }

    /** Agents and keepers come, yield and die in any order, but never all holders at once: nothing is ever lost. */
    @Test
    void whateverIsReplacedEveryMountIsServedInTheEnd() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Set<UUID> volumes = Set.of(new UUID(1, 1), new UUID(1, 2), new UUID(1, 3));
        Keeper keeper = keeper();
        FakeAgent agent = agent("a0");
        volumes.forEach(volume -> keep(keeper, volume));
        Keeper current = keeper;
        for (int round = 1; round <= 20; round++) {
            for (UUID volume : volumes) {
                assertEquals(
                        Outcome.SERVED, current.awaitServed(volume, PATIENCE).outcome(), "seed " + seed);
            }
            boolean newKeeper = random.nextBoolean();
            boolean newAgent = !newKeeper || random.nextBoolean();
            FakeAgent standby = newAgent && random.nextBoolean() ? agent("s" + round) : null;
            if (newAgent) {
                agent.link.yieldUp();
            }
            if (newKeeper) {
                // As for a rollout: the old keeper stays until an agent that stays has everything.
                Keeper old = current;
                FakeAgent next = newAgent && standby == null ? agent("k" + round) : standby;
                assertTrue(old.awaitRelieved(PATIENCE), "seed " + seed);
                old.close();
                processes.remove(old);
                standby = next;
                current = new Keeper(socket);
                processes.add(current);
                assertEquals(Set.of(), current.collect(volumes, PATIENCE), "seed " + seed);
            }
            if (newAgent) {
                FakeAgent next = standby == null ? agent("n" + round) : standby;
                assertTrue(agent.relieved.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "seed " + seed);
                agent.close();
                processes.remove(agent);
                agent = next;
            }
        }
        for (UUID volume : volumes) {
            assertEquals(Outcome.SERVED, current.awaitServed(volume, PATIENCE).outcome(), "seed " + seed);
            assertTrue(agent.serves(volume), "seed " + seed);
        }
    }
}
