#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh BUILD KNOWN [K/N]: gcc -fanalyzer and clang-tidy (.clang-tidy) over every C file of the program, one file a CPU
# at a time; with K/N, clang-tidy over each Nth file, beginning with the Kth. A finding of gcc must be in KNOWN, a line
# 'FILE FUNCTION FLAG why it is none', and each line of KNOWN must still be found; one of clang-tidy is mended, or a NOLINT
# beside it says why it is none. A file that an analyzer cannot compile fails.
set -euo pipefail
export LC_ALL=C BUILD=$1
known=$2 part=${3:-1/1}
logs=$BUILD/analyze
rm -rf "$logs"
mkdir -p "$logs"

export LOGS=$logs

# Output and exit code of each go into files of their own. bpftool's skeleton is a system header: its code isn't ours.
analyze() { # gcc|clang-tidy FILE
	local log=$LOGS/$1/${2//\//+} code=0
	local -a flags=(-std=gnu11 -pthread -I. -Isrc -isystem "$BUILD" -D_GNU_SOURCE '-DIOTRC_VERSION="x"')
	case $1 in
	gcc) gcc "${flags[@]}" -O2 -fanalyzer -S -o /dev/null "$2" >"$log" 2>&1 || code=$? ;;
	clang-tidy) clang-tidy --quiet "$2" -- "${flags[@]}" >"$log" 2>"$log.err" || code=$? ;;
	esac
	echo "$code" >"$log.code"
}
export -f analyze

mapfile -t files < <(find src snappers uploader schema -name '*.c' | sort)
mkdir "$logs/gcc" "$logs/clang-tidy"
printf '%s\n' "${files[@]}" | awk -v first="${part%/*}" -v every="${part#*/}" \
	'NR % every == first % every { print "clang-tidy", $0 } { print "gcc", $0 }' | xargs -P "$(nproc)" -L 1 bash -c 'analyze "$@"' -

# FILE FUNCTION FLAG of gcc's findings; of a function that it split, its whole name.
gcc_findings() {
	cat "$logs"/gcc/*.c | sed -nE "s/^([^ :]+): In function ['‘]([^'’]*)['’].*/F \1 \2/p
s/^([^ :]+):[0-9]+:[0-9]+: warning: .*\[(-Wanalyzer[a-z-]*)\]\$/W \1 \2/p" |
		awk '$1 == "F" { function_of[$2] = $3 } $1 == "W" { print $2, function_of[$2], $3 }' | sed -E 's/\.(part|isra|constprop)\.[0-9]+//g' | sort -u
}

gcc_findings >"$logs/found"
awk '!/^#/ && NF { print $1, $2, $3 }' "$known" | sort -u >"$logs/known"
failed=0
for file in "${files[@]}"; do
	log=${file//\//+} bad=
	(($(<"$logs/gcc/$log.code"))) && { cat "$logs/gcc/$log"; bad=1; }
	[[ -e $logs/clang-tidy/$log.code ]] && (($(<"$logs/clang-tidy/$log.code"))) && { cat "$logs/clang-tidy/$log" "$logs/clang-tidy/$log.err"; bad=1; }
	if ! diff <(grep "^$file " "$logs/known") <(grep "^$file " "$logs/found") >"$logs/diff"; then
		sed -nE "s/^> /gcc -fanalyzer, not in ${known//\//\\/}: /p; s/^< /in ${known//\//\\/}, but no longer found: /p" "$logs/diff"
		cat "$logs/gcc/$log"
		bad=1
	fi
	failed=$((failed + ${bad:-0}))
done
# A line of KNOWN may name no file of the tree.
while read -r file _; do
	[[ -e $file ]] || { echo "$known: no such file: $file"; failed=$((failed + 1)); }
done <"$logs/known"
[[ $part == 1/1 ]] || echo "clang-tidy: part $part of the files"
echo "$((${#files[@]} - failed)) passed, $failed failed"
((!failed))
