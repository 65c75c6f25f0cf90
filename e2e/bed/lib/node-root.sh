#!/usr/bin/env bash
# node-root.sh NODE, process 1 of the node: makes its root file system, a directory of the machine's ext4 with the machine's
# /usr in it, and goes on as the node's supervisor in there.
. "$(dirname "$0")/settings.sh"
exec 8>&-
node=$1
directory=$RUN/nodes/$node
root=$directory/root

# /proc is still the machine's: it knows this process by the number it has there.
read -r pid _ < /proc/self/stat
echo "$pid" > "$directory/pid"
hostname "$node"

mkdir -p "$root"/{usr,etc,run,tmp,proc,sys,dev,root,mnt,old,opt/bed/{bin,lib,images,loaded}} \
  "$root"/var/{tmp,log/{pods,containers},lib/{kubelet,containerd,cni,bed,larder/cache}}
for link in bin sbin lib lib64; do ln -sfn "usr/$link" "$root/$link"; done
ln -sfn ../run "$root/var/run"
mount --bind "$root" "$root"
cd "$root"

mount --rbind /usr usr
mount -o remount,bind,ro usr
mount --rbind /dev dev
read_only() {
  mount --bind "$1" "opt/bed/$2"
  mount -o remount,bind,ro "opt/bed/$2"
}
read_only "$BUILD/bin" bin
read_only "$RUN/lib" lib
read_only "$BUILD/images" images
read_only "$RUN/images" loaded
mount -o loop "$directory/cache.img" var/lib/larder/cache

mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/lock run/netns run/sysctl
mount -t tmpfs -o mode=1777 tmpfs tmp
for file in passwd group nsswitch.conf protocols services alternatives ld.so.cache ssl; do
  [ -e "etc/$file" ] || cp -a "/etc/$file" etc/
done
echo "$node" > etc/hostname
echo "127.0.0.1 localhost" > etc/hosts
: > etc/resolv.conf
[ -s etc/machine-id ] || tr -d - < /proc/sys/kernel/random/uuid > etc/machine-id

mount -t proc proc proc
mount -t sysfs sysfs sys
# cgroup v1 as seen from the node's cgroup namespace looks like a machine's root.
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
while IFS=: read -r _ controllers _; do
  [ -n "$controllers" ] || continue
  mkdir -p "sys/fs/cgroup/${controllers#name=}"
  mount -t cgroup -o "${controllers/#name=/none,name=}" cgroup "sys/fs/cgroup/${controllers#name=}"
done < /proc/self/cgroup
mount -t fusectl fusectl sys/fs/fuse/connections 2> /dev/null || true

# kubelet insists on these settings of the kernel. It is shown files with the values it wants; the machine stays as it is.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=run/sysctl/$(tr / _ <<< "${setting%=*}")
  echo "${setting#*=}" > "$file"
  mount --bind "$file" "proc/sys/${setting%=*}"
done

touch "$directory/booted"
pivot_root . old
umount -l /old
# Bidirectional propagation needs a shared root; pivot_root refuses one, so only now.
mount --make-rshared /
exec /opt/bed/lib/node-main.sh "$node" "$([ "$node" != "$GPU_NODE" ] || echo gpu)"
