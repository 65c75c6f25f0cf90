#!/usr/bin/env bash
# Starts the cluster; what runs already is left alone.
. "$(dirname "$0")/settings.sh"
lib=$BED/lib

check_machine() {
  [ "$(id -u)" = 0 ] || fail "the cluster needs root: it makes namespaces, mounts and cgroups" "sudo -E $CLUSTER up"
  [ ! -e /sys/fs/cgroup/cgroup.controllers ] || fail "this machine has cgroup v2 alone; a node here is set up for cgroup v1" "use a machine with cgroup v1 (see e2e/bed/README.md)"
  require_tools run
  refuse_second_cluster
  if ! held "$RUN/daemons/forward.lock" && (: < "/dev/tcp/127.0.0.1/$API_PORT") 2> /dev/null; then
    fail "port $API_PORT of this machine is taken" "LARDER_CLUSTER_PORT=26443 $CLUSTER up"
  fi
}

prepare() {
  mkdir -p "$RUN"/{daemons,log,etcd,nodes,images}
  exec 9> "$RUN/lock"
  flock -w 300 9 || fail "another '$CLUSTER up' or 'down' is still at work after 5 minutes" "fuser -v $RUN/lock"
  echo "$BUILD" > "$RUN/build"
  # The nodes see this copy: a branch that is checked out meanwhile changes nothing in them. New files, not new contents:
  # bash reads a script while it runs it.
  cp -rT --remove-destination "$lib" "$RUN/lib"
  raise_inotify_limit
}

# The network namespaces have fixed names, so there is one cluster on a machine.
refuse_second_cluster() {
  local other
  mkdir -p /run/larder-cluster
  other=$(cat /run/larder-cluster/state 2> /dev/null || echo "$STATE")
  if [ "$other" != "$STATE" ] && [ -e /run/netns/larder-switch ]; then
    fail "another cluster runs on this machine, with its state in $other" "LARDER_CLUSTER=$other $CLUSTER down"
  fi
  echo "$STATE" > /run/larder-cluster/state
}

daemon() { held "$RUN/daemons/$1.lock" || setsid -f "$lib/daemon.sh" "$@" 9>&-; }

start_etcd() {
  daemon etcd larder-control etcd --name=larder --data-dir="$RUN/etcd" --log-level=warn \
    --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
    --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
    --initial-cluster=larder=http://127.0.0.1:2380 \
    --unsafe-no-fsync --auto-compaction-mode=revision --auto-compaction-retention=5000
}

# Tolerations of 15 s instead of 300: a test that loses a node does not wait five minutes.
start_apiserver() {
  local pki=$RUN/pki
  daemon kube-apiserver larder-control kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
    --advertise-address="$CONTROL_PLANE_IP" --secure-port=6443 --cert-dir="$RUN/apiserver" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --kubelet-client-certificate="$pki/apiserver-kubelet-client.crt" --kubelet-client-key="$pki/apiserver-kubelet-client.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
    --service-cluster-ip-range="$SERVICE_CIDR" --enable-aggregator-routing=true \
    --requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User \
    --proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key" \
    --default-not-ready-toleration-seconds=15 --default-unreachable-toleration-seconds=15
  daemon forward - bed forward "127.0.0.1:$API_PORT" larder-control "$CONTROL_PLANE_IP:6443"
}

wait_for_apiserver() {
  within 90 kubectl get --raw /readyz || fail "the API server is not ready after 90 s" "$CLUSTER logs kube-apiserver"
}

start_controllers() {
  local name
  for name in kube-controller-manager kube-scheduler; do
    local kubeconfig=$RUN/pki/$name.conf more=()
    [ "$name" = kube-scheduler ] || more=(--use-service-account-credentials=true --root-ca-file="$RUN/pki/ca.crt"
      --service-account-private-key-file="$RUN/pki/sa.key" --cluster-signing-cert-file="$RUN/pki/ca.crt"
      --cluster-signing-key-file="$RUN/pki/ca.key" --allocate-node-cidrs=false
      --node-monitor-grace-period=20s --node-monitor-period=2s --cert-dir="$RUN/controller-manager")
    daemon "$name" larder-control "$name" --kubeconfig="$kubeconfig" --authentication-kubeconfig="$kubeconfig" \
      --authorization-kubeconfig="$kubeconfig" --bind-address=127.0.0.1 --leader-elect=false "${more[@]}"
  done
}

start_nodes() {
  local node start starts=()
  for node in "${NODES[@]}"; do
    "$lib/node.sh" start "$node" 9>&- &
    starts+=($!)
  done
  for start in "${starts[@]}"; do wait "$start"; done
}

wait_for_nodes() {
  local node
  for node in "${NODES[@]}"; do
    within 60 kubectl get node "$node" || fail "node $node has not registered after 60 s" "$CLUSTER logs $node/kubelet"
    # Asked first of kubelet itself: what the API server knows of a node may be from before it was stopped.
    within 60 kubectl get --raw "/api/v1/nodes/$node/proxy/healthz" || fail "kubelet of node $node does not answer" "$CLUSTER logs $node/kubelet"
    kubectl wait --for=condition=Ready "node/$node" --timeout=90s > /dev/null || fail "node $node is not Ready" "$CLUSTER logs $node/kubelet"
  done
}

wait_for_images() {
  local node
  for node in "${NODES[@]}"; do
    within 120 [ -e "$RUN/nodes/$node/root/var/lib/bed/images-imported" ] || fail "node $node has not imported its images" "$CLUSTER logs $node/images"
  done
}

wait_for_dns() {
  kubectl apply --server-side -f "$BED/manifests/coredns.yaml" > /dev/null
  kubectl -n kube-system rollout status deployment/coredns --timeout=90s > /dev/null || fail "CoreDNS is not ready" "kubectl -n kube-system describe pods"
}

# Counted by kubelet once the device plugin has registered.
gpus_advertised() { [ "$(kubectl get node $GPU_NODE -o 'jsonpath={.status.allocatable.nvidia\.com/gpu}')" = 4 ]; }

wait_for_gpus() {
  [[ " ${NODES[*]} " = *" $GPU_NODE "* ]] || return 0
  within 60 gpus_advertised || fail "node $GPU_NODE does not advertise its GPUs" "$CLUSTER logs $GPU_NODE/fake-gpu"
}

raise_inotify_limit() {
  # The kernel's 128 instances are too few for three kubelets; the one setting of the machine that is changed.
  local limit=/proc/sys/fs/inotify/max_user_instances
  [ "$(cat $limit)" -ge 1024 ] || echo 1024 > $limit
}

check_machine
[ -e "$BUILD/complete" ] || "$lib/build.sh"
prepare
step "certificates" "$lib/certificates.sh"
step "network" "$lib/network.sh"
start_etcd
start_apiserver
step "node processes" start_nodes
step "API server" wait_for_apiserver
start_controllers
step "nodes ${NODES[*]} Ready" wait_for_nodes
step "DNS" wait_for_dns
step "images on every node" wait_for_images
step "GPUs on $GPU_NODE" wait_for_gpus
echo "
cluster up after $SECONDS s, state in $STATE
  eval \"\$($CLUSTER env)\"     # KUBECONFIG, and kubectl, helm, ctr on PATH
  kubectl get nodes
  $CLUSTER down"
