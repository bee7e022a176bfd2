#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# service.sh install|uninstall|status|start|stop|restart|reload|logs: iotrc as a service of this machine,
# by systemd, OpenRC or launchd.
#   install         install the service for the installed iotrc (PREFIX), with a configuration if there is
#                   none; start it now and at every boot; run it again to update
#   uninstall       stop and remove the service; --purge also removes configuration and traces
#   logs            show its messages; further arguments are passed to journalctl or tail (logs -f)
# DESTDIR in the environment is prepended to the paths of configuration, traces and service.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
conf=${DESTDIR-}/etc/iotrc/iotrc.conf
state=${DESTDIR-}/var/lib/iotrc
plist=${DESTDIR-}/Library/LaunchDaemons/org.iotrc.plist
daemon=system/org.iotrc
daemon_log=${DESTDIR-}/var/log/iotrc.log
units=/etc/systemd/system
generator=/etc/systemd/system-generators/iotrc
script=/etc/init.d/iotrc

fail() {
	echo "$0: $*" >&2
	exit 1
}

usage() {
	sed -n '3,10s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

if [[ $(uname -s) == Darwin ]]; then
	manager=launchd
elif [[ -d /run/systemd/system ]]; then
	manager=systemd
elif [[ -d /run/openrc ]] && command -v rc-service >/dev/null; then
	manager=openrc
else
	fail "neither systemd nor OpenRC is running; use 'iotrc --config $conf --daemon --pid-file /run/iotrc.pid'"
fi

# The directory of the program to run.
bindir() {
	local d
	for d in ${PREFIX:+"$PREFIX/bin"} "$here/../../bin" /usr/local/bin /usr/bin; do
		if [[ -x $d/iotrc ]]; then
			realpath "$d"
			return
		fi
	done
	fail "iotrc is not installed: run make install"
}

render() { # FILE MODE TO
	local rendered
	rendered=$(sed "s|@BINDIR@|$bin|g" "$here/$1")
	if [[ -e $3 && $(<"$3") == "$rendered" ]]; then
		return
	fi
	put "$2" "$3" <<<"$rendered"
}

# install -D of GNU, which macOS lacks.
put() { # MODE TO
	mkdir -p "$(dirname "$2")"
	cat >"$2.new"
	chmod "$1" "$2.new"
	mv "$2.new" "$2"
	echo "installed $2"
}

# state, pid, or the like of the daemon, those asked for with a / between them; nothing if launchd doesn't know it.
daemon_says() { # NAME…
	local all name values=()
	all=$(launchctl print "$daemon" 2>/dev/null) || return 0
	for name; do
		values+=("$(sed -n "s/^[[:space:]]*$name = //p" <<<"$all" | head -n 1)")
	done
	(IFS=/ && echo "${values[*]}")
}

# launchd itself kills only what it ends, not what we ask it to stop.
stop_daemon() {
	launchctl kill SIGTERM "$daemon" 2>/dev/null || return 0
	for ((i = 0; i < 350; i++)); do
		[[ $(daemon_says state) == running ]] || return 0
		sleep 0.2
	done
	launchctl kill SIGKILL "$daemon"
}

# launchd forgets a daemon only some time after it was told to.
remove_daemon() {
	[[ $(daemon_says state) ]] || return 0
	launchctl bootout "$daemon" 2>/dev/null || true
	for ((i = 0; i < 350; i++)); do
		[[ $(daemon_says state) ]] || return 0
		sleep 0.2
	done
	fail "launchd does not remove $daemon"
}

# Still later launchd takes one of that name again: until then it says 5, Input/output error.
bootstrap_daemon() {
	local said
	for ((i = 0; i < 75; i++)); do
		if said=$(launchctl bootstrap system "$plist" 2>&1); then
			return
		fi
		sleep 0.2
	done
	fail "launchd does not take $plist: $said"
}

log_lines() {
	[[ ! -e $daemon_log ]] || wc -l <"$daemon_log"
}

# Waits until it records: then it writes the path of its session. Where macOS forbids that, it ends within seconds and
# says why. LINES: of its log, before it was started.
watch_daemon() { # LINES
	local down=0
	for ((i = 0; i < 300; i++)); do
		if tail -n "+$(($1 + 1))" "$daemon_log" 2>/dev/null | grep '^/' >/dev/null; then
			return
		fi
		case $(daemon_says state 'last exit code') in
		running/* | xpcproxy/* | spawn*/*) down=0 ;;
		# launchd has loaded it, and may leave it at that.
		*never*) ((i != 10)) || launchctl kickstart "$daemon" || true ;;
		*) ((++down < 10)) || break ;;
		esac
		sleep 0.2
	done
	tail -n "+$(($1 + 1))" "$daemon_log" >&2 || true
	((i == 300)) || fail "iotrc does not record ($(how_it_ended)); the next try is at the next boot"
	fail "iotrc has not begun to record within a minute; see $0 logs"
}

# One that a signal has ended has no exit code.
how_it_ended() {
	local code
	code=$(daemon_says 'last exit code')
	if [[ $code ]]; then
		echo "exit code $code"
	else
		echo "ended by a signal"
	fi
}

start_daemon() {
	local lines
	case $(daemon_says state) in
	'') fail "the service is not installed: sudo $0 install" ;;
	running) return ;;
	esac
	lines=$(log_lines)
	launchctl kickstart "$daemon"
	watch_daemon "${lines:-0}"
}

install_daemon() {
	local lines
	remove_daemon
	lines=$(log_lines)
	[[ -e $state ]] || { mkdir -p "$(dirname "$state")" && mkdir -m 700 "$state"; }
	render iotrc.plist 644 "$plist"
	launchctl enable "$daemon"
	bootstrap_daemon
	watch_daemon "${lines:-0}"
}

install_service() {
	bin=$(bindir)
	if [[ ! -e $conf ]]; then
		put 640 "$conf" <"$here/iotrc.conf"
	fi
	"$bin/iotrc" --check-config "$conf" || fail "correct $conf, then run this again"
	if [[ $manager == launchd ]]; then
		install_daemon
	elif [[ $manager == systemd ]]; then
		# If a package or make install has installed a configuration, use that.
		if [[ -e $units/iotrc.service || -z $(systemctl show -p FragmentPath --value iotrc.service) ]]; then
			render iotrc.service 644 "$units/iotrc.service"
			render iotrc-upload.service 644 "$units/iotrc-upload.service"
			render iotrc-generator 755 "$generator"
		fi
		systemctl daemon-reload
		systemctl enable --quiet iotrc.service
		systemctl restart iotrc.service || {
			systemctl --no-pager --lines=20 status iotrc.service >&2 || true
			fail "the service does not start"
		}
	else
		render iotrc.openrc 755 "$script"
		rc-update add iotrc default >/dev/null
		rc-service iotrc restart
	fi
	echo "iotrc is recording, and will start at every boot; see $0 status"
}

uninstall_service() {
	if [[ $manager == launchd ]]; then
		remove_daemon
		rm -f "$plist"
	elif [[ $manager == systemd ]]; then
		systemctl disable --now --quiet iotrc.service 2>/dev/null || true
		rm -rf "$units"/iotrc{,-upload}.service{,.d} "$generator"
		systemctl daemon-reload
		systemctl reset-failed iotrc.service iotrc-upload.service 2>/dev/null || true
	else
		rc-service --ifexists iotrc stop || true
		rc-update del iotrc default >/dev/null 2>&1 || true
		rm -f "$script"
	fi
	if [[ ${1-} == --purge ]]; then
		rm -rf "$(dirname "$conf")" "$state"
		[[ $manager != launchd ]] || rm -f "$daemon_log"
		echo "removed the service, its configuration and its traces"
	else
		echo "removed the service; $conf and $state are kept (uninstall --purge removes them)"
	fi
}

root() {
	((EUID == 0)) || fail "needs root: sudo $0 $action"
}

action=${1-}
shift || usage
case $action in
install) root; install_service ;;
uninstall) root; uninstall_service "$@" ;;
status)
	if [[ $manager == launchd ]]; then
		state=$(daemon_says state)
		echo "iotrc is ${state:-not installed}$([[ $state == running ]] && echo ", process $(daemon_says pid)")"
		[[ $state == running ]] || {
			[[ ! $state ]] || echo "$(how_it_ended); see $0 logs"
			exit 3
		}
	elif [[ $manager == systemd ]]; then
		# The exit code is that of the recorder.
		[[ $(systemctl is-active iotrc-upload.service) == inactive ]] ||
			systemctl --no-pager --lines=3 status iotrc-upload.service || true
		systemctl --no-pager status iotrc.service
	else
		rc-service iotrc status
	fi ;;
start | stop | restart | reload)
	root
	if [[ $manager == launchd ]]; then
		case $action in
		reload) launchctl kill SIGHUP "$daemon" ;;
		*)
			[[ $action == start ]] || stop_daemon
			[[ $action == stop ]] || start_daemon ;;
		esac
	elif [[ $manager == systemd ]]; then
		systemctl "$action" iotrc.service
	else
		rc-service iotrc "$action"
	fi ;;
logs)
	if [[ $manager == launchd ]]; then
		tail "$@" "$daemon_log"
	elif [[ $manager == systemd ]]; then
		journalctl -u iotrc.service -u iotrc-upload.service "$@"
	else
		for log in /var/log/messages /var/log/syslog /var/log/daemon.log; do
			if [[ -r $log ]]; then
				tail "$@" "$log" | grep --line-buffered iotrc
				exit
			fi
		done
		fail "found no syslog file that is readable"
	fi ;;
*) usage ;;
esac
