#!/usr/bin/env bash
# node-enter.sh NODE, on the machine: becomes the node, unless it runs already. It holds the node's lock until the last
# process of the node is gone.
. "$(dirname "$0")/settings.sh"
node=$1
directory=$RUN/nodes/$node
exec 8> "$directory/lock"
flock -w 5 8 || exit 0 # a moment, as a question whether it is held holds it, too
rm -f "$directory"/{pid,booted}
"$BED/lib/node-cgroups.sh" "$node" remove
: > "$directory/cgroups"

# cgroup v1: one directory per hierarchy below the caller's own, so that memory counts where the caller's does. The list is
# read whole first: it changes while this process moves.
while IFS=: read -r _ controllers path; do
  [ -n "$controllers" ] || continue
  hierarchy=/sys/fs/cgroup/${controllers#name=}
  [ -d "$hierarchy" ] || continue
  cgroup=$hierarchy${path%/}/larder-$node
  echo "$cgroup" >> "$directory/cgroups"
  mkdir -p "$cgroup"
  if [ "$controllers" = cpuset ]; then
    cat "$hierarchy$path/cpuset.cpus" > "$cgroup/cpuset.cpus"
    cat "$hierarchy$path/cpuset.mems" > "$cgroup/cpuset.mems"
  fi
  echo $$ > "$cgroup/cgroup.procs"
done <<< "$(cat /proc/self/cgroup)"

exec nsenter --net="/run/netns/larder-$node" \
  unshare --mount --propagation private --pid --uts --ipc --cgroup --fork --kill-child=KILL \
  "$BED/lib/node-root.sh" "$node"
