#!/usr/bin/env bash
# status.sh: what runs; exit code 0 when all of it does.
. "$(dirname "$0")/settings.sh"
complete=true
line() { printf '%-26s %s\n' "$1" "$2"; }
running() {
  if "${@:2}"; then line "$1" running; else line "$1" stopped; complete=false; fi
}

line "state" "$STATE"
[ -e "$BUILD/complete" ] && line "build" "$BUILD" || line "build" "missing; $CLUSTER build"
for name in etcd kube-apiserver forward kube-controller-manager kube-scheduler; do
  running "$name" held "$RUN/daemons/$name.lock"
done
for node in "${NODES[@]}"; do running "node $node" node_runs "$node"; done
if [ "$complete" = false ]; then
  echo "next: $CLUSTER up"
  exit 1
fi
echo
kubectl get nodes -o wide --request-timeout=10s
echo
kubectl get pods --all-namespaces --request-timeout=10s
