#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# record-rows.sh IOTRC WORKLOADS RECORDS.zst: makes the recording of bench-rows anew (root), where
# records have got another layout. Our workloads alone, in a directory of their own, without any
# environment: nothing of the machine is in it.
set -eu
iotrc=$1 workloads=$2 records=$3
dir=/srv/iotrc-rows
names=(rw namespace mapping conn uring_rw stat links sendfile)

mkdir "$dir"
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin" "$dir/work" "$dir/out"
for name in "${names[@]}" manyfiles; do cp "$workloads/$name" "$dir/bin/"; done
list=$(IFS=,; echo "${names[*]},manyfiles")
env -i "$iotrc" dev -q --no-snapshots --keep-records "$dir/records" -o "$dir/out" \
	--streams fs,block,nw_conn,nw_epoll,nw_sockopt,cache,pagefault --command "$list" > "$dir/session" &
recorder=$!
until [ -s "$dir/session" ]; do sleep 0.1; kill -0 $recorder; done
for name in "${names[@]}"; do
	mkdir "$dir/work/$name"
	(cd "$dir/work/$name"; env -i "$dir/bin/$name") > /dev/null
done
mkdir "$dir/work/manyfiles"
(cd "$dir/work/manyfiles"; env -i "$dir/bin/manyfiles" 401 29)
kill -INT $recorder
wait $recorder
zstd -q -19 -f "$dir/records" -o "$records"
chmod 644 "$records"
ls -l "$records"
