# SPDX-License-Identifier: GPL-2.0-or-later
"""How the program was built, according to readelf: the protections against overflows."""
import pathlib
import platform
import re
import subprocess

import pytest

import recorder

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
X86 = platform.machine() == "x86_64"


def readelf(*args):
    return subprocess.run(["readelf", "-W", *args, recorder.IOTRC], check=True, capture_output=True, text=True).stdout


def is_static():
    return "There is no dynamic section" in readelf("-d") or "NEEDED" not in readelf("-d")


def test_it_is_loaded_anywhere():
    assert re.search(r"Type:\s+DYN", readelf("-h"))
    assert re.search(r"FLAGS_1.*\bPIE\b", readelf("-d"))


def test_what_is_linked_is_written_once():
    """Full RELRO: everything is bound at the start, and then read-only."""
    assert "GNU_RELRO" in readelf("-l")
    assert re.search(r"\(FLAGS\).*BIND_NOW|FLAGS_1.*\bNOW\b", readelf("-d"))


def test_no_memory_is_written_and_run():
    segments = readelf("-l")
    assert re.search(r"GNU_STACK.* RW ", segments)
    for line in segments.splitlines():
        assert not re.search(r"^\s+LOAD.* RWE ", line), line


def test_the_stack_is_guarded():
    assert "__stack_chk_fail" in readelf("--dyn-syms")


@pytest.mark.parametrize("name", ["__snprintf_chk", "__vsnprintf_chk", "__memcpy_chk|__memset_chk|__strcpy_chk|__read_chk"])
def test_the_c_library_checks_sizes(name):
    assert re.search(rf"\b({name})\b", readelf("--dyn-syms")), name


def instructions(name):
    """The first two instructions of a function."""
    lines = subprocess.run(["objdump", "-d", f"--disassemble={name}", "--no-show-raw-insn", recorder.IOTRC],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.endswith(f"<{name}>:"))
    return [line.split(":", 1)[1].split()[0] for line in lines[start + 1:start + 3]]


@pytest.mark.parametrize("name", ["main", "verify__dir", "record__run"])
def test_jumps_are_checked(name):
    """Protections by the processor: CET of x86, BTI and signed return addresses of arm64. Marking the whole program
    (readelf -n) would need a C library that is marked, which Debian's isn't."""
    assert set(instructions(name)) & ({"endbr64"} if X86 else {"bti", "paciasp"}), instructions(name)


def test_it_does_not_say_where_it_was_built():
    """Reproducible builds: the same bytes from any directory (make check-build compares two)."""
    program = pathlib.Path(recorder.IOTRC).read_bytes()
    assert str(ROOT).encode() not in program
