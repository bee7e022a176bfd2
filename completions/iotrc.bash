# SPDX-License-Identifier: GPL-2.0-or-later
# Made by scripts/gen-completions.c (make docs) from the table of options: don't edit.
_iotrc()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options

	case $prev in
	-o|--output) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	--state) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	--upload-credentials) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--upload-ca) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--metrics-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--config) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--pid-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--log-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--keep-records) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--replay) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--path) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--exclude-path) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--cgroup) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	-d|--duration|--on-overload|--memory|--streams|--cache-sample|--scope|--ops|--attach|--process-interval|--fs-interval|--fs-busy|--pid|--command|--exclude-command|--uid|--container|--slow|--rotate-age|--rotate-size|--rotate-rows|--min-free|--max-disk|--upload|--s3-endpoint|--s3-region|--upload-rate|--upload-parallel|--upload-timeout|--reward-code|--metrics-listen|--upload-format|--trace-bucket|--dtrace) return ;;
	esac
	case ${COMP_WORDS[1]} in
	run) options='-h --output --json --workspace --all --ignore --no-ignore --stat --keep --engine --wait --tree --strict --help' ;;
	check) options='-h --declared --nx --report --warn --strict --summary --write-declaration --reads --bazel-unused --depfile --null --output --json --workspace --all --ignore --no-ignore --stat --keep --engine --wait --help' ;;
	doctor) options='-h --json --config --bundle --help' ;;
	verify) options='-h --anonymous --against --live --jobs --help' ;;
	recover) options='-h --help' ;;
	export) options='-h --to --output --streams --where --columns --block --lake --force --ops --path --exclude-path --pid --command --exclude-command --uid --container --slow --errors --help' ;;
	cat) options='-h --to --output --streams --where --columns --block --lake --force --ops --path --exclude-path --pid --command --exclude-command --uid --container --slow --errors --help' ;;
	lake) options='-h --date --engine --grace --older-than --help' ;;
	summary) options='-h --by --stream --sort --top --duration --where --output --json --csv --slow --errors --ops --path --pid --command --scope --exclude-path --exclude-command --follow --uid --cgroup --container --help' ;;
	watch) options='-h --expression --where --json --format --duration --from --to --stuck --path --pid --command --slow --errors --scope --exclude-path --exclude-command --follow --uid --cgroup --container --help' ;;
	top) options='-h --by --sort --delay --iterations --batch --top --json --match --pid --command --scope --exclude-path --exclude-command --follow --uid --cgroup --container --help' ;;
	report) options='-h --output --force --anonymize --jobs --serve --port --help' ;;
	help) options='-h --help' ;;
	*) options='-o --output -d --duration -v --verbose -q --quiet -a --anonymize --state --on-overload --memory --streams --network --no-network --cache --no-cache --lineage --cache-sample --scope --ops --attach --process-interval --fs-interval --fs-full --fs-busy --network-mounts --no-snapshots --pid --command --follow --exclude-command --uid --cgroup --container --path --exclude-path --errors --slow --rotate-age --rotate-size --rotate-rows --min-free --max-disk --upload --no-upload --s3-endpoint --s3-region --upload-credentials --upload-ca --upload-rate --upload-parallel --upload-timeout --keep-uploaded --upload-later --telemetry --reward-code --metrics-file --metrics-listen --config --check-config --daemon --pid-file --log-file --upload-format --trace-bucket --keep-records --replay --dtrace --reward --test --continuous -h --help -V --version --computer-id' ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'dev run check doctor verify recover export cat lake summary watch top report upload help' -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _iotrc iotrc
