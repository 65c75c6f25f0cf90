package dev.larder.crds.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.Version;

/** Where volumes' bytes are; the operator writes its status. */
@io.fabric8.kubernetes.model.annotation.Group(Group.NAME)
@Version(Group.VERSION)
@Plural("objectstores")
@ValidationRule(
        value = "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
        message = "metadata.name must be a DNS label: at most 63 of a-z, 0-9 and -")
@AdditionalPrinterColumn(
        name = "Ready",
        jsonPath = ".status.conditions[?(@.type==\"Ready\")].status",
        type = AdditionalPrinterColumn.Type.STRING)
@AdditionalPrinterColumn(
        name = "Default",
        jsonPath = ".metadata.annotations.larder\\.dev/is-default",
        type = AdditionalPrinterColumn.Type.STRING)
@AdditionalPrinterColumn(name = "Bucket", jsonPath = ".spec.s3.bucket", type = AdditionalPrinterColumn.Type.STRING)
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
public class ObjectStore extends CustomResource<ObjectStoreSpec, ObjectStoreStatus> {
    private static final long serialVersionUID = 1L;
}
