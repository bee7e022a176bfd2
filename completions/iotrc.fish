# SPDX-License-Identifier: GPL-2.0-or-later
# Made by scripts/gen-completions.c (make docs) from the table of options: don't edit.
complete -c iotrc -n '__fish_seen_subcommand_from doctor' -a --json
complete -c iotrc -n '__fish_seen_subcommand_from doctor' -a --config
complete -c iotrc -n '__fish_seen_subcommand_from doctor' -a --bundle
complete -c iotrc -n '__fish_seen_subcommand_from doctor' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --anonymous
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --against
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --live
complete -c iotrc -n '__fish_seen_subcommand_from verify' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from recover' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --to
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --output
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --streams
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --where
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --columns
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --block
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --force
complete -c iotrc -n '__fish_seen_subcommand_from export' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --to
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --output
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --streams
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --where
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --columns
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --block
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --force
complete -c iotrc -n '__fish_seen_subcommand_from cat' -a --help
complete -c iotrc -n '__fish_seen_subcommand_from help' -a --help
complete -c iotrc -n __fish_use_subcommand -a dev -d 'record, with libbpf'\''s logs, and verify the session'
complete -c iotrc -n __fish_use_subcommand -a doctor -d 'say whether recording works here, and what it gives'
complete -c iotrc -n __fish_use_subcommand -a verify -d 'check sessions against their manifests'
complete -c iotrc -n __fish_use_subcommand -a recover -d 'finish sessions whose recorder was killed'
complete -c iotrc -n __fish_use_subcommand -a export -d 'write sessions as other programs read them'
complete -c iotrc -n __fish_use_subcommand -a cat -d 'print rows of sessions, merged and filtered'
complete -c iotrc -n __fish_use_subcommand -a upload -d 'send what of sessions isn'\''t sent yet'
complete -c iotrc -n __fish_use_subcommand -a help -d 'print the help of a command'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l output -s o -xa '(__fish_complete_directories)' -d 'where sessions go (default ./iotrc-traces)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l duration -s d -x -d 'stop after 30s, 5m, 2h, 1d (default: at Ctrl+C)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l verbose -s v -d 'say more'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l quiet -s q -d 'no status line, no summary'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l anonymize -s a -d 'tokens in the place of names and addresses; …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l state -xa '(__fish_complete_directories)' -d 'what is kept between sessions (default …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l on-overload -x -d 'lighten: compress less, then leave out getattr, …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l memory -x -d 'never use more: rings, queue and tables are made …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l streams -x -d 'of fs, block, nw_conn, nw_epoll, nw_sockopt, …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l network -d 'all network streams'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l no-network -d 'no network stream at all, nw_conn included'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l cache -d 'cache and pagefault, too (the default from 8 CPUs …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l no-cache -d 'neither of them'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l cache-sample -x -d 'cache: of one page in N, all events'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l scope -x -d 'all: also pipes, sockets, devices and pseudo …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l ops -x -d 'fs operations, such as open,read,rename …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l attach -x -d 'how to hook system calls …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l process-interval -x -d 'all processes, at the start and each TIME …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l fs-interval -x -d 'all files, and what has changed (default 1h)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l fs-full -d 'all files first, even if they are known'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l fs-busy -x -d 'wait while tasks stall for so much of the time …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l network-mounts -d 'network filesystems, too'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l no-snapshots -d 'neither processes, files nor system_spec'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l pid -x -d 'processes, up to 16'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l command -x -d 'thread names as ps -L -o comm shows them, up to 16'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l cgroup -xa '(__fish_complete_directories)' -d 'a cgroup v2: directory, path below the mount, or id'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l path -rF -d 'files at or below PREFIX; up to 16 times'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l rotate-age -x -d 'begin a new file after TIME (default 15m)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l rotate-size -x -d 'or at SIZE on disk: K, M, G (default 64M)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l rotate-rows -x -d 'or after N rows (default 0: never)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l min-free -x -d 'write nothing while the disk has less than this …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l max-disk -x -d 'of all sessions here; uploaded ones are removed …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l upload -x -d 'send finished files to s3://BUCKET/PREFIX, …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l no-upload -d 'keep everything here (the default)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l s3-endpoint -x -d 'of the S3-compatible store; {bucket} in its host …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l s3-region -x -d 'its region (default us-east-1)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l upload-credentials -rF -d 'keys or token (default: as AWS'\''s tools find them)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l upload-ca -rF -d 'authorities to trust, PEM (default: the system'\''s)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l upload-rate -x -d 'so many bytes per second: K, M, G (default: any)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l upload-parallel -x -d 'so many files at a time (default 2)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l upload-timeout -x -d 'how long the end of a recording waits (default …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l keep-uploaded -d 'what has been sent stays here, too (the default)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l telemetry -d 'tell the gateway of each session that is sent how …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l reward-code -x -d 'the code that a study thanks with'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l config -rF -d 'options from FILE, which these overrule'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l check-config -d 'is FILE right? (default …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l daemon -d 'go into the background once recording has begun'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l pid-file -rF -d 'one daemon only, and which it is'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l log-file -rF -d 'its messages (default: syslog)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l trace-bucket -x -d 'the dataset'\''s first directory (only with dev)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l keep-records -rF -d 'what rows are made of, too (only with dev)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l replay -rF -d 'make rows of such a file (only with dev)'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l reward -d 'the study'\''s thank-you code, once something is sent'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l test -d 'of upload: would the target take files? If not, …'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l help -s h -d 'this text'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l version -s V -d 'version and commit'
complete -c iotrc -n 'not __fish_seen_subcommand_from doctor verify recover export cat help' -l computer-id -d 'the machine id that sessions are filed under'
