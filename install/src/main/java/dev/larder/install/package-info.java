/**
 * The programs that the chart's hooks run in Jobs: kinds applied before an upgrade, the quick start's password made once,
 * an uninstall refused while volumes are mounted. Each exits with 0 when its thing is so, with 1 when it is not; the last
 * line on standard error says why.
 */
package dev.larder.install;
