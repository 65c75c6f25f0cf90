#!/usr/bin/env bash
# Network namespaces joined by a bridge in a namespace of its own. There is no link to the machine's network: nothing in
# the cluster has a way out. Doing it again changes nothing.
. "$(dirname "$0")/settings.sh"

namespace() {
  if ! ip netns exec "$1" true 2> /dev/null; then
    ip netns delete "$1" 2> /dev/null || true
    ip netns add "$1"
  fi
  ip -n "$1" link set lo up
}

# attach NAME ADDRESS: namespace larder-NAME, with the port v-NAME on the bridge
attach() {
  local netns=larder-$1
  namespace "$netns"
  if ! ip -n "$netns" link show eth0 > /dev/null 2>&1; then
    ip -n larder-switch link add "v-$1" type veth peer name eth0 netns "$netns"
    ip -n larder-switch link set "v-$1" master br0
    ip -n "$netns" addr add "$2/24" dev eth0
  fi
  ip -n larder-switch link set "v-$1" up
  ip -n "$netns" link set eth0 up
}

namespace larder-switch
ip -n larder-switch link show br0 > /dev/null 2>&1 || ip -n larder-switch link add br0 type bridge
ip -n larder-switch link set br0 up
attach control "$CONTROL_PLANE_IP"
for node in "${NODES[@]}"; do
  attach "$node" "$(node_ip "$node")"
  ip netns exec "larder-$node" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.bridge.bridge-nf-call-iptables=1
  # Without some route a node's own processes could not reach Service addresses, which kube-proxy rewrites.
  ip -n "larder-$node" route replace "$SERVICE_CIDR" dev eth0
done
# Pod networks are plain routes between the nodes.
for from in control "${NODES[@]}"; do
  for to in "${NODES[@]}"; do
    [ "$from" = "$to" ] || ip -n "larder-$from" route replace "10.244.${to#n}.0/24" via "$(node_ip "$to")"
  done
done
