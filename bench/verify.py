#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""verify.py SESSION IOTRC...: CPU time of `iotrc verify` by several builds, and of `iotrc recover` of a copy whose files lack
their ends, beside that of reading the same bytes: `zstd -d` with SHA-256 of the compressed files (which both compute), and with
SHA-256 of the rows. All read COPIES copies of SESSION, so that starting the programs does not count. In turns; the least of the
rounds counts, because other load only adds to it."""
import json
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

ROUNDS = 7
COPIES = 8
END = 7 # bytes of a frame's end


def cpu(*argv):
    """User time: what the kernel does is the same for all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def copy(session, directory):
    for i in range(COPIES):
        shutil.copytree(session, directory / "linux_v1" / f"{i:016X}" / session.name)
    return str(directory)


def tear(directory):
    """Leaves the sessions as if their recorder had been killed."""
    for path in pathlib.Path(directory).rglob("*.csv.zst"):
        with open(path, "r+b") as f:
            f.truncate(path.stat().st_size - END)
        path.rename(f"{path}.part")
    for path in pathlib.Path(directory).rglob("manifest.json"):
        manifest = json.loads(path.read_text())
        manifest["session"]["state"] = "running"
        path.write_text(json.dumps(manifest | {"files": []}))


def recover(build, session, directory):
    shutil.rmtree(directory, ignore_errors=True)
    tear(copy(session, directory))
    return cpu(build, "recover", str(directory))


def main():
    session, builds = pathlib.Path(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as directory:
        measure(session, builds, pathlib.Path(directory))


def measure(session, builds, directory):
    sound = copy(session, directory / "sound")
    files = sorted(map(str, pathlib.Path(sound).rglob("*.csv.zst")))
    commands = {
        "zstd -d, sha256sum of the files": ("sh", "-c", 'zstd -dcq -- "$@"; sha256sum -- "$@"', "sh", *files),
        "zstd -d | sha256sum": ("sh", "-c", 'zstd -dcq -- "$@" | sha256sum', "sh", *files),
        **{build: (build, "verify", sound) for build in builds},
    }
    seconds = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            seconds[name].append(cpu(*command))
        for build in builds:
            seconds.setdefault(f"{build} recover", []).append(recover(build, session, directory / "torn"))
    least = {name: min(times) for name, times in seconds.items()}
    floors = list(least.values())[:2]
    print(f"{'':44}{'s':>8}{'speed, of the first':>22}{'of the second':>16}")
    for name, s in least.items():
        print(f"{name[-42:]:44}{s:8.3f}{floors[0] / s:22.2f}{floors[1] / s:16.2f}")


main()
