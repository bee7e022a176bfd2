#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-root.sh ARCHITECTURE: makes a directory of the packages of packages.sh for another architecture, of
# the suite that this machine runs, and prints its name. Says why and ends with 1 if it can't be had.
# make-root.sh takes from it what it takes of this machine for its own architecture, and programs are linked
# against it. Nothing in it is run: what maintainer scripts make isn't there, but for what is needed here.
# The archive is the one that the machine's apt knows. It is kept in $IOTRC_ROOTS (default ~/.cache/iotrc/roots).
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

cache=${IOTRC_ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/iotrc/roots}
refetch_days=30
here=$(dirname "$0")
# shellcheck source=scripts/vm/apt.sh
source "$here/apt.sh"
# shellcheck source=scripts/vm/packages.sh
source "$here/packages.sh"

fail() {
	echo "packages of $architecture: $*" >&2
	exit 1
}

architecture=${1:?architecture}
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
[[ $suite ]] || fail "this machine doesn't say what it runs"
mapfile -t packages < <(xargs -n1 <<<"$PACKAGES $PROGRAMS $LIBRARIES")
to=$cache/$suite-$architecture-$(cat "$0" "$here/packages.sh" | sha256sum | cut -c1-8)
if [[ -d $to && -z $(find "$to" -maxdepth 0 -mtime +$refetch_days) ]]; then
	echo "$to"
	exit
fi
for tool in apt-get dpkg-deb; do
	command -v $tool >/dev/null || fail "needs $tool"
done

mkdir -p "$cache"
work=$(mktemp -d -p "$cache")
trap 'rm -rf "$work"' EXIT
private_apt "$work" "$architecture" "$suite" "$suite-security" 2>"$work/why" || fail "$(<"$work/why")"
apt-get "${apt[@]}" install -y -d --no-install-recommends "${packages[@]}" >"$work/log" 2>&1 ||
	fail "apt-get install: $(tail -n1 "$work/log")"

root=$work/root
# Where files of a package may be named by either path, only the one in /usr is a directory.
mkdir -p "$root"/usr/{bin,sbin,lib}
for d in bin sbin lib; do
	ln -s "usr/$d" "$root/$d"
done
for package in "$work"/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -C "$root" -xf - --keep-directory-symlink --no-same-owner \
		--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
done
# Libraries that are alternatives: their own directories are not where they are looked for.
for library in "$root"/usr/lib/*/{blas,lapack}/*.so.[0-9]; do
	ln -sfr "$library" "$root"/usr/lib/*-linux-gnu/
done
# A linker would follow them out of the sysroot.
find "$root" -lname '/*' -printf '%p %l\n' | while read -r link target; do
	ln -sfnr "$root$target" "$link"
done
rm -rf "$cache/$suite-$architecture"-*
touch "$root"
# Where it is, it is whole.
mv "$root" "$to"
echo "$to"
