#!/usr/bin/env bash
# node-cgroups.sh NODE remove: the cgroups of a node that is gone, deepest first; each that stays costs the next kubelet 3 s.
# node-cgroups.sh NODE list: those that are left.
. "$(dirname "$0")/settings.sh"
[ -e "$RUN/nodes/$1/cgroups" ] || exit 0
sort -u "$RUN/nodes/$1/cgroups" | while read -r cgroup; do
  [ -d "$cgroup" ] || continue
  case $2 in
    # rmdir fails for a moment after the last process has ended
    remove) within 5 find "$cgroup" -depth -type d -exec rmdir {} + || true ;;
    list) echo "$cgroup" ;;
  esac
done
