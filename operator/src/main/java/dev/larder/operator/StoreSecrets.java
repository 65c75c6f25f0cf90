package dev.larder.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The Secrets that stores of one kind name: a change of one calls for a look at the stores that name it. */
final class StoreSecrets<S extends HasMetadata> {
    private final InformerEventSource<Secret, S> secrets;
    private final String namespace;

    /** @param named the name of the Secret that a store names, or null */
    StoreSecrets(String namespace, Class<S> kind, EventSourceContext<S> context, Function<S, String> named) {
        this.namespace = namespace;
        this.secrets = new InformerEventSource<>(
                InformerEventSourceConfiguration.from(Secret.class, kind)
                        .withNamespaces(namespace)
                        .withLabelSelector("!" + dev.larder.crds.v1alpha1.Group.VOLUME_ID)
                        .withSecondaryToPrimaryMapper(secret -> context.getPrimaryCache()
                                .list(store -> secret.getMetadata().getName().equals(named.apply(store)))
                                .map(ResourceID::fromResource)
                                .collect(Collectors.toSet()))
                        .build(),
                context);
    }

    InformerEventSource<Secret, S> source() {
        return secrets;
    }

    /** @param who names it */
    Secret require(String name, String who) {
        return secrets.get(new ResourceID(name, namespace))
                .orElseThrow(() -> new Problem(
                        Problem.Cause.SecretNotFound,
                        "Secret " + namespace + "/" + name + ", which " + who + " names, does not exist; kubectl -n "
                                + namespace + " create secret generic " + name));
    }
}
