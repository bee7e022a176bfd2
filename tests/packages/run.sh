#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh BUILD [SUITE…]: what people get who install iotrc. Scripts and pages by their linters,
# completions by the shells themselves, the Debian package through its life, and install.sh in fresh
# roots of those suites (default: the one this machine runs, and its like of Ubuntu). Root. Closes with
# `N passed, N failed`.
set -uo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd) || exit 2
shift
suites=("$@")
(($#)) || suites=(this ubuntu)
cd "$top" || exit 2
work=$(mktemp -d)
passed=0 failed=0

cleanup() {
	local m
	while read -r m; do
		umount -l "$m"
	done < <(awk -v w="$work/" 'index($2, w) == 1 { print $2 }' /proc/mounts | tac)
	rm -rf "$work"
}
trap cleanup EXIT

# check NAME COMMAND…: what it prints is shown when it fails.
check() {
	local name=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok    $name"
	else
		failed=$((failed + 1))
		echo "FAIL  $name"
		tail -n 25 "$work/out" | sed 's/^/      /'
	fi
}

# ---- linters ----

scripts() { git ls-files | xargs grep -lE '^#!/bin/(ba)?sh' --; }
lint_scripts() { scripts | xargs shellcheck; }
lint_pages() { ! mandoc -Tlint -W warning man/* | grep .; }
check "shellcheck: every script" lint_scripts
check "mandoc: every page" lint_pages

# ---- completions ----

in_bash() { # the last word is completed
	bash -c '. completions/iotrc.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _iotrc
		printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}
same() { diff <(printf '%s\n' "${@:2}") <(sort <<<"$1"); }
complete_bash() {
	same "$(in_bash iotrc --strea)" --streams &&
		same "$(in_bash iotrc veri)" verify &&
		same "$(in_bash iotrc doctor --)" --bundle --config --help --json &&
		same "$(in_bash iotrc -o scr)" scripts &&
		same "$(in_bash iotrc --config Makef)" Makefile
}
complete_fish() {
	local answer
	answer=$(fish --no-config -c 'source completions/iotrc.fish; complete -C "iotrc --strea"') || return
	[[ $answer == --streams* ]] || { echo "$answer"; return 1; }
	answer=$(fish --no-config -c 'source completions/iotrc.fish; complete -C "iotrc veri"')
	[[ $answer == verify* ]] || { echo "$answer"; return 1; }
	same "$(fish --no-config -c 'source completions/iotrc.fish; complete -C "iotrc verify --a"')" --against --anonymous
}
check "bash completes options, commands, directories and files" complete_bash
check "zsh completes options" timeout 60 zsh -f tests/packages/complete.zsh 'iotrc --strea' --streams
check "zsh completes a command's options" timeout 60 zsh -f tests/packages/complete.zsh 'iotrc doctor --js' --json
check "fish completes options and commands" complete_fish
# zsh_looks PATH…: where Debian's zsh looks for completions.
zsh_looks() {
	local path
	for path; do
		zsh -fc 'print -l $fpath' | grep -Fx "${path%/_iotrc}" || { echo "not in fpath: $path"; return 1; }
	done
}
installed_completions() {
	make -s install BUILD="$build" DESTDIR="$work/installed" PREFIX=/usr/local &&
		zsh_looks "$(cd "$work/installed" && find . -name _iotrc | sed 's/^.//')"
}
check "make install puts zsh's completion where zsh looks" installed_completions

# ---- fresh systems ----

# root NAME [SUITE]: an own copy of a minimal Debian, at $work/NAME.
root() {
	local lower at=$work/$1
	lower=$(scripts/vm/fetch-debian.sh "${2-$1}" ca-certificates) || return
	mkdir -p "$at" "$work/$1.rw"
	mount -t tmpfs rw "$work/$1.rw" && mkdir "$work/$1.rw"/{upper,work} &&
		mount -t overlay -o "lowerdir=$lower,upperdir=$work/$1.rw/upper,workdir=$work/$1.rw/work" root "$at" &&
		mount -t proc proc "$at/proc" && mount --rbind /sys "$at/sys" && mount --make-rslave "$at/sys" &&
		mount --rbind /dev "$at/dev" && mount --make-rslave "$at/dev" || return
	# How this machine's apt reaches the archive.
	cp -a /etc/apt/apt.conf.d/. "$at/etc/apt/apt.conf.d/"
	cp -L /etc/resolv.conf "$at/etc/resolv.conf"
	cp /etc/machine-id "$at/etc/" # recordings need one
	inside "$1" apt-get -q update
}
# What is Ubuntu's own for us, in a root of this machine's suite: its name, and that bpftool is a wrapper that
# fails unless it knows the running kernel, the real one being among the tools of some kernel.
ubuntu() {
	local at=$work/ubuntu package
	root ubuntu this || return
	rm -f "$at/etc/os-release"
	printf '%s\n' 'NAME="Ubuntu"' ID=ubuntu ID_LIKE=debian >"$at/etc/os-release"
	for package in common generic; do
		mkdir -p "$work/tools-$package/DEBIAN"
		printf '%s\n' "Package: linux-tools-$package" 'Version: 1' 'Architecture: all' 'Maintainer: a test' \
			'Description: as of Ubuntu' >"$work/tools-$package/DEBIAN/control"
	done
	install -Dm755 /dev/stdin "$work/tools-common/usr/sbin/bpftool" <<<$'#!/bin/sh\necho "WARNING: bpftool not found for kernel" >&2\nexit 2'
	install -D "$(command -v bpftool)" "$work/tools-generic/usr/lib/linux-tools/6.8.0-1-generic/bpftool"
	mkdir "$at/repository"
	for package in common generic; do
		dpkg-deb -b "$work/tools-$package" "$at/repository" || return
	done
	(cd "$at/repository" && dpkg-scanpackages . >Packages) &&
		echo 'deb [trusted=yes] file:/repository ./' >"$at/etc/apt/sources.list.d/tools.list" &&
		printf '%s\n' 'Package: bpftool' 'Pin: release *' 'Pin-Priority: -1' >"$at/etc/apt/preferences.d/bpftool" &&
		inside ubuntu apt-get -q update && ! inside ubuntu apt-get -s install bpftool
}
inside() { # SUITE COMMAND…
	chroot "$work/$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LC_ALL=C DEBIAN_FRONTEND=noninteractive "${@:2}"
}
# All files of a system but those of the package manager's own.
files_of() {
	(cd "$work/$1" && find . -xdev \( -path './var/lib/dpkg' -o -path './var/lib/apt' -o -path './var/cache' \
		-o -path './var/log' -o -path './root/iotrc' -o -path './tmp' \) -prune -o -print | sort)
}

# ---- the Debian package ----

deb_of() { make -s deb BUILD="$build" && deb=$(ls "$build"/deb/iotrc_*.deb); }
# The same package, one version later.
next_deb() {
	dpkg-deb -R "$deb" "$work/next" && sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control" &&
		dpkg-deb -b "$work/next" "$work/next.deb"
}
deb_install() {
	cp "$deb" "$work/$suite/tmp/iotrc.deb" && inside "$suite" apt-get -q -y --no-install-recommends install /tmp/iotrc.deb &&
		inside "$suite" iotrc --version && inside "$suite" iotrc --check-config &&
		inside "$suite" dpkg --verify iotrc && grep -q leeoniya/uPlot "$work/$suite/usr/bin/iotrc" # draws reports
}
deb_records() {
	inside "$suite" iotrc --no-snapshots --state /tmp/state -o /tmp/traces -d 1s
}
deb_upgrade() {
	echo '# mine' >>"$work/$suite/etc/iotrc/iotrc.conf"
	cp "$work/next.deb" "$work/$suite/tmp/next.deb" && inside "$suite" apt-get -q -y install /tmp/next.deb &&
		grep -qx '# mine' "$work/$suite/etc/iotrc/iotrc.conf" &&
		inside "$suite" dpkg -s iotrc | grep -q '^Version: .*+next$'
}
deb_remove() {
	inside "$suite" apt-get -q -y remove iotrc && [[ ! -e $work/$suite/usr/bin/iotrc ]] &&
		grep -qx '# mine' "$work/$suite/etc/iotrc/iotrc.conf"
}
deb_purge() {
	inside "$suite" apt-get -q -y purge iotrc && inside "$suite" apt-get -q -y autoremove --purge &&
		diff "$work/before" <(files_of "$suite")
}

# python3-iotrc, which needs no iotrc beside it: what was recorded is loaded.
python_install() {
	cp "$build"/deb/python3-iotrc_*.deb "$work/$suite/tmp/python3-iotrc.deb" &&
		inside "$suite" apt-get -q -y --no-install-recommends install /tmp/python3-iotrc.deb &&
		inside "$suite" dpkg --verify python3-iotrc
}
python_loads() {
	inside "$suite" python3 - <<-'EOF'
		import iotrc, json, pathlib
		assert iotrc.__file__ == "/usr/lib/python3/dist-packages/iotrc.py", iotrc.__file__
		manifest, = pathlib.Path("/tmp/traces").rglob("manifest.json")
		written = json.loads(manifest.read_text())["diagnostics"]["streams"]["fs"]["written"]
		assert len(iotrc.load("/tmp/traces", "fs")) == written > 0, written
	EOF
}
python_purge() {
	inside "$suite" apt-get -q -y purge python3-iotrc &&
		[[ -z $(find "$work/$suite/usr/lib/python3" -name '*iotrc*') ]]
}

suite=this
check "make deb: builds, and lintian finds nothing" deb_of
deb_completions() { zsh_looks "$(dpkg-deb -c "$deb" | sed -n 's|.* \.\(/.*/_iotrc\)$|\1|p')"; }
check "it has zsh's completion where zsh looks" deb_completions
check "a later version of it" next_deb
check "a fresh Debian" root this
files_of this >"$work/before"
check "the package installs" deb_install
check "it records" deb_records
check "upgrades, and leaves the configuration as it was edited" deb_upgrade
check "is removed, but for the configuration" deb_remove
check "is purged without a trace" deb_purge
check "python3-iotrc installs" python_install
check "it loads what was recorded" python_loads
check "is purged" python_purge

# ---- install.sh ----

sources() { # of what is committed, as a release has them
	mkdir -p "$work/$suite/root/iotrc" && git archive HEAD | tar -x -C "$work/$suite/root/iotrc"
}
install_sh() {
	inside "$suite" /root/iotrc/install.sh </dev/null && inside "$suite" iotrc --version &&
		inside "$suite" iotrc --help
}
again() {
	inside "$suite" /root/iotrc/install.sh </dev/null | tee "$work/again" && grep -q '^Installed .* again' "$work/again"
}
uninstall_sh() {
	mkdir -p "$work/$suite/var/lib/iotrc/traces"
	inside "$suite" /root/iotrc/uninstall.sh </dev/null && [[ -d $work/$suite/var/lib/iotrc/traces ]] &&
		inside "$suite" /root/iotrc/uninstall.sh --purge </dev/null && [[ ! -e $work/$suite/var/lib/iotrc ]] &&
		diff "$work/before" <(local_files "$suite")
}
local_files() {
	(cd "$work/$1" && find usr/local -type f | sort)
}
for suite in "${suites[@]}"; do
	if [[ $suite == ubuntu ]]; then
		check "a fresh root like Ubuntu's" ubuntu
	elif [[ ! -d $work/$suite ]]; then
		check "a fresh $suite" root "$suite"
	fi
	local_files "$suite" >"$work/before"
	check "$suite: the sources" sources
	check "$suite: install.sh installs what is missing, builds, installs" install_sh
	check "$suite: again" again
	check "$suite: uninstall.sh takes all away, traces only with --purge" uninstall_sh
done

echo "$passed passed, $failed failed"
((!failed))
