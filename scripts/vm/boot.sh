#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# boot.sh VMLINUZ IMAGE SECONDS ARGUMENT…: boots a kernel under emulation (which needs no hardware
# and no privileges), with the image of make-root.sh as its root, and returns when it powers off. The console goes to stdout.
set -euo pipefail
vmlinuz=$1 image=$2 seconds=$3
shift 3
disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
truncate -s 64M "$disk"
# One more disk than the root, for tests that need one to themselves. One thread for both CPUs: with
# one each, QEMU now and then runs what the kernel has just patched out of its code (`Oops: int3`).
timeout --foreground "$seconds" qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 2 -m 1536 \
	-nodefaults -no-reboot -nographic -serial stdio -kernel "$vmlinuz" \
	-drive "file=$image,if=none,id=root,format=raw,cache=unsafe" -device nvme,drive=root,serial=root \
	-drive "file=$disk,if=none,id=disk,format=raw,cache=unsafe,discard=unmap" \
	-device nvme,drive=disk,serial=disk \
	-append "console=ttyS0 quiet panic=-1 oops=panic root=PARTUUID=696f7472-01 rootwait rw init=/init $*" </dev/null
