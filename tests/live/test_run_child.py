# SPDX-License-Identifier: GPL-2.0-or-later
"""The process that run, check, watch and summary start: as it would be without iotrc, with the terminal's signals, and
with messages in the name of the command that started it."""
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys

import pytest

import recorder
from test_run import run

pytestmark = pytest.mark.calm

ENGINES = ["bpf", "strace"]
STARTERS = {
    "run": ["run", "-o", "/dev/null", "--"], "run with strace": ["run", "--engine", "strace", "-o", "/dev/null", "--"],
    "check": ["check", "--reads", "/dev/null", "--"],
    "check with strace": ["check", "--engine", "strace", "--reads", "/dev/null", "--"],
    "watch": ["watch", "--"], "summary": ["summary", "--"],
}


def start(starter, *command, cwd):
    return subprocess.run([recorder.IOTRC, *STARTERS[starter], *command], cwd=cwd, capture_output=True, timeout=recorder.START)


@pytest.mark.parametrize("starter", STARTERS)
def test_not_found(tmp_path, starter):
    done = start(starter, "there-is-no-such-program", cwd=tmp_path)
    assert done.returncode == 127
    said = f"iotrc {STARTERS[starter][0]}: there-is-no-such-program: No such file or directory\n"
    assert said.encode() in done.stderr.splitlines(True)


@pytest.mark.parametrize("starter", STARTERS)
def test_signals_as_they_were(tmp_path, starter):
    """Which signals are ignored and which are blocked: SIGPIPE ends it, for example."""
    script = "grep -E '^Sig(Blk|Ign):' /proc/self/status > now"
    subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True)
    bare = (tmp_path / "now").read_text()
    (tmp_path / "now").unlink()
    assert start(starter, "sh", "-c", f"{script}; kill -PIPE $$", cwd=tmp_path).returncode == 128 + signal.SIGPIPE
    assert (tmp_path / "now").read_text() == bare


def children(pid):
    return [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def state(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_interrupted_while_it_starts(tmp_path, engine):
    """Nothing is left behind, and the command, which gets the signal, has done nothing."""
    (tmp_path / "tmp").mkdir()
    env = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen([recorder.IOTRC, "run", "--engine", engine, "--", "touch", "was-run"], cwd=tmp_path, env=env,
                          stderr=subprocess.PIPE) as process:
        recorder.wait_for(lambda: children(process.pid) or process.poll() is not None, "it has forked")
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        assert process.wait(recorder.START) in (128 + signal.SIGINT, 0), process.stderr.read()
        assert (tmp_path / "was-run").exists() == (process.returncode == 0)
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("engine", ENGINES)
def test_interrupted_as_the_command_ends(tmp_path, engine):
    """A signal that arrives when the command has ended, but iotrc has not noticed yet, ends --wait."""
    script = "sleep 600 & echo $! > pid; read line; exit 6"
    with subprocess.Popen([recorder.IOTRC, "run", "--engine", engine, "--wait", "--json", "json", "--", "sh", "-c", script],
                          cwd=tmp_path, stdin=subprocess.PIPE) as process:
        recorder.wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the command runs")
        rest = int((tmp_path / "pid").read_text())
        shell = int(pathlib.Path(f"/proc/{rest}/stat").read_text().rpartition(")")[2].split()[1])
        process.send_signal(signal.SIGSTOP)
        recorder.wait_for(lambda: state(process.pid) == "T", "iotrc is stopped")
        process.stdin.write(b"\n")
        process.stdin.close()
        recorder.wait_for(lambda: state(shell) == "Z", "the command has ended")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        try:
            assert process.wait(30) == 6
        finally:
            os.kill(rest, signal.SIGKILL)
    assert json.loads((tmp_path / "json").read_text())["incomplete"] == [f"still running: process {rest}"]


JOB = """
import os, signal, time
times = 0
def count(*_):
    global times
    times += 1
signal.signal(signal.SIGINT, count)
assert os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
open("ready", "w").write("x")
end = time.monotonic() + 60
while not times and time.monotonic() < end:
    time.sleep(0.05)
time.sleep(0.3)
os._exit(40 + times)
"""


def states_of_group(group):
    fields = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields.append((process / "stat").read_text().rpartition(")")[2].split())
        except OSError:
            pass
    return {f[0] for f in fields if int(f[2]) == group}


@pytest.mark.parametrize("engine", ENGINES)
def test_terminal(tmp_path, engine):
    """Ctrl+Z stops the command, a shell's fg continues it; Ctrl+C reaches it once, and reaches neither the recorder nor
    iotrc run: the report is complete."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execv(recorder.IOTRC, [recorder.IOTRC, "run", "--engine", engine, "--json", "json", "--", sys.executable, "-c", JOB])
    recorder.wait_for((tmp_path / "ready").exists, "the command runs")
    # The session's leader has no shell as its parent, so the signal of Ctrl+Z is sent by hand.
    os.killpg(pid, signal.SIGSTOP)
    recorder.wait_for(lambda: states_of_group(pid) <= {"T", "t"}, "all of the job is stopped")
    os.killpg(pid, signal.SIGCONT)
    recorder.wait_for(lambda: not states_of_group(pid) & {"T", "t"}, "it goes on")
    os.write(terminal, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 41
    os.close(terminal)
    found = json.loads((tmp_path / "json").read_text())
    assert found["incomplete"] == [] and found["writes"] == ["ready"]
