#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Takes away what install.sh brought, the service included. Traces and configuration stay unless you
# say otherwise; on a terminal you are asked before they go.
#   --prefix DIR   where it was installed (default /usr/local)
#   --purge        traces, state and configuration as well: /var/lib/iotrc, /etc/iotrc
#   -h, --help     this text
# DESTDIR in the environment is put before the prefix, for packagers.
set -euo pipefail
cd "$(dirname "$0")"

prefix=/usr/local purge=
left=()
while (($#)); do
	case $1 in
	--prefix)
		prefix=${2-}
		shift ;;
	--prefix=*) prefix=${1#*=} ;;
	--purge) purge=yes ;;
	-h | --help)
		sed -n '3,8s/^# \{0,1\}//p' "$0"
		exit ;;
	*)
		echo "uninstall.sh: $1: no such option, see ./uninstall.sh --help" >&2
		exit 2 ;;
	esac
	shift
done
if [[ $prefix != /* ]]; then
	echo "uninstall.sh: --prefix: an absolute directory is needed" >&2
	exit 2
fi
if [[ ! ${DESTDIR-} ]]; then
	if ((EUID)); then
		echo "uninstall.sh: needs root: sudo ./uninstall.sh" >&2
		exit 1
	fi
	if [[ -e /etc/systemd/system/iotrc.service || -e /etc/init.d/iotrc ]]; then
		scripts/service.sh uninstall
	fi
fi
make uninstall PREFIX="$prefix"

for d in /var/lib/iotrc /etc/iotrc; do
	[[ ! -e ${DESTDIR-}$d ]] || left+=("${DESTDIR-}$d")
done
((${#left[@]})) || exit 0
if [[ -t 0 ]]; then
	du -sh "${left[@]}"
	read -r -p "Delete these, traces and configuration? [y/N] " answer
	purge=
	[[ $answer != [yY]* ]] || purge=yes
fi
if [[ $purge ]]; then
	rm -rf "${left[@]}"
	echo "Deleted ${left[*]}."
else
	echo "Left: ${left[*]} (./uninstall.sh --purge deletes them)."
fi
