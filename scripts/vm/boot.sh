#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# boot.sh KERNEL IMAGE SECONDS ARGUMENT…: boots a kernel under emulation (which needs no hardware
# and no privileges), a directory of fetch-kernel.sh, with the image of make-root.sh as its root, and returns
# when it powers off. The console goes to stdout. The machine has VM_CPUS CPUs (2).
set -euo pipefail
kernel=$1 image=$2 seconds=$3
shift 3
architecture=amd64
[[ ! -e $kernel/architecture ]] || architecture=$(<"$kernel/architecture")
# The processor's own way to sign pointers is slow under emulation, and the kernel signs at each call.
case $architecture in
amd64) qemu=(qemu-system-x86_64 -cpu max) console=ttyS0 ;;
arm64) qemu=(qemu-system-aarch64 -M virt -cpu 'max,pauth-impdef=on') console=ttyAMA0 ;;
*) echo "$0: no machine of $architecture" >&2; exit 1 ;;
esac
root='root=PARTUUID=696f7472-01 rootwait rw init=/init'
initrd=()
[[ ! -e $kernel/initrd ]] || initrd=(-initrd "$kernel/initrd")
disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
truncate -s 512M "$disk" # room for a database; what is not written takes no space
# A machine that the host lets wait is not stuck: only after two minutes (twice watchdog_thresh) the kernel says so.
# Nor does the kernel count ticks to find out whether its timer works, which panics where the host is busy.
# One more disk than the root, for tests that need one to themselves. One thread for all CPUs: with
# one each, QEMU now and then runs what the kernel has just patched out of its code (`Oops: int3`).
timeout --foreground "$seconds" "${qemu[@]}" -accel tcg,thread=single -smp "${VM_CPUS:-2}" -m 1536 \
	-nodefaults -no-reboot -nographic -serial stdio -kernel "$kernel/vmlinuz" ${initrd[@]+"${initrd[@]}"} \
	-drive "file=$image,if=none,id=root,format=raw,cache=unsafe" -device nvme,drive=root,serial=root \
	-drive "file=$disk,if=none,id=disk,format=raw,cache=unsafe,discard=unmap" \
	-device nvme,drive=disk,serial=disk \
	-append "console=$console quiet panic=-1 oops=panic watchdog_thresh=60 no_timer_check $root $*" \
	</dev/null
