#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reproducible.sh DIR: builds this tree twice, in two directories of DIR and at two times: is it the same program,
# debug information included?
set -euo pipefail
dir=$1
cd "$(dirname "$0")/../.."
rm -rf "$dir"
for name in one another/of/another/length; do
	mkdir -p "$dir/$name"
	# What git knows, as it is here now.
	git ls-files -z | tar -c --null --files-from=- --ignore-failed-read 2>/dev/null | tar -x -C "$dir/$name"
	make -s -C "$dir/$name" COMMIT=0123456789ab all
done
cmp "$dir/one/build/iotrc" "$dir/another/of/another/length/build/iotrc"
for object in iotrc iotrc_6_2; do
	cmp "$dir/one/build/bpf/$object.bpf.o" "$dir/another/of/another/length/build/bpf/$object.bpf.o"
done
echo "The same twice: $(sha256sum <"$dir/one/build/iotrc")"
rm -rf "$dir"
