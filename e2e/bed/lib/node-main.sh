#!/usr/bin/env bash
# node-main.sh NODE [gpu], process 1 of the node, inside its root: starts what a node runs, and again what has ended.
set -euo pipefail
node=$1 gpu=${2:-}
export PATH=/opt/bed/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

# keep NAME COMMAND...
keep() {
  local log=/var/log/$1.log
  shift
  while :; do
    echo "--- start $(date -Is)" >> "$log"
    "$@" >> "$log" 2>&1 || echo "--- end $(date -Is), exit code $?" >> "$log"
    sleep 1
  done &
}

keep containerd containerd --config /etc/containerd.toml
for _ in $(seq 200); do
  ! ctr version > /dev/null 2>&1 || break
  sleep 0.1
done
# What every pod needs, before kubelet starts any; the rest beside it.
/opt/bed/lib/node-images.sh pause coredns busybox >> /var/log/images.log 2>&1 || true
/opt/bed/lib/node-images.sh >> /var/log/images.log 2>&1 &
address=$(hostname -I | tr ' ' '\n' | grep -m1 '^10\.89\.')
keep kubelet kubelet --config=/etc/kubernetes/kubelet.yaml --kubeconfig=/etc/kubernetes/node.conf \
  --hostname-override="$node" --node-ip="$address" ${gpu:+--node-labels=nvidia.com/gpu.present=true} --v=2
keep kube-proxy kube-proxy --config=/etc/kubernetes/proxy.yaml --hostname-override="$node" --v=2
[ -z "$gpu" ] || keep fake-gpu fake-gpu --resource=nvidia.com/gpu --count=4
while :; do wait -n || sleep 1; done # process 1 reaps orphans
