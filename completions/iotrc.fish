# SPDX-License-Identifier: GPL-2.0-or-later
# Made by scripts/gen-completions.c (make docs) from the table of options: don't edit.
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --output
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --json
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --workspace
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --all
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --ignore
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --no-ignore
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --stat
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --keep
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --engine
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --wait
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --tree
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --strict
complete -c iotrc -n '__fish_seen_subcommand_from run' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --declared
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --nx
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --report
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --warn
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --strict
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --summary
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --write-declaration
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --reads
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --bazel-unused
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --depfile
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --null
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --output
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --json
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --workspace
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --all
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --ignore
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --no-ignore
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --stat
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --keep
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --engine
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --wait
complete -c iotrc -n '__fish_seen_subcommand_from check' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from doctor' -a --json
complete -c iotrc -n '__fish_seen_subcommand_from doctor' -a --config
complete -c iotrc -n '__fish_seen_subcommand_from doctor' -a --bundle
complete -c iotrc -n '__fish_seen_subcommand_from doctor' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --anonymous
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --against
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --live
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --jobs
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from recover' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --to
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --output
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --streams
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --where
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --columns
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --block
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --lake
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --force
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --ops
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --path
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --exclude-path
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --pid
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --command
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --exclude-command
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --uid
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --container
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --slow
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --errors
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --to
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --output
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --streams
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --where
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --columns
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --block
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --lake
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --force
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --ops
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --path
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --exclude-path
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --pid
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --command
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --exclude-command
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --uid
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --container
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --slow
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --errors
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from lake' -a --date
complete -c iotrc -n '__fish_seen_subcommand_from lake' -a --engine
complete -c iotrc -n '__fish_seen_subcommand_from lake' -a --grace
complete -c iotrc -n '__fish_seen_subcommand_from lake' -a --older-than
complete -c iotrc -n '__fish_seen_subcommand_from lake' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --by
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --stream
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --sort
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --top
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --duration
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --where
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --output
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --json
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --csv
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --slow
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --errors
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --ops
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --path
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --pid
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --command
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --scope
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --exclude-path
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --exclude-command
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --follow
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --uid
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --cgroup
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --container
complete -c iotrc -n '__fish_seen_subcommand_from summary' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --expression
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --where
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --json
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --format
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --duration
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --from
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --to
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --stuck
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --path
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --pid
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --command
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --slow
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --errors
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --scope
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --exclude-path
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --exclude-command
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --follow
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --uid
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --cgroup
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --container
complete -c iotrc -n '__fish_seen_subcommand_from watch' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --by
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --sort
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --delay
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --iterations
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --batch
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --top
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --json
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --match
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --pid
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --command
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --scope
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --exclude-path
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --exclude-command
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --follow
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --uid
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --cgroup
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --container
complete -c iotrc -n '__fish_seen_subcommand_from top' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from report' -a --output
complete -c iotrc -n '__fish_seen_subcommand_from report' -a --force
complete -c iotrc -n '__fish_seen_subcommand_from report' -a --anonymize
complete -c iotrc -n '__fish_seen_subcommand_from report' -a --jobs
complete -c iotrc -n '__fish_seen_subcommand_from report' -a --serve
complete -c iotrc -n '__fish_seen_subcommand_from report' -a --port
complete -c iotrc -n '__fish_seen_subcommand_from report' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from help' -a --help
complete -c iotrc -n __fish_use_subcommand -a dev -d 'record with libbpf'\''s logs, then verify the session'
complete -c iotrc -n __fish_use_subcommand -a run -d 'run a command and report which files it read and wrote'
complete -c iotrc -n __fish_use_subcommand -a check -d 'compare a command'\''s files with a declaration'
complete -c iotrc -n __fish_use_subcommand -a doctor -d 'check whether recording works on this machine'
complete -c iotrc -n __fish_use_subcommand -a verify -d 'check sessions against their manifests'
complete -c iotrc -n __fish_use_subcommand -a recover -d 'repair sessions after a crash or power failure'
complete -c iotrc -n __fish_use_subcommand -a export -d 'convert sessions to the formats of other programs'
complete -c iotrc -n __fish_use_subcommand -a cat -d 'print rows of sessions, merged and filtered'
complete -c iotrc -n __fish_use_subcommand -a lake -d 'manage the Parquet files of many sessions'
complete -c iotrc -n __fish_use_subcommand -a summary -d 'count calls, errors, time and bytes by file, process...'
complete -c iotrc -n __fish_use_subcommand -a watch -d 'show operations as lines, live or of a session'
complete -c iotrc -n __fish_use_subcommand -a top -d 'show live I/O by process, file..., as a screen'
complete -c iotrc -n __fish_use_subcommand -a report -d 'make a page with charts and tables of a session'
complete -c iotrc -n __fish_use_subcommand -a upload -d 'send files that are not at the target yet'
complete -c iotrc -n __fish_use_subcommand -a help -d 'print the help of a command'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l output -s o -xa '(__fish_complete_directories)' -d 'where sessions go (default ./iotrc-traces)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l duration -s d -x -d 'stop after 30s, 5m, 2h, 1d (default: at Ctrl+C)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l verbose -s v -d 'print more details'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l quiet -s q -d 'no status line, no summary'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l anonymize -s a -d 'replace names and addresses by keyed tokens; …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l state -xa '(__fish_complete_directories)' -d 'directory for data kept between sessions …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l on-overload -x -d 'when overloaded: count lost rows, or lighten first: …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l memory -x -d 'upper limit; rings, queue and tables are sized …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l streams -x -d 'fs, block, nw_conn, nw_epoll, nw_sockopt, nw_drop, nw_flow, cache, pagefault, extent (default: the first three)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l network -d 'add all network streams'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l no-network -d 'no network streams, not even nw_conn'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l cache -d 'add cache and pagefault (default on machines with …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l no-cache -d 'neither cache nor pagefault'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l lineage -d 'add extent and block: the file, the bytes and the …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l cache-sample -x -d 'cache: record one page in N, with all its events'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l scope -x -d 'all: also pipes, sockets, devices and pseudo …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l ops -x -d 'fs operations, such as open,read,rename; '\''!LIST'\'': …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l attach -x -d 'how to hook system calls …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l process-interval -x -d 'list all processes at the start and every TIME …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l fs-interval -x -d 'list all files at first, then changes every TIME …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l fs-full -d 'list all files at first, even those already known'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l fs-busy -x -d 'pause while tasks stall for more than PERCENT of …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l network-mounts -d 'include network filesystems'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l no-snapshots -d 'no snapshots of processes and files, no …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l pid -x -d 'up to 16 process ids; descendants are recorded too'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l command -x -d 'up to 16 thread names, as ps -L -o comm shows them'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l follow -d 'also all that threads of --command start'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l exclude-command -x -d 'not threads of these names'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l uid -x -d 'processes of these users, by name or number (the …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l cgroup -xa '(__fish_complete_directories)' -d 'a cgroup (v2) with those below: its directory, path …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l container -x -d 'a running container, by its name or 12 digits of its …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l path -rF -d 'files at or below PREFIX; may be given 16 times'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l exclude-path -rF -d 'not files at or below PREFIX; may be given 16 times'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l errors -d 'only what failed'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l slow -x -d 'only what took at least TIME (10ms)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l rotate-age -x -d 'start a new file after TIME (default 15m)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l rotate-size -x -d 'or at SIZE on disk: K, M, G (default 64M)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l rotate-rows -x -d 'or after N rows (default 0: never)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l min-free -x -d 'pause writing while the disk has less free space …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l max-disk -x -d 'limit for all sessions in the output directory; …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l upload -x -d 'send finished files to s3://BUCKET/PREFIX, …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l no-upload -d 'send nothing (the default)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l s3-endpoint -x -d 'URL of the S3-compatible store; {bucket} in the …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l s3-region -x -d 'region of the store (default us-east-1)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l upload-credentials -rF -d 'file with keys or token (default: where AWS tools …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l upload-ca -rF -d 'CA certificates to trust, PEM (default: the …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l upload-rate -x -d 'limit in bytes per second: K, M, G (default: none)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l upload-parallel -x -d 'files to send at the same time (default 2)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l upload-timeout -x -d 'how long to wait for uploads when a recording ends …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l keep-uploaded -d 'keep files after they have been sent (default yes)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l upload-later -d 'only mark the session: iotrc upload sends it, as in …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l telemetry -d 'report to the gateway, for each session sent, its …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l reward-code -x -d 'the code that --reward prints, set by a study'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l metrics-file -rF -d 'write metrics to FILE every 15 seconds, for …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l metrics-listen -x -d 'answer GET /metrics over HTTP at [ADDRESS:]PORT …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l config -rF -d 'read options from FILE; the command line overrides …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l check-config -d 'check FILE for mistakes (default …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l daemon -d 'go into the background once recording has begun'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l pid-file -rF -d 'write the daemon'\''s process id to FILE and lock it'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l log-file -rF -d 'append the daemon'\''s messages (default: syslog)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l upload-format -x -d 'with upload: csv (the default), parquet: add the …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l trace-bucket -x -d 'first directory below the output (only with dev)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l keep-records -rF -d 'also keep the engine'\''s records (only with dev)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l replay -rF -d 'make rows from kept records (only with dev)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l dtrace -x -d 'record with DTrace, run by PROGRAM (only with dev)'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l reward -d 'print the study'\''s code, once something was sent'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l test -d 'with upload: check whether the target accepts …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l continuous -d 'with upload: send what recordings finish, until …'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l help -s h -d 'print this text'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l version -s V -d 'print version and commit'
complete -c iotrc -n 'not __fish_seen_subcommand_from run check doctor verify recover export cat lake summary watch top report help' -l computer-id -d 'print the machine id used in session paths'
