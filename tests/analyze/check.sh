#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh BUILD KNOWN: gcc -fanalyzer over every C file of the program. Each finding must be in KNOWN, a line
# 'FILE FLAG why it is none', and each line of KNOWN must still be found.
set -euo pipefail
export LC_ALL=C
build=$1 known=$2
found=$(find src snappers uploader schema -name '*.c' ! -name darwin.c | sort |
	xargs -P "$(nproc)" -I{} sh -c 'gcc -std=gnu11 -O2 -fanalyzer -pthread -I. -Isrc -I"$0" -D_GNU_SOURCE \
		-DIOTRC_VERSION=\"x\" -S -o /dev/null "$1" 2>&1' "$build" {} |
	sed -nE 's/^([^:]+):[0-9]+:[0-9]+: warning: .*\[(-Wanalyzer[a-z-]*)\]$/\1 \2/p' | sort -u)
diff <(awk '!/^#/ && NF { print $1, $2 }' "$known" | sort -u) <(grep . <<<"$found") || {
	echo "gcc -fanalyzer finds other things than $known says ('>': new, '<': gone)"
	exit 1
}
