#!/usr/bin/env bash
# logs.sh [NAME [TAIL-OPTION...]]: without a name, the names of the logs.
. "$(dirname "$0")/settings.sh"
declare -A logs=([build]=$STATE/builds/build.log)
shopt -s nullglob
for file in "$RUN"/log/*.log; do logs[$(basename "$file" .log)]=$file; done
for directory in "$RUN"/nodes/*; do
  for file in "$directory/boot.log" "$directory"/root/var/log/*.log; do
    logs[$(basename "$directory")/$(basename "$file" .log)]=$file
  done
done
if [ $# -eq 0 ]; then
  printf '%s\n' "${!logs[@]}" | sort
  exit 0
fi
file=${logs[$1]:-}
[ -n "$file" ] && [ -e "$file" ] || fail "there is no log $1" "$CLUSTER logs   (lists them)"
shift
[ $# -gt 0 ] || set -- -n 50
exec tail "$@" "$file"
