/** The kinds of the API group larder.dev as Java types, read from YAML and checked as a whole. */
package dev.larder.crds;
