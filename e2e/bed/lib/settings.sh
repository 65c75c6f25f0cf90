# Names, addresses and directories of the test cluster, and what its scripts share. Sourced.
set -euo pipefail

BED=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CLUSTER="${LARDER_CLUSTER_COMMAND:-e2e/cluster}"                     # how messages call the command

STATE=$(realpath -m "${LARDER_CLUSTER:-${XDG_CACHE_HOME:-$HOME/.cache}/larder/cluster}")
RUN=$STATE/run                                                       # the cluster; "down" deletes it
BUILD=$STATE/builds/$(cd "$BED" && find . -name 'go.*' -o -name '*.go' -o -path ./lib/build.sh | sort | xargs cat | sha256sum | cut -c1-16)
RUNNING_BUILD=$(cat "$RUN/build" 2> /dev/null || echo "$BUILD")      # another one, when the sources changed meanwhile
export KUBECONFIG=$RUN/pki/admin.conf PATH=$BUILD/bin:$RUNNING_BUILD/bin:$PATH

read -ra NODES <<< "${LARDER_CLUSTER_NODES:-n1 n2 n3}"               # node nX: 10.89.0.(10+X), pods 10.244.X.0/24
GPU_NODE=n3
API_PORT=${LARDER_CLUSTER_PORT:-16443}                               # 127.0.0.1:$API_PORT on the machine
CONTROL_PLANE_IP=10.89.0.10
SERVICE_CIDR=10.96.0.0/16
API_SERVICE_IP=10.96.0.1
DNS_IP=10.96.0.10
POD_CIDR=10.244.0.0/16
CACHE_DISK_SIZE=2G

# fail CAUSE NEXT-COMMAND
fail() {
  printf 'cluster: %s\n  next: %s\n' "$1" "$2" >&2
  exit 1
}

# step TEXT COMMAND...: one line when it is done, with the seconds it took.
step() {
  local text=$1 start=$SECONDS
  shift
  "$@"
  printf '%4d s  %s\n' $((SECONDS - start)) "$text"
}

# within SECONDS COMMAND...: until the command succeeds; false when the time is over.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

# require_tools build|run: names the Debian packages that are missing.
require_tools() {
  local missing=() tool tools=(ip:iproute2 nsenter:util-linux flock:util-linux openssl:openssl mkfs.ext4:e2fsprogs
    nft:nftables iptables:iptables conntrack:conntrack jq:jq)
  [ "$1" = run ] || tools=(gcc:gcc pkg-config:pkg-config busybox:busybox ldd:libc-bin)
  for tool in "${tools[@]}"; do
    command -v "${tool%%:*}" > /dev/null || missing+=("${tool##*:}")
  done
  if [ "$1" = build ]; then
    command -v go > /dev/null || fail "Go is not there; the test cluster is built from Go modules" "install Go 1.26.8 or newer and put it on PATH"
    ! command -v pkg-config > /dev/null || pkg-config --exists libseccomp || missing+=(libseccomp-dev)
  fi
  [ ${#missing[@]} -eq 0 ] || fail "missing Debian packages: ${missing[*]}" "bash .ci/tools   (or: apt-get install ${missing[*]})"
}

# held LOCK: whether a process holds it. Every process of the cluster holds a lock for as long as it lives, which, unlike a
# number in a file, cannot be mistaken for another process.
held() { [ -e "$1" ] && ! flock -n "$1" true; }

node_ip() { echo "10.89.0.$((10 + ${1#n}))"; }
node_runs() { held "$RUN/nodes/$1/lock" && [ -s "$RUN/nodes/$1/pid" ]; }

# in_node NODE COMMAND...: as an administrator logged in there would run it.
in_node() {
  local node=$1
  shift
  nsenter -t "$(cat "$RUN/nodes/$node/pid")" --mount --pid --net --uts --ipc --cgroup --root --wd \
    env PATH=/opt/bed/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}
