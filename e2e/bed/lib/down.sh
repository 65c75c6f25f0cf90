#!/usr/bin/env bash
# down.sh [--keep]: ends everything that up.sh started and deletes its state; with --keep a later up goes on with it.
. "$(dirname "$0")/settings.sh"
keep=${1:-}
[ -z "$keep" ] || [ "$keep" = --keep ] || fail "down knows no $keep" "$CLUSTER down [--keep]"
[ -d "$RUN" ] || { echo "nothing to stop: no state in $RUN"; exit 0; }
exec 9> "$RUN/lock"
flock -w 300 9 || fail "another '$CLUSTER up' or 'down' is still at work after 5 minutes" "fuser -v $RUN/lock"

known_nodes() { ls "$RUN/nodes" 2> /dev/null || true; }

stop_nodes() {
  local node
  for node in $(known_nodes); do LARDER_CLUSTER_NODES=$node "$BED/lib/node.sh" stop "$node"; done
}

daemon_ended() { ! held "$RUN/daemons/$1.lock"; }

# In the order that lets each write its last word.
stop_control_plane() {
  local name pid
  for name in kube-scheduler kube-controller-manager forward kube-apiserver etcd; do
    held "$RUN/daemons/$name.lock" || continue
    pid=$(cat "$RUN/daemons/$name.pid")
    kill "$pid" 2> /dev/null || true
    within 10 daemon_ended "$name" || kill -9 "$pid" 2> /dev/null || true
    within 10 daemon_ended "$name" || fail "$name (process $pid) does not end" "ps -o pid,stat,wchan,args -p $pid"
  done
}

remove_network() {
  local netns
  for netns in $(ls /run/netns 2> /dev/null | grep '^larder-' || true); do
    [ -z "$(ip netns pids "$netns" 2> /dev/null)" ] || fail "processes are left in network namespace $netns" "ps -fp \$(ip netns pids $netns)"
    ip netns delete "$netns"
  done
}

# Nothing may stay: it would be the next cluster's riddle.
check_nothing_left() {
  local node left
  for node in $(known_nodes); do
    "$BED/lib/node-cgroups.sh" "$node" remove
    left=$("$BED/lib/node-cgroups.sh" "$node" list)
    [ -z "$left" ] || fail "cgroups are left: $left" "cat $(head -1 <<< "$left")/cgroup.procs"
  done
  left=$(grep -o " $RUN/[^ ]*" /proc/self/mountinfo || true)
  [ -z "$left" ] || fail "mounts are left:$left" "umount$left"
  left=$(losetup --list --noheadings --output NAME,BACK-FILE | grep -F " $RUN/" || true)
  [ -z "$left" ] || fail "loop devices are left: $left" "losetup --detach $(cut -d' ' -f1 <<< "$left" | head -1)"
}

step "nodes" stop_nodes
step "control plane" stop_control_plane
step "network namespaces" remove_network
step "nothing is left" check_nothing_left
rm -rf /run/larder-cluster
if [ "$keep" = --keep ]; then
  echo "stopped; '$CLUSTER up' goes on with the state in $RUN"
else
  rm -rf --one-file-system "$RUN"
  echo "down; the binaries stay in $STATE/builds"
fi
