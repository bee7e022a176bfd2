# SPDX-License-Identifier: GPL-2.0-or-later
"""One allocation of a command fails, or all from one on (failing_malloc.c). Then the command prints what it prints with memory,
or says that there is none and fails; it never crashes, and what it read is what it was. The oracles: the same command with
memory, and the files. EACH=1 tries each allocation."""
import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

import recorder

pytestmark = [pytest.mark.calm, pytest.mark.native] # thousands of processes
FIRST, LAST, BETWEEN = 8, 24, 3 # allocations that fail, one a process; most between are those of the manifest's values
EACH = os.environ.get("EACH") # all of them: minutes
SECONDS = 120 # for hangs
LOCALE = {"LC_ALL": "C.UTF-8"}
COMMANDS = {
    "descendants": ["summary", "{out}", "--by", "file", "--pid", "{pid}"],
    "csv": ["summary", "{out}", "--csv"],
    "json": ["summary", "{out}", "--json"],
    "arrow": ["export", "{out}", "--to", "arrow"],
    "strace": ["export", "{out}", "--to", "strace", "--pid", "{pid}"],
    "verify": ["verify", "{out}"],
    "recover": ["recover", "{out}"],
}


@pytest.fixture(scope="module")
def sessions(module_path):
    """A finished session, and one whose recorder was killed; of a few rows, in which a process has a descendant."""
    path = pathlib.Path(module_path)
    script = "for i in 1 2 3; do sh -c 'echo x > {0}/made; cat {0}/made > /dev/null'; done".format(path)
    for name in "finished", "killed":
        with recorder.Recording(path, "--streams", "fs", "--path", str(path), *recorder.OWN, output=path / name) as r:
            shell = subprocess.Popen(["sh", "-c", script])
            shell.wait()
            if name == "killed":
                r.wait_written(b"made")
                shutil.copytree(path / name, path / "part")
    return {"finished": path / "finished", "killed": path / "part", "pid": os.getpid()}


def digest(directory):
    return {str(p.relative_to(directory)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(directory.rglob("*"))
            if p.is_file()}


class Command:
    def __init__(self, args, source, tmp_path):
        self.args, self.source, self.tmp = args, source, tmp_path
        self.out = tmp_path / "out"
        self.done = self.run(count=tmp_path / "count")
        assert self.done.returncode == 0, self.done.stderr
        self.allocations = int((tmp_path / "count").read_text())

    def run(self, failing=None, count=None):
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.copytree(self.source, self.out)
        env = {**os.environ, **LOCALE, "LD_PRELOAD": recorder.workload("failing_malloc.so")}
        env.update({"FAILING_MALLOC": failing} if failing else {}, **({"FAILING_MALLOC_COUNT": str(count)} if count else {}))
        return subprocess.run([recorder.IOTRC, *self.args], env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SECONDS, check=False)

    def numbers(self):
        all_of_them = range(1, self.allocations + 1)
        if EACH:
            return all_of_them
        step = max(1, self.allocations // BETWEEN)
        return sorted({*all_of_them[:FIRST], *all_of_them[::step], *all_of_them[-LAST:]})


@pytest.mark.slow
@pytest.mark.parametrize("later", ["", "+"] if EACH else [""], ids=lambda later: "all later ones" if later else "one")
@pytest.mark.parametrize("name", COMMANDS)
def test_it_says_so_and_fails(sessions, tmp_path, name, later):
    source = sessions["killed" if name == "recover" else "finished"]
    args = [a.format(out=tmp_path / "out", pid=sessions["pid"]) for a in COMMANDS[name]]
    command, failed = Command(args, source, tmp_path), 0
    for n in command.numbers():
        done = command.run(f"{n}{later}")
        if done.returncode == 0: # it could do without
            assert done.stdout == command.done.stdout and done.stderr == command.done.stderr, (n, done)
        else:
            said = (done.stderr or done.stdout).decode().splitlines()
            assert done.returncode in (1, 127) and len(said) <= 2 and "memory" in said[0], (n, done) # verify adds a sum
            failed += 1
        if name != "recover":
            assert digest(command.out) == digest(source), n
        elif done.returncode: # nothing is lost: with memory it is recovered
            again = recorder.run("recover", str(command.out))
            assert again.returncode == 0 and recorder.run("verify", str(command.out)).returncode == 0, (n, again)
    assert failed > 3
