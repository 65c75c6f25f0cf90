#!/usr/bin/env bash
# node-configure.sh NODE, on the machine: writes the node's configuration into its root, and its cache disk.
. "$(dirname "$0")/settings.sh"
node=$1
etc=$RUN/nodes/$node/root/etc
mkdir -p "$etc/kubernetes" "$etc/cni/net.d"

credentials() {
  local to=$etc/kubernetes pki=$RUN/pki
  cp "$pki/ca.crt" "$to/"
  cp "$pki/node-$node.conf" "$to/node.conf"
  cp "$pki/kube-proxy.conf" "$to/proxy.conf"
  cp "$pki/node-$node.crt" "$to/kubelet.crt"
  cp "$pki/node-$node.key" "$to/kubelet.key"
}

# The nodes share the machine's disk; a cache that fills it would put all of them under disk pressure.
cache_disk() {
  local disk=$RUN/nodes/$node/cache.img
  [ ! -e "$disk" ] || return 0
  truncate -s "$CACHE_DISK_SIZE" "$disk.part"
  mkfs.ext4 -q -m 0 "$disk.part"
  mv "$disk.part" "$disk"
}

containerd() {
  cat << 'TOML'
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "larder.local/pause:dev"

[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE a score can only be raised.
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/opt/bed/bin"]
    conf_dir = "/etc/cni/net.d"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "/opt/bed/bin/runc"
        SystemdCgroup = false
TOML
}

cni() {
  cat << JSON
{"cniVersion": "1.0.0", "name": "larder", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.${node#n}.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "backend": "nftables"}]}
JSON
}

kubelet() {
  cat << YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
# Without CAP_SYS_RESOURCE neither a lower score than the inherited one nor a higher limit than the hard one can be had.
oomScoreAdj: 0
maxOpenFiles: 20000
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDomain: cluster.local
clusterDNS: [$DNS_IP]
resolvConf: /etc/resolv.conf
authentication: {anonymous: {enabled: false}, x509: {clientCAFile: /etc/kubernetes/ca.crt}, webhook: {enabled: true, cacheTTL: 10s}}
authorization: {mode: Webhook}
tlsCertFile: /etc/kubernetes/kubelet.crt
tlsPrivateKeyFile: /etc/kubernetes/kubelet.key
# Images come from files and cannot be pulled again: never collect them.
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 200Mi, nodefs.available: 2%, imagefs.available: 2%, nodefs.inodesFree: 1%}
nodeStatusUpdateFrequency: 5s
nodeLeaseDurationSeconds: 12
syncFrequency: 20s
volumeStatsAggPeriod: 30s
YAML
  [ "$node" != "$GPU_NODE" ] || echo "registerWithTaints: [{key: nvidia.com/gpu, value: present, effect: NoSchedule}]"
}

kube_proxy() {
  cat << YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: /etc/kubernetes/proxy.conf}
clusterCIDR: $POD_CIDR
detectLocalMode: ClusterCIDR
# nf_conntrack_max belongs to the machine: leave it.
conntrack: {maxPerCore: 0, min: 0}
nftables: {minSyncPeriod: 100ms}
YAML
}

credentials
cache_disk
containerd > "$etc/containerd.toml"
cni > "$etc/cni/net.d/10-bridge.conflist"
kubelet > "$etc/kubernetes/kubelet.yaml"
kube_proxy > "$etc/kubernetes/proxy.yaml"
