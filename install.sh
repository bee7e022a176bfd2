#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds iotrc from this directory and installs it: program, manual pages, completions. Again: updates
# it. Asks nothing.
#   --prefix DIR   where to (default /usr/local)
#   --service      install and start the service, too: it records from now on and after each boot
#   --no-deps      don't install what building needs by the package manager
#   -h, --help     this text
# DESTDIR in the environment is put before the prefix, for packagers.
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
	echo "install.sh: --prefix: an absolute directory is needed" >&2
	exit 2
fi
[[ $(uname -s) == Linux ]] || fail "runs on Linux only, so far"
[[ ! $service || ! ${DESTDIR-} ]] || fail "--service is for this system: not with DESTDIR"
# The nearest directory that is there must be ours to write to.
there=${DESTDIR-}$prefix
while [[ ! -e $there ]]; do
	there=$(dirname "$there")
done
[[ -w $there && (! $service || $EUID == 0) ]] || fail "needs root: sudo ./install.sh"

program=${DESTDIR-}$prefix/bin/iotrc
before=
[[ ! -x $program ]] || before=$("$program" --version) || before='one that does not run'

if [[ $deps ]]; then
	echo "Looking for what building needs"
	scripts/install-deps.sh run
fi
echo "Building"
make all
echo "Installing"
make install PREFIX="$prefix"
now=$("$program" --version)
if [[ $before && $before != "$now" ]]; then
	echo "Updated $before to $now."
elif [[ $before ]]; then
	echo "Installed $now again."
else
	echo "Installed $now."
fi

# A service that is there runs the new program.
if [[ $service ]] || { [[ ! ${DESTDIR-} && $EUID == 0 ]] && scripts/service.sh status >/dev/null 2>&1; }; then
	PREFIX=$prefix scripts/service.sh install
else
	echo "Next: sudo iotrc records until Ctrl+C; ./install.sh --service keeps it recording; man iotrc has the rest."
fi
[[ :$PATH: == *:$prefix/bin:* || ${DESTDIR-} ]] || echo "$prefix/bin isn't in your PATH."
