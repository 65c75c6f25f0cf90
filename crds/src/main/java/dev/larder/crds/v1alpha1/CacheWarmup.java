package dev.larder.crds.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Version;

/** Asks nodes to fetch files of a SharedVolume into their caches. Each node's CSI plugin writes its own progress. */
@io.fabric8.kubernetes.model.annotation.Group(Group.NAME)
@Version(Group.VERSION)
@Plural("cachewarmups")
@ValidationRule(value = "self.spec == oldSelf.spec", message = "spec cannot be changed; make another CacheWarmup")
@AdditionalPrinterColumn(name = "Volume", jsonPath = ".spec.volume", type = AdditionalPrinterColumn.Type.STRING)
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
public class CacheWarmup extends CustomResource<CacheWarmupSpec, CacheWarmupStatus> implements Namespaced {
    private static final long serialVersionUID = 1L;
}
