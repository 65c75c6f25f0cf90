package dev.larder.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells what happened to a resource, where {@code kubectl describe} shows it. Only changes are told, each once. */
final class Events {
    private static final Logger LOG = LoggerFactory.getLogger(Events.class);
    private static final DateTimeFormatter MICROSECONDS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'");
    private static final int MOST_CHARACTERS = 1024;
    private static final String CONTROLLER = "larder.dev/operator";

    private final KubernetesClient client;
    private final String instance;
    private final Clock clock;
    private final AtomicLong sequence = new AtomicLong();

    /** @param instance the pod */
    Events(KubernetesClient client, String instance, Clock clock) {
        this.client = client;
        this.instance = instance;
        this.clock = clock;
    }

    void normal(HasMetadata regarding, String reason, String note) {
        tell(regarding, "Normal", reason, note);
    }

    void warning(HasMetadata regarding, String reason, String note) {
        tell(regarding, "Warning", reason, note);
    }

    /** An event that cannot be told holds nothing up: the condition says the same. */
    private void tell(HasMetadata regarding, String type, String reason, String note) {
        var metadata = regarding.getMetadata();
        String namespace = metadata.getNamespace() == null ? "default" : metadata.getNamespace();
        String time = MICROSECONDS.format(clock.instant().atOffset(ZoneOffset.UTC));
        String unique = Long.toHexString(clock.millis()) + Long.toHexString(sequence.incrementAndGet());
        try {
            client.resource(new EventBuilder()
                            .withNewMetadata()
                            .withName(metadata.getName() + "." + unique)
                            .withNamespace(namespace)
                            .endMetadata()
                            .withRegarding(new ObjectReferenceBuilder()
                                    .withApiVersion(regarding.getApiVersion())
                                    .withKind(regarding.getKind())
                                    .withNamespace(metadata.getNamespace())
                                    .withName(metadata.getName())
                                    .withUid(metadata.getUid())
                                    .withResourceVersion(metadata.getResourceVersion())
                                    .build())
                            .withEventTime(new MicroTime(time))
                            .withType(type)
                            .withReason(reason)
                            .withAction("Reconcile")
                            .withNote(note.length() > MOST_CHARACTERS ? note.substring(0, MOST_CHARACTERS) : note)
                            .withReportingController(CONTROLLER)
                            .withReportingInstance(instance)
                            .build())
                    .create();
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                LOG.warn("event not told resource={} reason={} cause={}", metadata.getName(), reason, e.getMessage());
            }
        }
    }
}
