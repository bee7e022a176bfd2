#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""verify.py SESSION IOTRC...: CPU time of `iotrc verify` by several builds, beside that of reading the same bytes:
`zstd -d` with SHA-256 of the compressed files (which verify computes), and with SHA-256 of the rows. In turns; the least
of the rounds counts, because other load only adds to it."""
import pathlib
import resource
import subprocess
import sys

ROUNDS = 7


def cpu(*argv):
    """User time: what the kernel does is the same for all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main():
    session, builds = sys.argv[1], sys.argv[2:]
    files = sorted(map(str, pathlib.Path(session).rglob("*.csv.zst")))
    commands = {
        "zstd -d, sha256sum of the files": ("sh", "-c", 'zstd -dcq -- "$@" | cat > /dev/null; sha256sum -- "$@"', "sh", *files),
        "zstd -d | sha256sum": ("sh", "-c", 'zstd -dcq -- "$@" | sha256sum', "sh", *files),
        **{build: (build, "verify", session) for build in builds},
    }
    seconds = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            seconds[name].append(cpu(*command))
    least = {name: min(times) for name, times in seconds.items()}
    floors = list(least.values())[:2]
    print(f"{'':44}{'s':>8}{'speed, of the first':>22}{'of the second':>16}")
    for name, s in least.items():
        print(f"{name[-42:]:44}{s:8.3f}{floors[0] / s:22.2f}{floors[1] / s:16.2f}")


main()
