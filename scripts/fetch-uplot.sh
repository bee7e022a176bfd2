#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-uplot.sh DIR: puts uPlot, which draws the charts of `iotrc report`, into DIR: from the directory $UPLOT if that
# has it, otherwise from npm, with a cache. Only files with the checksums below are used. If uPlot is not available, it
# prints why and leaves empty files in DIR: reports then have tables but no charts.
set -euo pipefail
export LC_ALL=C

VERSION=1.6.32
SUMS='19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f  uPlot.iife.min.js
df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04  uPlot.min.css
8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd  LICENSE'

to=${1:?directory}
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/iotrc/npm/uplot-$VERSION

# macOS has only shasum, before 15.
sha256=(sha256sum)
command -v sha256sum >/dev/null || sha256=(shasum -a 256)
has() { (cd "$1" 2>/dev/null && "${sha256[@]}" --check --status <<<"$SUMS"); }

fetch() {
	command -v npm >/dev/null || { echo "npm is not installed"; return 1; }
	local work
	work=$(mktemp -d)
	if ! (cd "$work" && npm pack --silent --fetch-retries=1 --fetch-timeout=30000 "uplot@$VERSION" >log 2>&1 &&
		tar -xzf "uplot-$VERSION.tgz"); then
		echo "npm could not fetch uplot@$VERSION"
		rm -rf "$work"
		return 1
	fi
	mkdir -p "$work/found"
	cp "$work"/package/LICENSE "$work"/package/dist/{uPlot.iife.min.js,uPlot.min.css} "$work/found"
	if ! has "$work/found"; then
		echo "npm's uplot@$VERSION has other checksums than expected"
		rm -rf "$work"
		return 1
	fi
	# Another process may do the same now, so each file must appear as a whole. (macOS' mv has no -T.)
	if ! { mkdir -p "$(dirname "$cache")" && [[ ! -e $cache ]] && mv "$work/found" "$cache"; } 2>/dev/null && ! has "$cache"; then
		cache=$work/found
	fi
}

mkdir -p "$to"
if [[ ${UPLOT-} ]] && has "$UPLOT"; then
	cache=$UPLOT
elif ! has "$cache" && ! fetch; then
	for f in uPlot.iife.min.js uPlot.min.css LICENSE; do
		: >"$to/$f"
	done
	echo "fetch-uplot.sh: reports will have no charts (make again after rm -r $to)"
	exit
fi
cp "$cache"/{uPlot.iife.min.js,uPlot.min.css,LICENSE} "$to"
