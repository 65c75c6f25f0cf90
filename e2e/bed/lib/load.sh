#!/usr/bin/env bash
# load.sh FILE...: image files (docker archive or OCI layout, tar) for every node; one that is stopped imports them when it
# starts. A file of the same name replaces the one before.
. "$(dirname "$0")/settings.sh"
[ $# -gt 0 ] || fail "no image file is named" "$CLUSTER load image.tar"
[ -d "$RUN/images" ] && [ -d "$RUN/pki" ] || fail "the cluster is not up" "$CLUSTER up"
copies=()
for file in "$@"; do
  [ -r "$file" ] || fail "$file cannot be read" "ls -l $file"
  name=$(basename "$file" .tar).tar
  cp --reflink=auto "$file" "$RUN/images/.$name.part"
  mv "$RUN/images/.$name.part" "$RUN/images/$name"
  copies+=("$RUN/images/$name")
done

import_everywhere() {
  local node failed=()
  declare -A imports
  for node in "${NODES[@]}"; do
    node_runs "$node" || continue
    (in_node "$node" /opt/bed/lib/node-images.sh) > "$RUN/log/load-$node.log" 2>&1 &
    imports[$node]=$!
  done
  for node in "${!imports[@]}"; do
    wait "${imports[$node]}" || failed+=("$node")
  done
  [ ${#failed[@]} -gt 0 ] || return 0
  # A bad file would be in the way of every later import.
  rm -f "${copies[@]}"
  tail -1 "$RUN/log/load-${failed[0]}.log" >&2
  fail "import failed on ${failed[*]}" "$CLUSTER logs load-${failed[0]}"
}
step "loaded $*" import_everywhere
