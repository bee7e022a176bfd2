#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Removes what install.sh installed, including the service. Traces and configuration are kept unless
# --purge is given; on a terminal it asks before it deletes them.
#   --prefix DIR   where it was installed (default /usr/local)
#   --purge        also delete traces, state, configuration and log: /var/lib/iotrc, /etc/iotrc,
#                  /var/log/iotrc.log
#   -h, --help     print this text
# For packagers: DESTDIR in the environment is prepended to the prefix.
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
		sed -n '3,9s/^# \{0,1\}//p' "$0"
		exit ;;
	*)
		echo "uninstall.sh: $1: no such option, see ./uninstall.sh --help" >&2
		exit 2 ;;
	esac
	shift
done
if [[ $prefix != /* ]]; then
	echo "uninstall.sh: --prefix needs an absolute directory" >&2
	exit 2
fi
if [[ ! ${DESTDIR-} ]]; then
	if ((EUID)); then
		echo "uninstall.sh: needs root: sudo ./uninstall.sh" >&2
		exit 1
	fi
	if [[ -e /etc/systemd/system/iotrc.service || -e /etc/init.d/iotrc || -e /Library/LaunchDaemons/org.iotrc.plist ]]; then
		scripts/service.sh uninstall
	fi
fi
make uninstall PREFIX="$prefix"

for d in /var/lib/iotrc /etc/iotrc /var/log/iotrc.log; do
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
