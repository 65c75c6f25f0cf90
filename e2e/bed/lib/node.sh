#!/usr/bin/env bash
# node.sh start|stop|restart|partition|heal|sh NODE [COMMAND...]
. "$(dirname "$0")/settings.sh"
usage="$CLUSTER node start|stop|restart|partition|heal|sh NODE [COMMAND...]"
[ $# -ge 2 ] || fail "an action and a node are needed" "$usage"
action=$1 node=$2
shift 2
[[ " ${NODES[*]} " = *" $node "* ]] || fail "there is no node $node; there are ${NODES[*]}" "$CLUSTER status"
directory=$RUN/nodes/$node

require_cluster() { [ -e "/run/netns/larder-$node" ] && [ -d "$RUN/pki" ] || fail "the cluster is not up" "$CLUSTER up"; }
require_running() { node_runs "$node" || fail "node $node does not run" "$CLUSTER node start $node"; }

start() {
  require_cluster
  if ! held "$directory/lock"; then
    mkdir -p "$directory"
    "$BED/lib/node-configure.sh" "$node"
    setsid -f "$BED/lib/node-enter.sh" "$node" >> "$directory/boot.log" 2>&1 < /dev/null
  fi
  within 20 booted || fail "node $node did not start" "$CLUSTER logs $node/boot"
}

booted() { node_runs "$node" && [ -e "$directory/booted" ]; }

# Loss of power: the kernel ends every process of the node at once and drops its mounts.
stop() {
  node_runs "$node" || return 0
  kill -9 "$(cat "$directory/pid")"
  within 30 is_gone || fail "processes of node $node do not end" "ps -eo pid,stat,wchan,args | grep ' D'"
  rm -f "$directory/pid"
  "$BED/lib/node-cgroups.sh" "$node" remove
}
is_gone() { ! held "$directory/lock"; }

# The cable is pulled: the node runs on, alone.
link() {
  require_cluster
  ip -n larder-switch link set "v-$node" "$1"
}

case $action in
  start) start ;;
  stop) stop ;;
  restart) stop && start ;;
  partition) link down ;;
  heal) link up ;;
  sh)
    require_running
    [ $# -gt 0 ] || set -- bash
    in_node "$node" "$@"
    ;;
  *) fail "there is no action $action" "$usage" ;;
esac
