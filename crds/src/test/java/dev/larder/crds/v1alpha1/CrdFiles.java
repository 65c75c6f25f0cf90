package dev.larder.crds.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes the CRDs from the types: fabric8's generator, and what it cannot say. */
final class CrdFiles {
    static final List<Class<? extends HasMetadata>> KINDS =
            List.of(SharedVolume.class, MetadataStore.class, ObjectStore.class, NodeCache.class, CacheWarmup.class);

    private CrdFiles() {}

    /** Writes PLURAL.larder.dev-v1.yml for each kind. */
    static void write(Path directory) {
        new CRDGenerator()
                .customResourceClasses(KINDS)
                .forCRDVersions("v1")
                .withMinQuotes(true)
                .withPostProcessor(new CRDPostProcessor() {
                    @Override
                    public HasMetadata process(HasMetadata crd, String version) {
                        return completed((CustomResourceDefinition) crd);
                    }
                })
                .inOutputDir(directory.toFile())
                .generate();
    }

    private static CustomResourceDefinition completed(CustomResourceDefinition crd) {
        Class<?> kind = KINDS.stream()
                .filter(type ->
                        type.getSimpleName().equals(crd.getSpec().getNames().getKind()))
                .findFirst()
                .orElseThrow();
        for (CustomResourceDefinitionVersion version : crd.getSpec().getVersions()) {
            orderColumns(version, kind);
            JSONSchemaProps root = version.getSchema().getOpenAPIV3Schema();
            if (root.getProperties().containsKey("spec")) {
                root.setRequired(List.of("spec"));
            }
            conditions(root.getProperties().get("status"));
            singleRules(root);
        }
        return crd;
    }

    /** As the type declares them; the generator sorts them by path. */
    private static void orderColumns(CustomResourceDefinitionVersion version, Class<?> kind) {
        List<String> names = Arrays.stream(kind.getAnnotationsByType(AdditionalPrinterColumn.class))
                .map(AdditionalPrinterColumn::name)
                .toList();
        List<CustomResourceColumnDefinition> columns = new ArrayList<>(version.getAdditionalPrinterColumns());
        columns.sort(Comparator.comparingInt(column -> names.indexOf(column.getName())));
        version.setAdditionalPrinterColumns(columns);
    }

    /** One of each type, so that each can be applied alone. */
    private static void conditions(JSONSchemaProps status) {
        JSONSchemaProps conditions = status.getProperties().get("conditions");
        if (conditions != null) {
            conditions.setXKubernetesListType("map");
            conditions.setXKubernetesListMapKeys(List.of("type"));
            conditions.getItems().getSchema().setRequired(List.of("type", "status"));
        }
    }

    /** An annotation of a record's component is on its field and on its accessor, and the generator takes both. */
    private static void singleRules(JSONSchemaProps schema) {
        if (schema.getXKubernetesValidations() != null) {
            Map<String, ValidationRule> rules = new LinkedHashMap<>();
            schema.getXKubernetesValidations().forEach(rule -> rules.putIfAbsent(rule.getRule(), rule));
            schema.setXKubernetesValidations(new ArrayList<>(rules.values()));
        }
        if (schema.getProperties() != null) {
            schema.getProperties().values().forEach(CrdFiles::singleRules);
        }
    }
}
