# SPDX-License-Identifier: GPL-2.0-or-later
"""`sudo iotrc run`, by the real sudo: the command is as if the user had started it."""
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile

import pytest

import recorder

USER = 65534  # nobody, which each Linux has
ENGINES = ["bpf", "strace"]
# What a program can see of how it was started.
ABOUT = """
import json, os, pathlib, sys
status = dict(line.rstrip().split(":", 1) for line in open("/proc/self/status"))
terminal = os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
json.dump({
    "ids": os.getresuid() + os.getresgid(), "groups": sorted(os.getgroups()), "environment": dict(os.environ), "cwd": os.getcwd(),
    **{key: status[key].strip() for key in ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "SigIgn", "SigBlk")},
    "umask": os.umask(0), "nice": os.getpriority(os.PRIO_PROCESS, 0), "terminal": terminal,
    "limits": pathlib.Path("/proc/self/limits").read_text(), "stdin": "" if terminal else sys.stdin.read(),
    "descriptors": sorted(os.listdir("/proc/self/fd"))[:3],
}, open(sys.argv[1], "w"))
open("made", "w").write("x")
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A directory of the user's. That of pytest is root's alone."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="iotrc-sudo-"))
    directory.chmod(0o755)
    os.chown(directory, USER, USER)
    (directory / "about.py").write_text(ABOUT)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def as_user(tmp_path_factory):
    """Makes the command line that runs a command as the user, who may use sudo."""
    # sudo runs whoever asks, without a password, in the mount namespace of this test alone.
    sudoers = tmp_path_factory.mktemp("sudo") / "sudoers"
    sudoers.write_text("ALL ALL=(ALL:ALL) NOPASSWD: ALL\n")
    sudoers.chmod(0o440)
    mounted = 'mount --bind "$0" /etc/sudoers && exec sudo -u "#%d" -- "$@"' % USER
    return lambda *command: ["unshare", "--mount", "sh", "-c", mounted, str(sudoers), *map(str, command)]


def seen(workspace, as_user, name, *starter, **kwargs):
    """What the program sees when the user starts it by STARTER."""
    (workspace / "made").unlink(missing_ok=True)
    command = as_user(*starter, sys.executable, "about.py", name)
    done = subprocess.run(command, cwd=workspace, capture_output=True, timeout=recorder.START, **kwargs)
    assert done.returncode == 0, done.stderr
    assert (workspace / "made").stat().st_uid == USER
    found = json.loads((workspace / name).read_text())
    assert found["environment"].pop("SUDO_COMMAND").endswith(name)  # of as_user(): the only thing that differs
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_as_if_started_by_the_user(workspace, as_user, engine):
    bare = seen(workspace, as_user, "bare", input=b"some text")
    assert bare["ids"] == 6 * [USER] and bare["stdin"] == "some text"
    run = seen(workspace, as_user, f"in {engine}", "sudo", recorder.IOTRC, "run", "--engine", engine, "--json", "report",
               "--", input=b"some text")
    if engine == "strace":  # a filter of system calls needs it, so that set-user-ID programs don't run as others
        assert run.pop("NoNewPrivs") == "1" and bare.pop("NoNewPrivs") == "0"
    assert run == bare
    report = json.loads((workspace / "report").read_text())
    assert "about.py" in report["reads"] and report["writes"] == sorted([f"in {engine}", "made"])
    assert report["incomplete"] == [] and (workspace / "report").stat().st_uid == USER


@pytest.mark.parametrize("engine", ENGINES)
def test_on_a_terminal(workspace, as_user, engine):
    """stdin is the terminal that sudo gives, and the command is its foreground."""
    name = f"terminal {engine}"
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(workspace)
        command = as_user("sudo", recorder.IOTRC, "run", "--engine", engine, "-o", "text", "--", sys.executable,
                          "about.py", name)
        os.execvp(command[0], command)
    text = b""
    while True:
        try:
            text += os.read(terminal, 4096)
        except OSError:  # EIO: nobody has it open any more
            break
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, text
    found = json.loads((workspace / name).read_text())
    assert found["terminal"], text
    assert found["ids"] == 6 * [USER]
    assert "FILES WRITTEN" in pathlib.Path(workspace / "text").read_text()
