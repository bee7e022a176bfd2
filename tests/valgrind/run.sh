#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh IOTRC: the program from start to end under valgrind: what isn't freed, or was never set, is a failure.
# It knows bpf(2). Rows may be lost, as all is twenty times slower. Closes with `N passed, N failed`.
set -euo pipefail
iotrc=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
mkdir -m 700 state
mkdir work target
passed=0 failed=0

check() { # WHAT CODES ARGUMENT…
	local what=$1 codes=$2 code=0 log
	shift 2
	valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect \
		--suppressions="$here/libbpf.supp" --log-file="log.%p" "$iotrc" "$@" >stdout 2>stderr </dev/null || code=$?
	# A daemon ends later. Its exit code is not known here, but what valgrind found in it is.
	for log in log.*; do
		while kill -0 "${log#log.}" 2>/dev/null; do sleep 0.1; done
	done
	if [[ " $codes " == *" $code "* ]] && ! grep -hqE 'Invalid|lost in loss' log.*; then
		echo "ok      $what"
		passed=$((passed + 1))
	else
		echo "FAILED  $what: exit code $code"
		cat stderr
		grep -hv 'WARNING: unhandled eBPF command' log.* || true
		failed=$((failed + 1))
	fi
	rm -f log.*
}

# Waits for the program in the background, which SIGNAL must have ended.
ended_by() { # SIGNAL
	local code=0
	wait $! 2>/dev/null || code=$?
	((code == 128 + $(kill -l "$1")))
}

record=(--no-snapshots --path "$directory/work" -q -o traces)
check "start and stop, everything on" "0 3" --network --cache --state state --path "$directory/work" \
	--process-interval 5s --fs-interval 1h -d 3s -q -o traces
check "start and stop, anonymised" "0 3" -a --state state --no-snapshots --path "$directory/work" -d 2s -q -o traces
# One that is killed, without valgrind: what it leaves behind is to be recovered.
"$iotrc" "${record[@]}" >session &
until [[ -s session ]]; do sleep 0.1; done
touch work/file
sleep 1
kill -KILL $!
ended_by KILL
check "verify what was killed" 1 verify traces
check "recover" 0 recover traces
check "verify --anonymous" "0 1" verify --anonymous traces --against session
check "upload" 0 upload traces --upload "file://$directory/target"
check "doctor" "0 1" doctor
touch log-of-others
ln log-of-others its-log
while :; do /bin/true; done & # something to record
check "a daemon that has started and then cannot write its log" 1 --no-snapshots --daemon --log-file its-log -o daemon
kill $!
ended_by TERM
check "a wrong command line" 2 --no-such-option
echo "$passed passed, $failed failed"
((!failed))
