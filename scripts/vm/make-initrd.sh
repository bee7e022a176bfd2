#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make-initrd.sh KERNEL RELEASE: makes KERNEL/initrd, of a directory of fetch-kernel.sh: it loads the modules
# that the root disk of a test machine needs, and starts its /init with the same environment.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

kernel=$1 release=$2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{bin,dev,modules,root}
cp "$(command -v busybox)" "$tree/bin/"
# ext4 asks for its checksum by name when it mounts.
for module in nvme crc32c_generic ext4; do
	modprobe -d "$kernel" -S "$release" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$tree/list"
n=0
while read -r path; do
	cp "$path" "$tree/modules/$(printf %02d $n).ko"
	n=$((n + 1))
done <"$tree/list"
cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
for module in /modules/*; do
	$b insmod "$module"
done
root=
until root=$($b ls /dev/nvme?n1p1); do
	$b sleep 0.1
done 2>/dev/null
$b mount -t ext4 "$root" /root
exec $b switch_root /root /init
INIT
chmod +x "$tree/init"
(cd "$tree" && find . | cpio -o -H newc --quiet | gzip) >"$kernel/initrd"
