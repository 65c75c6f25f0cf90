#!/usr/bin/env bash
# node-images.sh [NAME...], inside a node: imports the image files that it has not imported yet.
set -euo pipefail
stamps=/var/lib/bed/imported
mkdir -p "$stamps"
exec 7> /var/lib/bed/images.lock
flock -w 300 7

import() {
  local stamp
  stamp=$stamps/$(basename "$1").$(stat -c '%Y-%s' "$1")
  [ ! -e "$stamp" ] || return 0
  ctr -n k8s.io images import --local "$1"
  touch "$stamp"
}

if [ $# -gt 0 ]; then
  for name in "$@"; do import "/opt/bed/images/$name.tar"; done
  exit 0
fi
for file in /opt/bed/images/*.tar /opt/bed/loaded/*.tar; do
  [ ! -e "$file" ] || import "$file"
done
touch /var/lib/bed/images-imported
