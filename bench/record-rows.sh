#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# record-rows.sh rows|real IOTRC WORKLOADS RECORDS.zst: makes a recording of bench-rows anew
# (root), where records have got another layout. It records these programs alone, in a directory of
# their own, without any environment: nothing of the machine is in it but the paths of its libraries.
#   rows: our own workloads, an operation of each kind, streams that are off by default included
#   real: find, md5sum, tar, du and cp on a tree of 393 files, the default streams
set -eu
work=$1 iotrc=$2 workloads=$3 records=$4
dir=/srv/iotrc-rows
own=(rw namespace mapping conn uring_rw stat links sendfile)

# start STREAMS COMMANDS
start() {
	mkdir "$dir/out" "$dir/work"
	env -i "$iotrc" dev -q --no-snapshots --keep-records "$dir/records" -o "$dir/out" \
		--streams "$1" --command "$2" > "$dir/session" &
	recorder=$!
	until [ -s "$dir/session" ]; do sleep 0.1; kill -0 $recorder; done
}

rows() {
	mkdir "$dir/bin"
	for name in "${own[@]}" manyfiles; do cp "$workloads/$name" "$dir/bin/"; done
	start fs,block,nw_conn,nw_epoll,nw_sockopt,cache,pagefault "$(IFS=,; echo "${own[*]}"),manyfiles"
	for name in "${own[@]}"; do
		mkdir "$dir/work/$name"
		(cd "$dir/work/$name"; env -i "$dir/bin/$name") > /dev/null
	done
	mkdir "$dir/work/manyfiles"
	(cd "$dir/work/manyfiles"; env -i "$dir/bin/manyfiles" 401 29)
}

# What there is to read: names and sizes as below /usr/share/doc.
plant() {
	for ((i = 0; i < 131; i++)); do
		mkdir -p "$1/library-of-part-$((i % 53))/examples-$((i % 7))"
		head -c $((i * 97 % 9000 + 31)) /dev/zero > "$1/library-of-part-$((i % 53))/changelog.$i.gz"
		head -c $((i * 53 % 4000)) /dev/zero > "$1/library-of-part-$((i % 53))/examples-$((i % 7))/copyright-$i"
		head -c $((i % 11 * 30011)) /dev/zero > "$1/library-of-part-$((i % 53))/README.Debian-$i"
	done
}

real() {
	local clean=(env -i PATH=/usr/bin:/bin)

	plant "$dir/tree"
	start fs,block,nw_conn find,xargs,md5sum,tar,du,cp
	(
		cd "$dir/work"
		"${clean[@]}" find "$dir/tree" -type f -print0 | "${clean[@]}" xargs -0 -n 40 md5sum > sums
		"${clean[@]}" find "$dir/tree" -size +8k -exec md5sum '{}' ';' > large
		"${clean[@]}" tar cf - -C "$dir" tree | "${clean[@]}" tar xf -
		"${clean[@]}" du -a "$dir/tree" > sizes
		"${clean[@]}" cp -a "$dir/tree" copied
	)
}

mkdir "$dir"
trap 'rm -rf "$dir"' EXIT
"$work"
kill -INT $recorder
wait $recorder
zstd -q -19 -f "$dir/records" -o "$records"
chmod 644 "$records"
ls -l "$records"
