#!/usr/bin/env bash
# Builds the binaries and images of the test cluster into $BUILD; a second run does nothing.
. "$(dirname "$0")/settings.sh"

require_tools build
[ ! -e "$BUILD/complete" ] || { echo "already built: $BUILD"; exit 0; }
mkdir -p "$STATE/builds"
exec 9> "$STATE/builds/lock"
flock -w 3600 9 || fail "another build still runs after an hour" "see who holds $STATE/builds/lock: fuser -v $STATE/builds/lock"
[ ! -e "$BUILD/complete" ] || exit 0

log=$STATE/builds/build.log
: > "$log"
bin=$BUILD/bin
mkdir -p "$BUILD/images"
# An earlier build saves the linking of what did not change.
earlier=$(ls -td "$STATE"/builds/*/complete 2> /dev/null | head -1 || true)
[ -z "$earlier" ] || [ -d "$bin" ] || cp -a "$(dirname "$earlier")/bin" "$bin"
mkdir -p "$bin"

export CGO_ENABLED=0 GOFLAGS="-mod=readonly -trimpath -buildvcs=false"
version() { go list -m -f '{{.Version}}' "$1"; }

# go_build DIRECTORY LDFLAGS ARGUMENT...: in a module of this test bed, with what it prints in the log.
go_build() {
  local directory=$BED/$1 ldflags="-s -w $2"
  shift 2
  (cd "$directory" && nice go build -ldflags "$ldflags" "$@") >> "$log" 2>&1 9>&- \
    || { tail -20 "$log" >&2; fail "go build in $directory failed" "read $log"; }
}

# One module and one version of every k8s.io package for all of these: a package is compiled once.
build_kubernetes() {
  cd "$BED"
  local kubernetes minor ldflags package
  kubernetes=$(version k8s.io/kubernetes)
  minor=${kubernetes#v1.}
  ldflags="-X github.com/containerd/containerd/v2/version.Version=$(version github.com/containerd/containerd/v2)"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    ldflags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
    ldflags+=" -X $package.gitTreeState=clean -X $package.buildDate=1970-01-01T00:00:00Z"
  done
  go_build . "$ldflags" -o "$bin/" -tags "no_btrfs no_devmapper no_zfs" ./cmd/... $(go list -f '{{.ImportPath}}' tool)
  local name
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
    ln -sfn kube "$bin/$name"
  done
}

# Each in a module of its own, so that the versions it wants do not compile everything above a second time.
build_others() {
  local runc
  runc=$(cd "$BED/runc" && version github.com/opencontainers/runc)
  CGO_ENABLED=1 go_build runc "-X main.version=${runc#v}" -o "$bin/runc" -tags seccomp github.com/opencontainers/runc
  go_build sanity "" -o "$bin/" tool
}

build_minio() { go_build minio "" -o "$bin/" tool; }

build_images() {
  image() { "$bin/bed" image --name "larder.local/$1" --out "$BUILD/images/$2.tar" "${@:3}" >> "$log" 2>&1 || { tail -3 "$log" >&2; fail "image $1 could not be written" "read $log"; }; }
  image pause:dev pause --add "$bin/bed:/bed" --entrypoint /bed --entrypoint pause
  image busybox:dev busybox --busybox --entrypoint /bin/sh
  image coredns:dev coredns --add "$bin/coredns:/coredns" --entrypoint /coredns
  image csi-sidecars:dev csi-sidecars --add "$bin/csi-provisioner:/csi-provisioner" --add "$bin/csi-resizer:/csi-resizer" --entrypoint /csi-provisioner
  image minio:dev minio --busybox --add "$bin/minio:/minio" --entrypoint /minio
}

# Keeps this build, the one that a running cluster uses, and the newest other.
remove_old_builds() {
  local old in_use
  in_use=$(cat "$RUN/build" 2> /dev/null || true)
  for old in $(ls -td "$STATE"/builds/*/ | sed 's:/$::' | tail -n +3); do
    [ "$old" = "$BUILD" ] || [ "$old" = "$in_use" ] || rm -rf "$old"
  done
}

[ -n "$earlier" ] || echo "first build: about 12 minutes on two cores, 5 GB of Go caches; log: $log"
step "Kubernetes, containerd, CoreDNS, CSI sidecars, Helm" build_kubernetes
step "runc, csi-sanity" build_others
step "MinIO" build_minio
step "images" build_images
touch "$BUILD/complete"
remove_old_builds
