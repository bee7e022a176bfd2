#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# static.sh OUT IOTRC-STATIC [VERSION…]: the static program alone in a bare initramfs (busybox, no libraries,
# no modules, no disk) on each kernel of the matrix: it records, finds its session sound, and has a row
# for each of the writes that dd says it made, and it sums up those of another dd in the kernel. Closes with
# `N passed, N failed`.
set -uo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

here=$(cd "$(dirname "$0")" && pwd)
vm=$here/../../scripts/vm
out=$1 program=$2
shift 2
versions=("${@:-5.10 6.1 6.12 7.2}")
read -ra versions <<<"${versions[*]}"
writes=37
passed=0 failed=0 skipped=0

rm -rf "$out"
mkdir -p "$out/root/bin"
cp "$program" "$out/root/bin/iotrc"
cp "$(command -v busybox)" "$out/root/bin/busybox"
cat >"$out/root/init" <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /etc /t
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /t
ip link set lo up
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
cd /t
iotrc --version
iotrc -o traces --streams fs,block,nw_conn >line 2>messages &
for i in \$(seq 60); do [ -s line ] && break; sleep 1; done
dd if=/dev/zero of=/t/file bs=4096 count=$writes
dd if=/t/file of=/dev/null bs=4096
kill -INT \$!
wait \$!
echo "recorded \$?"
cat messages
iotrc verify traces
echo "verified \$?"
iotrc summary --csv -o sums -- dd if=/dev/zero of=/t/summed bs=4096 count=$writes
cat sums
iotrc summary -s fs,block,nw_conn,nw_epoll,nw_sockopt,nw_drop,nw_flow,cache,pagefault --by process,operation -d 1s >all
echo "summed up \$?"
for f in traces/*/*/*/fs/*.csv.zst; do echo "=== file"; base64 \$f; echo "=== end"; done
poweroff -f
INIT
chmod +x "$out/root/init"
(cd "$out/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$out/initrd.gz" || exit 1

for version in "${versions[@]}"; do
	if ! kernel=$("$vm/fetch-kernel.sh" "$version" 2>"$out/$version.why"); then
		echo "skip  $version: $(tail -n1 "$out/$version.why")"
		skipped=$((skipped + 1))
		continue
	fi
	timeout 240 qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 2 -m 1024 -nodefaults -no-reboot \
		-nographic -serial stdio -kernel "$kernel/vmlinuz" -initrd "$out/initrd.gz" \
		-append 'console=ttyS0 quiet panic=-1 oops=panic' </dev/null 2>&1 | tr -d '\r' >"$out/$version.console"
	sed -n '/^=== file/,/^=== end/p' "$out/$version.console" | grep -v ^=== | base64 -d 2>/dev/null |
		zstd -dcq >"$out/$version.csv" 2>/dev/null
	# The columns by their names: operation, filename, bytes_completed.
	found=$(/usr/bin/python3 -c '
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
for op in "write", "read":
    print(op, sum(r["operation"] == op and r["filename"] == "/t/file" and r["bytes_completed"] == "4096" for r in rows))
' "$out/$version.csv" | paste -sd' ')
	# Of dd's, in the kernel: operation,share,total_ns,calls; two lines of its report are writes, too.
	summed=$(sed -nE 's/^write,[0-9.]+,[0-9]+,([0-9]+),.*/\1/p' "$out/$version.console")
	if grep -qx 'recorded 0' "$out/$version.console" && grep -qx 'verified 0' "$out/$version.console" &&
		grep -qx 'summed up 0' "$out/$version.console" && ((summed >= writes && summed < writes + 4)) &&
		[[ $found == "write $writes read $writes" ]]; then
		echo "ok    $version: recorded, sound, $found; $summed writes summed up"
		passed=$((passed + 1))
	else
		echo "FAIL  $version: $found; see $out/$version.console"
		grep -v '^[A-Za-z0-9+/=]\{70,\}$' "$out/$version.console" | tail -n 20 | sed 's/^/      /'
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
((!failed && passed))
