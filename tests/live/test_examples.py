# SPDX-License-Identifier: GPL-2.0-or-later
"""Every shell example of README, docs and help texts is run, in the order in which it stands.

A block that begins with ```sh is a shell example: its lines are run one by one in a directory of the
file's own, and must succeed. `sudo` is left out, as the tests run as root. A recording is interrupted
as soon as it records, whatever -d says, and a live summary ends after a second. A session's name stands for the newest one. What installs or changes this machine is run by other tests,
or would run this one: ELSEWHERE says where.
"""
import os
import pathlib
import re
import shutil
import stat
import subprocess

import pytest

import recorder

TOP = pathlib.Path(__file__).resolve().parents[2]
# Examples that other tests run.
ELSEWHERE = {
    r"^env .*pytest": "tests/live", # one by hand: run by all of them
    r"^\./(un)?install\.sh": "tests/packages/run.sh",
    r"service\.sh|^systemctl|^journalctl|^useradd": "tests/service",
    r"python3 -m iotrc": "tests/python/test_recipes.py", # needs pandas in the first python3 of PATH
    r"s3://|https://": "tests/upload", # with servers of their own
    r"--to parquet": "tests/python/test_parquet.py", # with DuckDB
    r"^iotrc lake ": "tests/python/test_lake.py", # likewise
    r"^iotrc .*--daemon": "tests/live/test_daemon.py",
    r"^iotrc report .*--serve": "tests/report", # runs until it is stopped
    r"^iotrc check .*(-- (npm|npx|make -B|sh -c 'cmake|\./tool))|^pre-commit":
        "tests/nx/test_recipes.py", # projects of their own
    r"^iotrc --check-config( |$)": "tests/packages/run.sh", # of the installed file
    r"^kubectl ": "tests/manifests", # its types alone: it needs a cluster
}
SESSION = re.compile(r"linux_v1/[0-9A-F]{16}/\d{8}_\d{6}_\d{3}")
COMMANDS = re.compile(r"^  (\w+) ", re.M)

IOTRC = """#!/usr/bin/python3
import os, signal, subprocess, sys, time
if sys.argv[1:2] in (["watch"], ["top"]) and "--" not in sys.argv and not any("iotrc-traces" in a for a in sys.argv):
    p = subprocess.Popen([{real!r}, *sys.argv[1:]], stderr=subprocess.PIPE)
    assert p.stderr.readline() == b"watching\\n"
    time.sleep(0.3)
    p.send_signal(signal.SIGINT)
    code = p.wait()
    sys.exit(0 if code == 3 else code)
if set(sys.argv[1:]) & {commands!r}:
    short = sys.argv[1] == "summary"
    os.execv({real!r}, [{real!r}, *["1s" if short and before == "-d" else a for before, a in zip(sys.argv, sys.argv[1:])]])
p = subprocess.Popen([{real!r}, *sys.argv[1:]], stdout=subprocess.PIPE)
print(p.stdout.readline().decode(), end="", flush=True)
time.sleep(0.3)
p.send_signal(signal.SIGINT)
code = p.wait()
sys.exit(0 if code == 3 else code) # a loaded machine may lose rows; that is not the example's fault
"""
# What make would do: the target exists, and what it needs can be made.
# make runs lines that call make even with -n: there is no directory then for packages of arm64.
MAKE = """#!/bin/sh
export IOTRC_ROOTS=/dev/null/none
exec /usr/bin/make -s -n -C {top} "$@" >/dev/null
"""


def blocks(text):
    """(info, lines) of every fenced block."""
    found, lines = [], None
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            if lines is None:
                info, lines = line.strip()[3:], []
            else:
                found.append((info, lines))
                lines = None
        elif lines is not None:
            lines.append(line)
    assert lines is None, "a block without an end"
    return found


def commands(lines):
    """Joins lines that end in a backslash; leaves out comments."""
    text = "\n".join(lines).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


@pytest.fixture
def directory(tmp_path):
    """An empty directory to run examples in; our programs come first in PATH."""
    bin_ = tmp_path / "bin"
    work = tmp_path / "work"
    bin_.mkdir()
    work.mkdir()
    (work / "names.txt").write_text("a name that nothing bears\n")
    (work / "main.c").write_text("int main(void) { return 0; }\n")
    help_text = recorder.run("--help").stdout
    words = set(COMMANDS.findall(help_text.split("Commands:")[1].split("\n\n")[0])) - {"dev"}
    words |= {"--help", "-h", "--version", "-V", "--computer-id", "--check-config", "--reward"}
    for name, text in (
        ("iotrc", IOTRC.format(real=recorder.IOTRC, commands=words)),
        ("make", MAKE.format(top=TOP)),
        ("sudo", '#!/bin/sh\nexec "$@"\n'),
    ):
        (bin_ / name).write_text(text)
        (bin_ / name).chmod(stat.S_IRWXU)
    return work


def run_all(lines, work):
    for line in lines:
        elsewhere = [where for what, where in ELSEWHERE.items() if re.search(what, line.removeprefix("sudo "))]
        if elsewhere:
            assert (TOP / elsewhere[0]).exists(), line
            continue
        sessions = sorted(work.glob("iotrc-traces/linux_v1/*/*"))
        if sessions:
            line = SESSION.sub("/".join(sessions[-1].parts[-3:]), line)
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], cwd=work, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PATH": f"{work.parent}/bin:{os.environ['PATH']}", "HOME": str(work)},
        )
        # It finds something clear in a session that isn't anonymised: that is a correct answer.
        codes = (0, 1) if "--anonymous" in line else (0,)
        assert done.returncode in codes, f"{line}\n{done.stdout}{done.stderr}"


PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in (TOP / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_a_page(page, directory):
    lines = []
    text = (TOP / page).read_text()
    assert not re.search(r"^    (sudo|iotrc|make|systemctl) ", text, re.M), f"{page}: commands must stand in a block"
    for info, block in blocks(text):
        if info == "sh":
            lines += commands(block)
        else: # a transcript shows what was typed after a $
            assert not re.match(r"(sudo|iotrc|make) ", block[0]), \
                f"{page}: a block with commands must begin with ```sh: {block}"
    run_all(lines, directory)


def help_texts():
    words = COMMANDS.findall(recorder.run("--help").stdout.split("Commands:")[1].split("\n\n")[0])
    return [(), *((word,) for word in words if word != "dev")]


@pytest.fixture(scope="session") # were it the module's, all tests of this file would run on one worker
def made(tmp_path_factory):
    """The session that the first of all examples makes."""
    output = tmp_path_factory.mktemp("made") / "iotrc-traces"
    with recorder.Recording(None, output=output, snapshots=True, code=None):
        pass
    return output


@pytest.mark.parametrize("words", help_texts(), ids=" ".join)
def test_examples_of_a_help_text(words, directory, request):
    """Each of these examples needs a session at iotrc-traces."""
    if words:
        shutil.copytree(request.getfixturevalue("made"), directory / "iotrc-traces")
    text = recorder.run(*words, "--help").stdout
    assert "EXAMPLES:" in text, words
    examples = text.split("EXAMPLES:\n")[1].split("\n\n")[0].splitlines()
    run_all(commands(re.sub(r"  +#? .*", "", line.strip()) for line in examples), directory)
