#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-debian.sh SUITE PACKAGE…: makes a minimal Debian with those packages for tests (suite `this`: the one
# that this machine runs), and prints its directory. Says why and ends with 1 if it can't be had. Packages named
# +PACKAGE are unpacked with what they need, but not configured: debootstrap fails at dependencies with alternatives.
# The archive is the one that the machine's apt knows. Not to be written to: lay an overlay over it.
# It is kept in $IOTRC_ROOTS (default ~/.cache/iotrc/roots).
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

# shellcheck source=scripts/vm/apt.sh
source "$(dirname "$0")/apt.sh"

cache=${IOTRC_ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/iotrc/roots}
remake_days=30

fail() {
	echo "debian $suite: $*" >&2
	exit 1
}

suite=${1:?suite}
shift
if [[ $suite == this ]]; then
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	[[ $suite ]] || fail "this machine doesn't say what it runs"
fi
packages=$(printf '%s\n' "$@" | sort -u | paste -sd,)
mapfile -t plain < <(printf '%s\n' "$@" | grep -v '^+' | sort -u)
mapfile -t unpacked < <(printf '%s\n' "$@" | sed -n 's/^+//p' | sort -u)
to=$cache/$suite-$(sha256sum <<<"$packages" | cut -c1-8)
if [[ -d $to && -z $(find "$to/etc/debian_version" -newermt "-$remake_days days" -prune -o -print) ]]; then
	echo "$to"
	exit
fi
((EUID == 0)) || fail "needs root"
command -v debootstrap >/dev/null || fail "needs debootstrap"
# shellcheck disable=SC2016
site=$(apt-get indextargets --format '$(CODENAME) $(SITE) $(REPO_URI)' 'Created-By: Packages' |
	awk '$1 !~ /-security$/ { print $NF; exit }')
[[ $site ]] || fail "apt knows no archive to fetch it from"
mkdir -p "$cache"
work=$(mktemp -d -p "$cache")
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase --include="$(IFS=,; echo "${plain[*]}")" "$suite" "$work/root" "$site" >"$work/log" 2>&1 ||
	fail "debootstrap: $(tail -n1 "$work/log")"
if ((${#unpacked[@]})); then
	private_apt "$work/apt" "$(dpkg --print-architecture)" "$suite" || fail "no list of its packages"
	apt-get "${apt[@]}" -o Dir::State::Status="$work/root/var/lib/dpkg/status" -y --no-install-recommends \
		--download-only install "${unpacked[@]}" >"$work/log" 2>&1 || fail "apt-get: $(tail -n1 "$work/log")"
	for package in "$work"/apt/archives/*.deb; do
		dpkg -x "$package" "$work/root"
	done
	chroot "$work/root" ldconfig
fi
rm -rf "$work/root/var/cache/apt/archives" "$work/root/var/lib/apt/lists"
mkdir -p "$work/root/var/lib/apt/lists/partial" "$work/root/var/cache/apt/archives/partial"
touch "$work/root/etc/debian_version"
rm -rf "$to"
# Where it is, it is whole.
mv "$work/root" "$to"
echo "$to"
