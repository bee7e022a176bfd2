# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc run` with the strace engine: for an ordinary user, and the errors that this engine must handle. test_run.py
(the meanings) and test_run_ways.py (ways to reach files) compare both engines."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

import recorder
from test_run import run

pytestmark = pytest.mark.calm

NOBODY = 65534


def traced(directory, *args, **kwargs):
    """Runs with the strace engine; returns the process and the report."""
    done = run("--engine", "strace", "--json", directory / "report.json", "-o", directory / "report.txt", *args,
               cwd=directory, **kwargs)
    return done, json.loads((directory / "report.json").read_text())


@pytest.fixture(scope="module")
def nobodys():
    """A directory, and a copy of the program, that an ordinary user can use."""
    directory = pathlib.Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    directory.chmod(0o777)
    shutil.copy(recorder.IOTRC, directory / "iotrc")
    yield directory
    shutil.rmtree(directory)


def as_nobody(directory, *args, env=None):
    return subprocess.run([directory / "iotrc", "run", *map(str, args)], cwd=directory, user=NOBODY, group=NOBODY,
                          extra_groups=[], capture_output=True, timeout=recorder.START,
                          env={"PATH": "/usr/bin:/bin", **(env or {})})


def test_ordinary_user(nobodys):
    done = as_nobody(nobodys, "--", "sh", "-c", "echo hi > a; cat a; cat denied 2>/dev/null; exit 4")
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (4, b"hi\n")
    assert "Engine:    strace: neither root, nor CAP_BPF and CAP_PERFMON" in lines
    assert lines[lines.index("FILES WRITTEN (1)") + 1:] == ["  a"]
    assert (nobodys / "a").stat().st_uid == NOBODY
    done = as_nobody(nobodys, "--json", "-", "--", "cat", "a")
    assert json.loads(done.stdout[len(b"hi\n"):])["engine"] == "strace"


def test_no_strace(nobodys):
    """A clear message says what to install, and CMD does not run."""
    done = as_nobody(nobodys, "--", "/bin/touch", "touched", env={"PATH": "/nowhere"})
    assert done.returncode == 1 and not (nobodys / "touched").exists()
    assert done.stderr == (b"iotrc run: strace is not installed: install it (package strace), or run this as root, "
                           b"for the bpf engine\n")


def test_bpf_refused(nobodys):
    done = as_nobody(nobodys, "--engine", "bpf", "--", "/bin/touch", "touched")
    assert done.returncode == 1 and not (nobodys / "touched").exists()
    assert b"needs root, or CAP_BPF and CAP_PERFMON" in done.stderr


def test_root_gets_bpf(tmp_path):
    done = run("--", "true", cwd=tmp_path)
    assert "Engine:    bpf: root, or CAP_BPF and CAP_PERFMON" in done.stderr.decode().splitlines()


def test_root_of_a_user_namespace_gets_strace(tmp_path):
    """It has all capabilities, but not those that BPF needs: the machine's."""
    done = subprocess.run(["unshare", "-Ur", recorder.IOTRC, "run", "--", "sh", "-c", "echo hi > a"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=recorder.START)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert "Engine:    strace: in a user namespace, where BPF is refused" in lines
    assert lines[lines.index("FILES WRITTEN (1)") + 1] == "  a"


def test_no_such_engine(tmp_path):
    done = run("--engine", "dtrace", "--", "true", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == b"iotrc run: --engine: bpf, strace, macos, eslogger, fs_usage or auto; see iotrc run --help\n"


@pytest.mark.parametrize("name, status", [("nowhere", 127), ("./text", 126), ("/", 126)])
def test_not_executed(tmp_path, name, status):
    """As without strace: the message is ours, the status a shell's."""
    (tmp_path / "text").write_text("x")
    done, found = traced(tmp_path, "--", name)
    bare = run("--engine", "bpf", "--", name, cwd=tmp_path)
    assert done.returncode == bare.returncode == status
    assert done.stderr == bare.stderr.splitlines(True)[0]
    assert found["incomplete"] == []


def test_script_without_interpreter(tmp_path):
    """execvp() passes such a file to the shell, and so do we."""
    script = tmp_path / "script"
    script.write_text("echo $0 $1; : > made\n")
    script.chmod(0o755)
    done, found = traced(tmp_path, "--", "./script", "argument")
    assert done.stdout == b"./script argument\n"
    assert (found["reads"], found["writes"]) == (["script"], ["made"])


def test_strace_fails(tmp_path):
    """strace's message is in the report: here it cannot trace, because the process has a tracer already."""
    done = subprocess.run(["strace", "-f", "-o", "/dev/null", recorder.IOTRC, "run", "--engine", "strace", "--json", "json",
                           "--", "true"], cwd=tmp_path, capture_output=True, timeout=recorder.START)
    found = json.loads((tmp_path / "json").read_text())
    assert done.returncode == found["status"]
    assert any("strace: " in text and "Operation not permitted" in text for text in found["incomplete"])
    assert "strace has recorded nothing" in found["incomplete"]


def test_stderr(tmp_path):
    """CMD has its own stdin, at the position where it was."""
    with open(tmp_path / "errors", "w") as errors:
        errors.write("before\n")
        errors.flush()
        done = subprocess.run([recorder.IOTRC, "run", "--engine", "strace", "--json", "json", "--", "sh", "-c",
                               "echo during >&2; ls /proc/self/fd > fds"], cwd=tmp_path, stderr=errors)
    assert done.returncode == 0
    assert (tmp_path / "errors").read_text() == "before\nduring\n"
    bare = subprocess.run(["sh", "-c", "ls /proc/self/fd"], capture_output=True, text=True, cwd=tmp_path)
    assert (tmp_path / "fds").read_text() == bare.stdout


def test_killed_by_signal(tmp_path):
    done, found = traced(tmp_path, "--", "sh", "-c", "echo > a; kill -SEGV $$")
    assert done.returncode == found["status"] == 128 + signal.SIGSEGV
    assert (found["writes"], found["incomplete"]) == (["a"], [])


def tracer_of(directory):
    """strace is not our child any more: it is found by the FIFO that it writes to."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if (process / "comm").read_text() == "strace\n" and os.fsencode(directory) in arguments:
                return int(process.name)
        except OSError:
            pass
    raise AssertionError("no strace")


def test_strace_killed(tmp_path):
    """CMD's status is kept, the verdict is incomplete."""
    args = ["--engine", "strace", "--strict", "--json", "json", "--", "sh", "-c", "echo ready; read line; exit 5", tmp_path]
    with subprocess.Popen([recorder.IOTRC, "run", *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          cwd=tmp_path) as process:
        assert process.stdout.readline() == b"ready\n"
        os.kill(tracer_of(tmp_path), signal.SIGKILL)
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(recorder.START) == 3
    found = json.loads((tmp_path / "json").read_text())
    assert found["status"] == 5
    assert any(text.startswith("strace ended before the command did") for text in found["incomplete"])


def test_recorder_killed(tmp_path):
    """A FIFO that nobody reads does not block CMD, and its calls do not fail."""
    program = ("import os, sys; print('ready', flush=True); sys.stdin.readline()\n"
               "for i in range(30000): os.stat('.')\n"
               "open('after', 'w').write('x'); os._exit(5)")
    args = ["--engine", "strace", "--json", "json", "--", sys.executable, "-I", "-S", "-c", program]
    with subprocess.Popen([recorder.IOTRC, "run", *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          cwd=tmp_path) as process:
        assert process.stdout.readline() == b"ready\n"
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        victim, = [int(c) for c in children if os.path.samefile(f"/proc/{c}/exe", recorder.IOTRC)]
        os.kill(victim, signal.SIGKILL)
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(recorder.START) == 5
    assert (tmp_path / "after").read_text() == "x"
    assert "the recorder was killed by signal 9" in json.loads((tmp_path / "json").read_text())["incomplete"]


def test_background_child(tmp_path):
    """The process is named, and what it does afterwards still works: strace keeps tracing it."""
    script = "(read line < fifo; echo $line > late) > /dev/null 2>&1 & echo $! > pid; exit 0"
    os.mkfifo(tmp_path / "fifo")
    # stdout and stderr are pipes: their reader is not kept waiting.
    done, found = traced(tmp_path, "--", "sh", "-c", script)
    pid = int((tmp_path / "pid").read_text())
    assert done.returncode == 0
    assert found["incomplete"] == [f"still running: process {pid}"]
    assert found["writes"] == ["pid"]
    (tmp_path / "fifo").write_text("word\n")
    recorder.wait_for(lambda: (tmp_path / "late").exists() and (tmp_path / "late").read_text() == "word\n", "it goes on")


@pytest.mark.parametrize("engine", ["bpf", "strace"])
def test_wait(tmp_path, engine):
    """For a child, one in a session of its own, and one whose parent has ended."""
    script = ("(sleep 0.3; echo > child) & setsid sh -c 'sleep 0.4; echo > session' & "
              "(sh -c 'sleep 0.5; echo > orphan' & exit) ; exit 6")
    done = run("--engine", engine, "--wait", "--json", "-", "--", "sh", "-c", script, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 6
    assert found["writes"] == ["child", "orphan", "session"]
    assert found["incomplete"] == []


def test_wait_interrupted(tmp_path):
    """A user who interrupts the wait gets the report."""
    args = ["--engine", "strace", "--wait", "--json", "json", "--", "sh", "-c", "sleep 60 & echo $! > pid.new; mv pid.new pid"]
    with subprocess.Popen([recorder.IOTRC, "run", *args], cwd=tmp_path) as process:
        recorder.wait_for((tmp_path / "pid").exists, "the command runs")
        pid = int((tmp_path / "pid").read_text())
        recorder.wait_for(lambda: f"\nPPid:\t{process.pid}\n" in pathlib.Path(f"/proc/{pid}/status").read_text(), "it is ours")

        def ended():
            # A signal that arrives while CMD is being started is CMD's.
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)
            return process.poll() is not None

        recorder.wait_for(ended, "it no longer waits", 30)
        assert process.returncode == 0
        os.kill(pid, signal.SIGKILL)
    assert json.loads((tmp_path / "json").read_text())["incomplete"] == [f"still running: process {pid}"]


def test_pid_namespace(tmp_path):
    """Children have other ids in the namespace than outside."""
    done, found = traced(tmp_path, "--", "unshare", "-p", "-f", "sh", "-c", "mkdir d; cd d; (echo x > a); cat a > b")
    assert done.returncode == 0, done.stderr
    assert (found["writes"], found["incomplete"]) == (["d/a", "d/b"], [])


def test_out_of_sight(tmp_path):
    """Another root, and another mount namespace: the report says that its paths may be wrong."""
    (tmp_path / "root").mkdir()
    program = "import os; os.chroot('root'); open('/made', 'w').write('x')"
    done, found = traced(tmp_path, "--", sys.executable, "-I", "-S", "-c", program)
    assert done.returncode == 0, done.stderr
    assert [text.partition(" (")[0] for text in found["incomplete"]] == [
        "another root or mount namespace: paths there may be wrong"]
    assert found["writes"] == ["root/made"]
    done, found = traced(tmp_path, "--strict", "--", "unshare", "-m", "true")
    assert done.returncode == 3
    assert [text.partition(" (")[0] for text in found["incomplete"]] == [
        "another root or mount namespace: paths there may be wrong"]


def test_set_user_id(nobodys):
    """strace cannot give a program its owner's rights: the report says so."""
    program = nobodys / "setuid"
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o4755)
    done = as_nobody(nobodys, "--strict", "--json", "json", "--", "./setuid", "-u")
    assert (done.returncode, done.stdout) == (3, b"65534\n")
    texts = json.loads((nobodys / "json").read_text())["incomplete"]
    assert [text.partition(" (")[0] for text in texts] == ["a set-user-ID program ran without its owner's privileges"]


def test_kept(tmp_path):
    """--keep keeps a session like any other."""
    done, _ = traced(tmp_path, "--keep", tmp_path / "kept", "--", "cp", "/etc/hosts", "copy")
    assert done.returncode == 0
    assert recorder.run("verify", str(tmp_path / "kept")).returncode == 0
    session, = (tmp_path / "kept").rglob("manifest.json")
    assert json.loads(session.read_text())["tracer"]["engine"] == "strace"
    rows = recorder.run("cat", "fs", str(tmp_path / "kept"), "-w", "operation == 'process_exec'").stdout
    assert "cp /etc/hosts copy" in rows
