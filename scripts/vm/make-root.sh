#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make-root.sh IMAGE IOTRC WORKLOADS KERNEL…: makes the root disk of test machines, an ext4 partition with
# what the live tests need: the programs under test with their libraries, the tests, the packages of
# packages.sh with all that they depend on, copied from this machine as they are installed here, and the
# modules below of each KERNEL, a directory of fetch-kernel.sh. For KERNELs of another architecture (all of
# the same) the files are fetch-root.sh's.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

# With all that they depend on; a kernel may have one built in, or not at all.
MODULES='brd btrfs dm-crypt dm-delay dm-flakey dm-mod dm-zero f2fs loop null_blk overlay raid0 raid1 sch_netem scsi_debug sd_mod
	vduse veth virtio_blk virtio_vdpa xfs xts zram'
# Of this machine's architecture alone: test_lineage_database.py.
DATABASE='postgresql-[0-9]*'
SIZE_MB=1024 # sparse

image=$1 iotrc=$2 workloads=$3
shift 3
source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=scripts/vm/packages.sh
source "$source/scripts/vm/packages.sh"
architecture=
[[ ! -e $1/architecture ]] || architecture=$(<"$1/architecture")
command -v dpkg-query >/dev/null || { echo "$0: needs dpkg" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

# Where files of a package may be named by either path, only the one in /usr is a directory.
mkdir -p "$root"/usr/{bin,sbin,lib,lib64}
for d in bin sbin lib lib64; do
	ln -s "usr/$d" "$root/$d"
done
copy() { # paths on stdin, below $1
	tar -C "$1" -cf - --no-recursion --ignore-failed-read --verbatim-files-from -T - 2>/dev/null |
		tar -C "$root" -xf - --keep-directory-symlink
}
# What of packages is left out, and the links that are there already.
# PostgreSQL does without LLVM if it doesn't find it.
left_out='^\.?/usr/share/(doc|man|locale|info|lintian)(/|$)|/tests(/|$)|^\./usr/include/|\.a$|/libLLVM|/llvmjit|/bitcode(/|$)'
links='\.?/(\.|bin|sbin|lib|lib64)?'

needed() {
	local programs
	# shellcheck disable=SC2086
	programs=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $PROGRAMS $DATABASE 2>/dev/null | sed -n 's/^ii  *//p') || true
	# shellcheck disable=SC2086
	apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances $PACKAGES $programs 2>/dev/null | grep '^[a-z]' | sort -u
}

installed() {
	{
		for package in $(needed); do
			dpkg-query -L "$package" 2>/dev/null || true # a virtual one
		done | grep -vE "$left_out" | grep -vxE "$links"
		# Libraries that are alternatives belong to no package.
		sed -sn 2p /var/lib/dpkg/alternatives/* | grep '\.so'
		# With these Python starts in half the time.
		find /usr/lib/python3* -name __pycache__ -prune -not -path '*/tests/*' -exec find {} +
		ldd "$iotrc" 2>/dev/null | awk '/=> \// { print $3 }' | xargs -r realpath -s
		ldd "$iotrc" 2>/dev/null | awk '/=> \// { print $3 }' | xargs -r realpath
		find /etc/alternatives /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d
	} | sort -u | copy /
}

if [[ $architecture ]]; then
	foreign=$("$source/scripts/vm/fetch-root.sh" "$architecture")
	(cd "$foreign" && find .) | grep -vE "$left_out" | grep -vxE "$links" | sort | copy "$foreign"
	python3 -m compileall -q -s "$root" -p / "$root"/usr/lib/python3* >/dev/null || true
else
	installed
fi
printf '%s\n' /etc/passwd /etc/group | copy /

for kernel; do
	release=$(<"$kernel/release")
	modules=lib/modules/$release
	(cd "$kernel" && find "$modules" -maxdepth 1 -name 'modules.*'
	for module in $MODULES; do
		modprobe -d "$kernel" -S "$release" --show-depends "$module" || true
	done 2>/dev/null | sed -n "s|^insmod $kernel/||p" | cut -d' ' -f1 | sort -u) |
		tar -C "$kernel" -cf - --no-recursion -T - | tar -C "$root" -xf - --keep-directory-symlink
done

mkdir -p "$root"/{proc,sys,dev,tmp,run,root,var/tmp,results,iotrc/{tests,docs}}
chmod 1777 "$root"/{tmp,var/tmp}
echo 6b65726e656c2d6d61747269782d7631 >"$root/etc/machine-id"
cp -r "$source/tests/live" "$root/iotrc/tests/"
cp "$source"/docs/{fs-operations,questions,watch}.md "$root/iotrc/docs/"
cp "$iotrc" "$root/iotrc/iotrc"
cp -r "$workloads" "$root/iotrc/workloads"
install -m755 "$source/scripts/vm/init" "$root/init"
rm -f "$image"
truncate -s $((SIZE_MB + 1))M "$image"
# Kernels number disks as they come up, but PARTUUID=696f7472-01 is always this one. A DOS partition
# table: signature at 440, type, start and length (in sectors) of the first partition from 450 on.
put() { # OFFSET BYTES
	printf %b "$2" | dd of="$image" bs=1 seek="$1" conv=notrunc status=none
}
put 440 'rtoi'
put 450 '\x83\0\0\0\x00\x08\0\0\x00\x00\x20\0' # 2048 sectors before, 2097152 of it
put 510 '\x55\xaa'
mke2fs -q -t ext4 -m 0 -E offset=1048576 -d "$root" "$image" ${SIZE_MB}M >/dev/null 2>&1
