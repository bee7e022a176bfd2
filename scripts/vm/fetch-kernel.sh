#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-kernel.sh VERSION: fetches a Debian kernel for tests, the newest of that version, and prints
# the directory that has `vmlinuz`, `release` (as uname -r says it), `lib/modules`, but for amd64
# `architecture`, and `initrd` if the kernel needs modules to find its root disk. Says why and ends with 1 if it can't be had. A VERSION that isn't listed below is a
# directory like these which somebody has put beside them.
# The archive is the one that the machine's apt knows, asked for another suite; apt's own state
# stays as it is. What was fetched is kept in $IOTRC_KERNELS (default ~/.cache/iotrc/kernels).
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

cache=${IOTRC_KERNELS:-${XDG_CACHE_HOME:-$HOME/.cache}/iotrc/kernels}
refetch_days=30
# shellcheck source=scripts/vm/apt.sh
source "$(dirname "$0")/apt.sh"

# version, suite, architecture, and the packages: linux-KIND-RELEASE, the first of them with the image
KERNELS='
5.10       bullseye           amd64  image                5\.10\.[0-9.-]+-cloud-amd64
6.1        bookworm           amd64  image                6\.1\.[0-9.-]+-cloud-amd64
6.1-arm64  bookworm           arm64  image                6\.1\.[0-9.-]+-cloud-arm64
6.1-any    bookworm           amd64  image                6\.1\.[0-9.-]+-amd64
6.12       bookworm-security  amd64  image                6\.12\.[0-9.+a-z-]+-cloud-amd64
7.2        sid                amd64  binary,modules,base  7\.2\.[0-9.+a-z-]+-cloud-amd64
'

fail() {
	echo "kernel $version: $*" >&2
	exit 1
}

version=${1-}
to=$cache/$version
there() {
	[[ -e $to/vmlinuz && -e $to/release && -d $to/lib/modules ]]
}
if ! read -r _ suite architecture kinds pattern < <(grep "^$version " <<<"$KERNELS"); then
	if [[ ! $version || $version == */* ]] || ! there; then
		fail "none of$(awk 'NF { printf " %s", $1 }' <<<"$KERNELS"), and no kernel in $to"
	fi
	echo "$to"
	exit
fi
if there && [[ -z $(find "$to/vmlinuz" -mtime +$refetch_days) ]]; then
	echo "$to"
	exit
fi
for tool in apt-get depmod; do
	command -v $tool >/dev/null || fail "needs $tool"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$cache"
private_apt "$work" "$architecture" "$suite" 2>"$work/why" || fail "$(<"$work/why")"
prefix=linux-${kinds%%,*}-
package=$(apt-cache "${apt[@]}" pkgnames | grep -xE "$prefix$pattern" | sort -V | tail -n1)
[[ $package ]] || fail "$suite has no such package"
release=${package#"$prefix"}
for kind in ${kinds//,/ }; do
	package=linux-$kind-$release
	(cd "$work" && apt-get "${apt[@]}" download "$package" >"$work/log" 2>&1) ||
		fail "apt-get download $package: $(tail -n1 "$work/log")"
	dpkg -x "$work/$package"_*.deb "$work/tree"
done
# Where the image and the modules lie changed after 6.12.
image=$(find "$work/tree/boot" "$work/tree/usr/lib/modules" "$work/tree/lib/modules" \
	-name 'vmlinuz*' -type f 2>/dev/null | head -n1) || true
modules=$(find "$work"/tree/{usr/,}lib/modules -maxdepth 1 -name "$release" 2>/dev/null) || true
[[ $image && $modules ]] || fail "linux-*-$release lacks the image or the modules"
rm -rf "$to"
mkdir -p "$to/lib/modules"
echo "$release" >"$to/release"
[[ $architecture == amd64 ]] || echo "$architecture" >"$to/architecture"
mv "$image" "$work/vmlinuz"
mv "$modules" "$to/lib/modules/"
depmod -b "$to" "$release" || fail "depmod fails"
# The kernels for clouds have both built in.
if ! grep -q /nvme.ko "$to/lib/modules/$release/modules.builtin"; then
	command -v busybox cpio >/dev/null || fail "needs busybox and cpio"
	"$(dirname "$0")/make-initrd.sh" "$to" "$release" || fail "no initrd"
fi
# Last: where it is, the rest is.
install -m644 "$work/vmlinuz" "$to/vmlinuz"
echo "$to"
