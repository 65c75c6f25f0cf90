/**
 * The kinds of {@code larder.dev/v1alpha1} as the API server of a cluster knows them; the CRDs in
 * {@code crds/src/main/resources/crds} are generated from these types and from nothing else.
 *
 * <p>The kinds of one machine ({@link dev.larder.crds}) are types of their own: a manifest there may name files of the
 * machine and an embedded server, and is read with line numbers; here a secret is a Secret, a certificate stands in the
 * object, and the API server has checked everything before anybody reads it. What means the same has the same name, the
 * same way of writing and, where it is an enum, the same type, so that the YAML of a SharedVolume works in both places
 * as far as its fields exist in both.
 *
 * <p>These types need fabric8's client at run time, which is an optional dependency of this module: who uses them brings
 * it.
 */
package dev.larder.crds.v1alpha1;
