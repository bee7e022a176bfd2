#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make-deb.sh OUT VERSION COMMIT: builds the Debian package of this tree into OUT, and checks it with lintian.
set -euo pipefail
out=$1 version=$2
export COMMIT=$3 LC_ALL=C
# The settings of the make that calls this must not affect the package.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES BUILD
cd "$(dirname "$0")/.."

said=$(dpkg-parsechangelog -S Version)
if [[ $said != "$version" ]]; then
	echo "make-deb.sh: debian/changelog says $said, the Makefile $version" >&2
	exit 1
fi
# In a copy, because dpkg-buildpackage leaves files in the tree and next to it.
rm -rf "$out"
mkdir -p "$out/iotrc-$version"
tar -c --exclude='./build*' --exclude=./.git --exclude=./iotrc-traces . | tar -x -C "$out/iotrc-$version"
# The package is built without network and with its own home directory.
scripts/fetch-uplot.sh "$out/uplot"
export UPLOT=$out/uplot
cd "$out/iotrc-$version"
dpkg-buildpackage -us -uc -b -j2 >"$out/build.log" 2>&1 || {
	tail -n 30 "$out/build.log" >&2
	echo "make-deb.sh: the package doesn't build: see $out/build.log" >&2
	exit 1
}
cd "$out"
rm -rf "iotrc-$version" uplot
lintian --allow-root --fail-on error,warning --tag-display-limit 0 ./*.changes
ls "$out"/*.deb
