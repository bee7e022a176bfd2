#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds iotrc from this directory and installs it: program, manual pages, completions. Run it again to
# update. Asks no questions.
#   --prefix DIR   where to install (default /usr/local)
#   --service      also install and start the service, which records now and after every boot
#   --no-deps      do not install build dependencies
#   -h, --help     print this text
# For packagers: DESTDIR in the environment is prepended to the prefix.
set -euo pipefail
cd "$(dirname "$0")"

prefix=/usr/local service='' deps=yes
usage() { sed -n '3,9s/^# \{0,1\}//p' "$0"; }
fail() {
	echo "install.sh: $*" >&2
	exit 1
}
while (($#)); do
	case $1 in
	--prefix)
		prefix=${2-}
		shift ;;
	--prefix=*) prefix=${1#*=} ;;
	--service) service=yes ;;
	--no-deps) deps= ;;
	-h | --help)
		usage
		exit ;;
	*)
		echo "install.sh: $1: no such option, see ./install.sh --help" >&2
		exit 2 ;;
	esac
	shift
done
if [[ $prefix != /* ]]; then
	echo "install.sh: --prefix needs an absolute directory" >&2
	exit 2
fi
system=$(uname -s)
[[ $system == Linux || $system == Darwin ]] || fail "iotrc runs only on Linux and macOS"
[[ $system != Darwin ]] || export PATH=$PATH:/opt/homebrew/bin:/usr/local/bin
[[ ! $service || ! ${DESTDIR-} ]] || fail "--service cannot be combined with DESTDIR"
# The nearest existing directory must be writable.
there=${DESTDIR-}$prefix
while [[ ! -e $there ]]; do
	there=$(dirname "$there")
done
[[ -w $there && (! $service || $EUID == 0) ]] || fail "needs root: sudo ./install.sh"

program=${DESTDIR-}$prefix/bin/iotrc
before=
[[ ! -x $program ]] || before=$("$program" --version) || before='one that does not run'

if [[ $deps ]]; then
	echo "Installing build dependencies"
	scripts/install-deps.sh run
	# The chart library of reports comes from npm; everything else works without it.
	scripts/install-deps.sh page || echo "install.sh: reports will have no charts" >&2
fi
echo "Building"
# macOS' own make is from 2006.
make="make"
[[ $system == Linux ]] || ! command -v gmake >/dev/null || make=gmake
"$make" all
echo "Installing"
"$make" install PREFIX="$prefix"
now=$("$program" --version)
if [[ $before && $before != "$now" ]]; then
	echo "Updated $before to $now."
elif [[ $before ]]; then
	echo "Installed $now again."
else
	echo "Installed $now."
fi

# Restarts an installed service, so that it runs the new program.
if [[ $service ]] || { [[ ! ${DESTDIR-} && $EUID == 0 ]] && scripts/service.sh status >/dev/null 2>&1; }; then
	PREFIX=$prefix scripts/service.sh install
else
	echo "Next: run sudo iotrc to record until Ctrl+C, or ./install.sh --service to record as a service; see man iotrc."
fi
[[ :$PATH: == *:$prefix/bin:* || ${DESTDIR-} ]] || echo "$prefix/bin isn't in your PATH."
