#!/usr/bin/env bash
# daemon.sh NAME NETNS|- COMMAND...: becomes a process of the control plane, unless that runs already.
. "$(dirname "$0")/settings.sh"
name=$1 netns=$2
shift 2
exec 8> "$RUN/daemons/$name.lock"
flock -w 5 8 || exit 0 # a moment, as a question whether it is held holds it, too
echo $$ > "$RUN/daemons/$name.pid"
exec >> "$RUN/log/$name.log" 2>&1 < /dev/null
[ "$netns" = - ] || exec nsenter --net="/run/netns/$netns" "$@"
exec "$@"
