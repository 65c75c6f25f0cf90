package dev.larder.csi.cluster;

import dev.larder.csi.NodeEvents;
import dev.larder.csi.PodReference;
import dev.larder.csi.PublishedPods;
import dev.larder.csi.VolumeEvent;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Events on the SharedVolume and on the pods of this node that use it; each note ends in the command to run next. Any thread
 * tells, one thread calls {@link #take}.
 */
final class ClusterEvents implements NodeEvents {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterEvents.class);
    private static final int MOST_WAITING = 64;

    /** Of one happening; the SharedVolume's event tells of all. */
    private static final int MOST_PODS = 10;

    private static final int MAX_NAME = 200;
    private static final Duration POLL = Duration.ofSeconds(2);

    private record Told(VolumeEvent event, UUID volume, String name, PodReference pod, String what) {}

    private record Note(VolumeEvent event, Regarding regarding, String text, String name) {}

    private final String node;
    private final PublishedPods pods;
    private final EventSender sender;
    private final MeterRegistry meters;
    private final BlockingQueue<Told> queue = new ArrayBlockingQueue<>(MOST_WAITING);
    private final AtomicLong number = new AtomicLong(System.currentTimeMillis() << 8);
    /** Of the one that is being told. */
    private final Deque<Note> notes = new ArrayDeque<>();

    ClusterEvents(String node, PublishedPods pods, EventSender sender, MeterRegistry meters) {
        this.node = node;
        this.pods = pods;
        this.sender = sender;
        this.meters = meters;
    }

    @Override
    public void tell(VolumeEvent event, UUID volume, String name, PodReference pod, String what) {
        if (!queue.offer(new Told(event, volume, name, pod, what))) {
            LOG.warn("too many events wait: not told reason={} volume={}", event.reason(), volume);
            meters.counter("larder.csi.events", "result", "dropped").increment();
        }
    }

    /** Waits a little for the next one and sends it; one that could not be sent is tried again. */
    void take() throws ApiException, InterruptedException {
        if (notes.isEmpty()) {
            Told told = queue.poll(POLL.toMillis(), TimeUnit.MILLISECONDS);
            if (told != null) {
                notes.addAll(notes(told));
            }
        }
        while (!notes.isEmpty()) {
            Note note = notes.peek();
            sender.send(note.event, note.regarding, note.text, note.name);
            notes.remove();
        }
        sender.tellCounts();
    }

    private List<Note> notes(Told told) {
        List<Regarding> about = new ArrayList<>();
        if (told.name != null && told.name.contains("/")) {
            about.add(Regarding.sharedVolume(told.name));
        }
        if (told.pod != null) {
            about.add(Regarding.of(told.pod));
        } else {
            pods.of(told.volume).stream().limit(MOST_PODS).map(Regarding::of).forEach(about::add);
        }
        return about.stream().map(regarding -> note(told, regarding)).toList();
    }

    private Note note(Told told, Regarding regarding) {
        String volume = told.name == null ? told.volume.toString() : told.name;
        String text = "volume " + volume + " on node " + node + ": " + told.what + "; next: " + next(told, regarding);
        String name = regarding.name().substring(0, Math.min(regarding.name().length(), MAX_NAME)) + "."
                + Long.toHexString(number.incrementAndGet());
        return new Note(told.event, regarding, text, name);
    }

    private String next(Told told, Regarding regarding) {
        String name = regarding.name() + " -n " + regarding.namespace();
        return switch (told.event) {
            case MOUNT_ABORTED ->
                "kubectl get pods -A -l app.kubernetes.io/component=node-agent --field-selector spec.nodeName=" + node;
            case MOUNT_REVIVED ->
                regarding.isPod()
                        ? "kubectl logs " + name
                        : "kubectl get pods -n " + regarding.namespace() + " --field-selector spec.nodeName=" + node;
            case FS_GROUP_KEPT ->
                regarding.isPod()
                        ? "kubectl exec " + name + " -- ls -ldn MOUNTPATH"
                        : "kubectl get pods -n " + regarding.namespace() + " --field-selector spec.nodeName=" + node;
            case SECRET_NOT_ADOPTED ->
                regarding.isPod()
                        ? "kubectl describe sharedvolumes -n " + regarding.namespace()
                        : "kubectl describe sharedvolume " + name;
        };
    }
}
