# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# To be sourced: the packages that test machines have, with all that these depend on.

PACKAGES='bash btrfs-progs coreutils dash dmsetup e2fsprogs hostname iproute2 kmod libc-bin mount procps python3
	python3-pandas python3-pytest python3-zstandard strace util-linux xfsprogs zstd'
# Programs that tests run as they find them.
PROGRAMS='attr f2fs-tools findutils fio git grep gzip libaio1 libcap2-bin liburing2 make rsync sed sqlite3 tar'
# What iotrc is linked with, where that isn't this machine's own.
LIBRARIES='libc6-dev libbpf-dev libelf-dev zlib1g-dev libzstd-dev
	libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev libncurses-dev libpcre2-dev libseccomp-dev libssl-dev libcriterion-dev
	libfuse3-dev'
