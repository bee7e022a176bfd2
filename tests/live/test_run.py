# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc run`: its report is what the command did.

WORKLOAD is that command for most of the tests: each of its functions is a case in a directory of its own, and the test
of the same name says what has to be reported.
"""
import base64
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest

import recorder

pytestmark = pytest.mark.calm

WORKLOAD = r"""
import ctypes, mmap, os, shutil, subprocess, sys

def write(path, data=b"new"):
    with open(path, "wb", buffering=0) as f:
        f.write(data)

def read(path):
    fd = os.open(path, os.O_RDONLY)
    os.read(fd, 100)
    os.close(fd)

def renamed_directory():
    os.mkdir("dist.tmp")
    os.mkdir("dist.tmp/sub")
    write("dist.tmp/a")
    write("dist.tmp/sub/b")
    os.rename("dist.tmp", "dist")

def not_a_directory():
    try:
        os.open("out", os.O_RDONLY | os.O_DIRECTORY)
        raise SystemExit("out is a directory")
    except NotADirectoryError:
        os.unlink("out")
    write("out")

def read_write_without_a_write():
    os.close(os.open("in", os.O_RDWR))
    os.close(os.open("lock", os.O_RDWR | os.O_CREAT))

def modified():
    read("f")
    write("f")

def read_back():
    write("f")
    read("f")

def transient():
    write("t")
    read("t")
    os.unlink("t")

def probed():
    for name in "never", "later":
        assert not os.path.exists(name)
    write("later")

def stated():
    os.stat("f")

def listed():
    assert os.listdir(".") == ["entry"]

def tree_made_and_removed():
    os.makedirs("a/b/c")
    shutil.rmtree("a")

def executed():
    subprocess.run(["./script"], check=True)
    subprocess.run(["./program"], check=True)

def copied():
    libc = ctypes.CDLL(None, use_errno=True)
    out = {n: os.open(n + ".out", os.O_WRONLY | os.O_CREAT, 0o644) for n in ("sendfile", "copy_file_range", "splice")}
    fds = {n: os.open(n + ".in", os.O_RDONLY) for n in out}
    assert os.sendfile(out["sendfile"], fds["sendfile"], 0, 3) == 3
    assert os.copy_file_range(fds["copy_file_range"], out["copy_file_range"], 3) == 3
    r, w = os.pipe()
    assert libc.splice(fds["splice"], None, w, None, 3, 0) == 3
    assert libc.splice(r, None, out["splice"], None, 3, 0) == 3
    with open("mapped", "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        m[0:1] = b"M"
    libc.syscall(ctypes.c_long(2 if os.uname().machine == "x86_64" else -1), b"raw", 0)

def names():
    for name in sorted(os.listdir(b".")):
        read(name)

def denied():
    pid = os.fork()
    if not pid:
        os.setresuid(65534, 65534, 65534)
        try:
            open("secret")
        except PermissionError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0

def reached():
    os.link("original", "hard")
    fd = os.open("through", os.O_PATH)
    read("/proc/self/fd/%d" % fd)
    subprocess.run("cat < redirected > target", shell=True, check=True)

def append(path):
    with open(path, "ab", buffering=0) as f:
        f.write(b"new")

def linked():
    # What is read through a name that the command made is what was there before, under its first name.
    for name in "read", "written", "replaced", "removed", "read_write", "attributes", "changed":
        os.link(name, name + ".link")
    read("read.link")
    append("written.link")
    write("t")
    os.rename("t", "replaced")
    read("replaced.link")
    os.unlink("removed")
    read("removed.link")
    os.close(os.open("read_write.link", os.O_RDWR))
    os.chmod("attributes.link", 0o640)
    append("changed")
    read("changed.link")
    os.link("read.link", "second.link")
    read("second.link")
    write("made")
    os.link("made", "made.link")
    read("made.link")

def renamed():
    os.rename("file", "moved")
    read("moved")
    os.mkdir("d")
    os.rename("deeper", "d/deeper")
    os.rename("d", "e")
    read("e/deeper")
    os.rename("unread", "unread.moved")
    libc = ctypes.CDLL(None, use_errno=True)
    assert not libc.renameat2(-100, b"one", -100, b"two", 2)
    read("two")
    os.symlink("file", "link")
    os.rename("link", "link.moved")

def attributes():
    os.chmod("read", 0o640)
    read("read")
    os.chmod("script", 0o755)
    subprocess.run(["./script"], check=True)
    os.utime("touched")
    os.chmod("filled", 0o640)
    write("filled")
    read("filled")

def built():
    shutil.copyfile("program", "new")
    os.chmod("new", 0o755)
    subprocess.run(["./new"], check=True)
    os.link("program", "linked")
    subprocess.run(["./linked"], check=True)

def inherited():
    os.read(0, 100)

def ignored():
    for name in ".git/x", "node_modules/x", ".nx/x", "mine":
        read(name)

def many():
    for i in range(1270):
        write("m%04d" % i)

top = os.getcwd()
for case in sys.argv[1:]:
    os.chdir(case)
    globals()[case]()
    os.chdir(top)
os._exit(7)
"""

NAMES = [b"O_CREAT.txt", b"a b", b"q\"uo'te", b"n\nl", b"\xff\xfe", b"a -> b", b"back\\slash", "\u00e9\u202e".encode()]

# What exists before: the directory of each case, and its files.
PREPARED = {
    "renamed_directory": [], "not_a_directory": ["out"], "read_write_without_a_write": ["in", "lock"],
    "modified": ["f"], "read_back": [], "transient": [], "probed": [], "stated": ["f"], "listed": ["entry"],
    "tree_made_and_removed": [], "executed": ["script", "program"],
    "copied": ["sendfile.in", "copy_file_range.in", "splice.in", "mapped", "raw"],
    "linked": ["read", "written", "replaced", "removed", "read_write", "attributes", "changed"],
    "renamed": ["file", "deeper", "unread", "one", "two"], "attributes": ["read", "script", "touched", "filled"],
    "built": ["program"],
    "names": NAMES, "denied": ["secret"], "reached": ["original", "through", "redirected"], "inherited": ["stdin"],
    "ignored": [".git/x", "node_modules/x", ".nx/x", "mine"], "many": [],
}


def prepare(workspace):
    for case, files in PREPARED.items():
        (workspace / case).mkdir(parents=True)
        for name in files:
            path = os.path.join(os.fsencode(workspace / case), os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(b"old")
    for name in "executed/script", "attributes/script":
        (workspace / name).write_text("#!/bin/sh\nexit 0\n")
    for name in "executed/program", "built/program":
        shutil.copy("/usr/bin/true", workspace / name)
        (workspace / name).chmod(0o755)
    (workspace / "executed/script").chmod(0o755)
    (workspace / "denied/secret").chmod(0o600)


def run(*args, **kwargs):
    return subprocess.run([recorder.IOTRC, "run", *map(str, args)], capture_output=True, timeout=recorder.START, **kwargs)


ENGINES = ["bpf", "strace"]


class Report:
    """The report of the whole workload."""

    def __init__(self, engine, workspace, done, directory):
        self.engine, self.workspace, self.done = engine, workspace, done
        self.json = json.loads((directory / "report.json").read_text())
        self.text = (directory / "report.txt").read_text()

    def of(self, case):
        """The lists that contain paths of the case, with these paths."""
        prefix = case + "/"
        lists = {key: [name[len(prefix):] for name in names if isinstance(name, str) and name.startswith(prefix)]
                 for key, names in self.json.items() if isinstance(names, list) and key not in ("renamed", "command")}
        return {key: names for key, names in lists.items() if names}


@pytest.fixture(scope="module", params=ENGINES)
def report(tmp_path_factory, request):
    directory = tmp_path_factory.mktemp("run")
    workspace = directory / "workspace"
    prepare(workspace)
    # The time of birth tells what existed before from what the command makes.
    time.sleep(0.1)
    with open(workspace / "inherited/stdin") as stdin:
        done = run("--engine", request.param, "--json", directory / "report.json", "-o", directory / "report.txt", "--",
                   sys.executable, "-I", "-S", "-c", WORKLOAD, *PREPARED, cwd=workspace, stdin=stdin)
    assert done.returncode == 7, done.stderr
    assert done.stderr == b"" and done.stdout == b""
    return Report(request.param, workspace, done, directory)


def test_complete(report):
    assert report.json["incomplete"] == []
    assert report.json["status"] == 7
    assert list(report.json)[:2] == ["reads", "writes"]
    assert report.json["engine"] == report.engine
    for key in "reads", "writes", "missing", "stated":
        texts = [n for n in report.json[key] if isinstance(n, str)]
        assert texts == sorted(texts, key=os.fsencode) and len(set(texts)) == len(texts)


def test_renamed_directory(report):
    assert report.of("renamed_directory") == {"writes": ["dist/a", "dist/sub/b"]}
    assert [r for r in report.json["renamed"] if r["from"].startswith("renamed_directory/")] == [
        {"from": "renamed_directory/dist.tmp", "to": "renamed_directory/dist"}]


def test_not_a_directory(report):
    assert report.of("not_a_directory") == {"writes": ["out"]}


def test_read_write_without_a_write(report):
    assert report.of("read_write_without_a_write") == {"reads": ["in", "lock"]}


def test_modified(report):
    assert report.of("modified") == {"reads": ["f"], "writes": ["f"], "modified": ["f"]}


def test_read_back(report):
    assert report.of("read_back") == {"writes": ["f"]}


def test_transient(report):
    assert report.of("transient") == {"transient": ["t"]}


def test_probed(report):
    assert report.of("probed") == {"missing": ["never"], "writes": ["later"]}


def test_stated(report):
    assert report.of("stated") == {"stated": ["f"]}


def test_listed(report):
    assert report.of("listed") == {}
    assert "listed" in report.json["listed"]


def test_tree_made_and_removed(report):
    assert report.of("tree_made_and_removed") == {}


def test_executed(report):
    """A script is read by its interpreter."""
    assert report.of("executed") == {"reads": ["script"], "executed": ["program"]}


def test_copied(report):
    found = report.of("copied")
    reads = ["copy_file_range.in", "mapped", "sendfile.in", "splice.in"]
    assert [n for n in found["reads"] if n != "raw"] == reads
    assert found["writes"] == ["copy_file_range.out", "mapped", "sendfile.out", "splice.out"]
    assert found["modified"] == ["mapped"]
    if os.uname().machine == "x86_64":
        assert "raw" in found["reads"]


def test_names(report):
    found = [base64.b64decode(n["base64"]) if isinstance(n, dict) else n.encode() for n in report.json["reads"]]
    assert sorted(n[len(b"names/"):] for n in found if n.startswith(b"names/")) == sorted(NAMES)
    assert [n["path"] for n in report.json["reads"] if isinstance(n, dict)] == [r"names/\xff\xfe"]
    assert "\\xff\\xfe" in report.text.lower() and r"n\x0al" in report.text.lower() and "\u202e" not in report.text


def test_denied(report):
    assert report.of("denied") == {"denied": ["secret"]}


def test_reached(report):
    found = report.of("reached")
    assert found["reads"] == ["redirected", "through"]
    assert found["writes"] == ["hard", "target"]


def test_linked(report):
    names = ["read", "written", "replaced", "removed", "read_write", "attributes", "changed"]
    assert report.of("linked") == {
        "reads": ["read", "read_write", "removed", "replaced"],
        "writes": sorted(["attributes", "changed", "made", "made.link", "replaced", "second.link", "written",
                          *(n + ".link" for n in names)]),
        "modified": ["replaced"], "deleted": ["removed"]}


def test_renamed(report):
    assert report.of("renamed") == {
        "reads": ["deeper", "file", "one"],
        "writes": ["e/deeper", "link.moved", "moved", "one", "two", "unread.moved"],
        "modified": ["one"], "deleted": ["deeper", "file", "unread"]}


def test_attributes(report):
    """A file whose attributes the command changed still has its old content."""
    assert report.of("attributes") == {"reads": ["read", "script"], "writes": ["filled", "read", "script", "touched"],
                                       "modified": ["read", "script"]}


def test_built(report):
    """What the command made and executed is an output; what it linked is the program that existed."""
    assert report.of("built") == {"reads": ["program"], "writes": ["linked", "new"], "executed": ["program"]}


def test_inherited(report):
    assert report.of("inherited") == {"reads": ["stdin"]}


def test_ignored(report):
    assert report.of("ignored") == {"reads": ["mine"]}


def test_text(report):
    lines = report.text.splitlines()
    writes = [line for line in lines[lines.index(f"FILES WRITTEN ({len(report.json['writes'])})") + 1:]]
    assert writes[:50] == ["  " + n for n in report.json["writes"][:50]]
    assert writes[50] == f"  ... and {len(report.json['writes']) - 50:,} more: --json FILE has all"
    assert len(report.json["writes"]) > 1050
    assert f"Workspace: {report.workspace}" in lines
    assert any(line.startswith("Status:    7 after ") for line in lines)


def test_workspace_through_a_link(tmp_path):
    """The declared spelling is shown; paths through the symlink and real paths are the same; options that select what
    is reported."""
    real, link = tmp_path / "real", tmp_path / "link"
    (real / ".git").mkdir(parents=True)
    (real / ".git/x").write_text("x")
    (real / "skipped.o").write_text("x")
    link.symlink_to(real)
    script = f"cat {link}/.git/x {real}/skipped.o; mkdir {link}/t; echo x > {link}/t/f; mv {link}/t {link}/u; test -d ."
    done = run("--json", "-", "--no-ignore", "--ignore", "*.o", "--stat", "--keep", tmp_path / "kept", "-w", link, "--",
               "sh", "-c", script)
    found = json.loads(done.stdout[len(b"xx"):])
    assert done.returncode == 0 and done.stderr == b""
    assert found["workspace"] == str(link)
    assert found["reads"] == [".git/x"]
    assert found["writes"] == ["u/f"]
    assert recorder.run("verify", str(tmp_path / "kept")).returncode == 0


def test_background_child(tmp_path):
    """iotrc does not hang; the process is named; the status has the signal that ended CMD, except with --strict."""
    pid_file = tmp_path / "pid"
    script = f"sleep 60 >/dev/null 2>&1 & echo $! > {pid_file}; kill -TERM $$"
    done = run("-o", tmp_path / "text", "--json", tmp_path / "json", "--", "sh", "-c", script, cwd=tmp_path)
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGKILL)
    assert done.returncode == 128 + signal.SIGTERM
    found = json.loads((tmp_path / "json").read_text())
    assert found["incomplete"] == [f"still running: process {pid}"]
    assert found["writes"] == ["pid"]
    assert f"  still running: process {pid}" in (tmp_path / "text").read_text().splitlines()


def recorder_of(process):
    """The recorder is the child of `iotrc run` that is not its command."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(c) for c in children if os.path.samefile(f"/proc/{c}/exe", recorder.IOTRC)]


@pytest.mark.parametrize("strict", [False, True])
def test_recorder_killed(tmp_path, strict):
    """CMD goes on and its status is kept; the verdict is incomplete; the report has what was recorded before."""
    (tmp_path / "in").write_text("x")
    script = "cat in > out; sleep 1.5; echo ready; read line; exit 5"
    args = ["--json", tmp_path / "json", *["--strict"] * strict, "--", "sh", "-c", script]
    with subprocess.Popen([recorder.IOTRC, "run", *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          cwd=tmp_path) as process:
        assert process.stdout.readline() == b"ready\n"
        victim, = recorder_of(process)
        os.kill(victim, signal.SIGKILL)
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(recorder.START) == (3 if strict else 5)
    found = json.loads((tmp_path / "json").read_text())
    assert found["status"] == 5
    assert found["incomplete"] == ["the recorder was killed by signal 9"]
    assert found["reads"] == ["in"] and found["writes"] == ["out"]


def test_sudo(tmp_path):
    """As under sudo: CMD runs as the invoking user without capabilities, and the report belongs to that user."""
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH) if parent != pathlib.Path("/tmp") else None
    interpreted = tmp_path / "script"
    interpreted.write_text("#!/bin/sh\nexit 0\n")
    interpreted.chmod(0o755)
    script = "id -u; id -g; id -G; grep CapEff /proc/self/status; echo $HOME; exec ./script"
    # Our parent is called sudo, and the environment is the user's.
    sudo = shutil.copy("/bin/sh", tmp_path / "sudo")
    command = ["env", "-i", "SUDO_UID=65534", "SUDO_GID=65534", "PATH=" + os.environ["PATH"], recorder.IOTRC, "run",
               "--all", "--json", "json", "--", "sh", "-c", script]
    done = subprocess.run([sudo, "-c", shlex.join(command) + "; exit $?"], cwd=tmp_path, capture_output=True,
                          env={**os.environ, "HOME": "/home/the user's"}, timeout=recorder.START)
    assert done.returncode == 0, done.stderr
    uid, gid, groups, caps, home = done.stdout.decode().splitlines()
    assert (uid, gid, groups) == ("65534", "65534", "65534")
    assert int(caps.split()[1], 16) == 0
    assert (tmp_path / "json").stat().st_uid == 65534
    assert home == "/home/the user's"
    found = json.loads((tmp_path / "json").read_text())
    assert os.path.realpath("/usr/bin/id") in found["executed"]
    assert os.path.realpath("/bin/sh") in found["executed"] and "script" in found["reads"]
    assert any("/libc.so" in name for name in found["reads"])


def loader_of(program):
    """The program's ELF interpreter according to readelf, as a real path; None if it has none."""
    said = subprocess.run(["readelf", "-l", program], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\[Requesting program interpreter: (.*)\]", said)
    return found and os.path.realpath(found[1])


@pytest.mark.parametrize("engine", ENGINES)
def test_all_of_a_program(tmp_path, engine):
    """The program, the interpreter of a script, libraries, and the loader, even if it is in the workspace."""
    shutil.copy(loader_of("/bin/sh"), tmp_path / "loader")
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    for name, how in ("own", f"-Wl,--dynamic-linker={tmp_path}/loader"), ("static", "-static"):
        subprocess.run(["cc", how, "-o", name, "main.c"], cwd=tmp_path, check=True)
    (tmp_path / "script").write_text("#!/bin/sh\n./own && ./static\n")
    (tmp_path / "script").chmod(0o755)
    args = ["--engine", engine, "--tree", "--json", "-"]
    found = json.loads(run(*args, "--all", "--", "./script", cwd=tmp_path).stdout)
    assert "script" in found["reads"] and any("/libc.so" in name for name in found["reads"])
    assert sorted(found["executed"]) == sorted(["loader", "own", "static", os.path.realpath("/bin/sh"), loader_of("/bin/sh")])
    assert found["incomplete"] == []
    found = json.loads(run(*args, "--", "./script", cwd=tmp_path).stdout)
    assert found["executed"] == ["loader", "own", "static"]
    assert [p["command"] for p in found["processes"] if "loader" in p.get("executed", [])] == ["./own"]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_only_looked_at(tmp_path, engine):
    """With --stat, it counts as read."""
    for name in "looked", "never":
        (tmp_path / name).write_text("x")
    for option, reads in ((), []), (("--stat",), ["looked"]):
        done = run("--engine", engine, *option, "--json", "-", "--", "stat", "-c", "", "looked", cwd=tmp_path)
        assert json.loads(done.stdout[1:])["reads"] == reads


LISTS = ("reads", "writes", "modified", "missing", "listed", "stated", "denied", "executed", "deleted", "renamed",
         "transient", "changed_during_run")
LOOK_AGAIN = r"""
mkdir d out; echo 1 > d/seen; echo 2 > d/read; echo > d/empty
i=0
while [ $i -lt 20 ]; do
    cat d/read d/empty in > /dev/null; ls d > /dev/null; stat -c "" d/seen in looked > /dev/null
    test -e nowhere; cat absent refused 2> /dev/null
    cat < in > out/$i.new; mv out/$i.new out/$((i % 3)); test -e out/$i.new; cat out/$((i % 3)) >> all
    rm -f out/1; test -e out/1; i=$((i + 1))
done
ln in linked; cat linked > /dev/null; mv linked moved; cat moved moved > /dev/null; mv d e; cat e/read e/read > /dev/null
test -e made || echo > made; rm -r e; exec cat in in
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_say_nothing_new(tmp_path, engine):
    """Without --keep such rows are not recorded. The report is the same."""
    lists = {}
    for option in (), ("--keep", tmp_path / "kept"):
        workspace = tmp_path / f"workspace{len(option)}"
        workspace.mkdir()
        for name in "in", "looked", "refused":
            (workspace / name).write_text(name)
        os.chmod(workspace / "refused", 0)
        os.chmod(workspace, 0o777)
        done = run("--engine", engine, "--tree", *option, "--json", tmp_path / "report", "--", "setpriv", "--reuid=65534",
                   "--regid=65534", "--clear-groups", "sh", "-c", LOOK_AGAIN, cwd=workspace)
        assert done.returncode == 0, done.stderr
        report = json.loads((tmp_path / "report").read_text())
        processes = [{k: p[k] for k in p if k not in ("pid", "parent")} for p in report["processes"]]
        lists[len(option)] = [report[k] for k in LISTS], sorted(processes, key=json.dumps), report["incomplete"]
    assert lists[0] == lists[2]
    assert lists[0][0][0] == ["in"] and "nowhere" in lists[0][0][LISTS.index("missing")]


def test_path_too_long(tmp_path):
    """A file whose whole path the recording doesn't have is in no list: the report says so."""
    program = """
import os
for i in range(40):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
with open("deep", "w") as f:
    f.write("x")
"""
    done = run("--strict", "--json", "-", "--", sys.executable, "-I", "-S", "-c", program, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 3 and found["status"] == 0
    assert [text for text in found["incomplete"] if text.endswith(" calls on paths that are too long")]
    assert not [name for name in found["writes"] if name.endswith("deep")]
    shutil.rmtree(tmp_path / ("d" * 250))


def test_directory_that_was_there_renamed(tmp_path):
    """No call tells the new names of what is in the directory: the report says so."""
    (tmp_path / "before").mkdir()
    (tmp_path / "before/file").write_text("x")
    done = run("--strict", "--json", "-", "--", "mv", "before", "after", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 3 and found["status"] == 0
    assert found["renamed"] == [{"from": "before", "to": "after"}]
    assert found["incomplete"] == ["1 directories that existed before were renamed"]


TREE = """
import os, subprocess, sys
print(os.getpid(), flush=True)
with open("in") as stdin, open("between", "w") as stdout:
    subprocess.run(["cat"], stdin=stdin, stdout=stdout, check=True)
child = subprocess.Popen(["cp", "between", "copied"])
child.wait()
print(child.pid, flush=True)
os.rename("copied", "out")
os.execvp("sort", ["sort", "-o", "sorted", "out"])
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_tree(tmp_path, engine):
    """Each process with its files: those whose bytes it moved, not those that were opened for it."""
    (tmp_path / "in").write_text("b\na\n")
    done = run("--engine", engine, "--tree", "--json", "-o", tmp_path / "text", "--", sys.executable, "-I", "-S", "-c", TREE,
               cwd=tmp_path)
    own, copier, rest = done.stdout.split(b"\n", 2)
    found = json.loads(rest)
    of = {p["command"].split()[0]: p for p in found["processes"]}
    assert (tmp_path / "sorted").read_text() == "a\nb\n"
    assert found["incomplete"] == [] and found["reads"] == ["in"]
    assert found["writes"] == ["between", "out", "sorted"]
    assert of["cat"]["reads"] == ["in"] and of["cat"]["writes"] == ["between"]
    assert "reads" not in of["cp"] and of["cp"]["writes"] == ["out"], "what it wrote has another name since"
    assert of["sort"]["writes"] == ["sorted"]
    # A program that a process executes is another entry with the same pid.
    assert [p["pid"] for p in found["processes"]].count(int(own)) == 2
    assert of["sort"]["pid"] == int(own) and of["cp"]["pid"] == int(copier) and of["cp"]["parent"] == int(own)
    assert sorted(of) == sorted([sys.executable, "cat", "cp", "sort"])
    text = (tmp_path / "text").read_text()
    assert f"\n    {int(copier)} cp between copied\n      > out\n" in text


@pytest.mark.parametrize("engine", ENGINES)
def test_changed_during_run(tmp_path, engine):
    """Inputs that somebody else writes to, replaces or removes while CMD runs; not what CMD itself does, also under
    another name."""
    for name in "kept", "appended", "replaced", "removed", "own", "linked", "touched":
        (tmp_path / name).write_text("x")
    os.link(tmp_path / "own", tmp_path / "own.too")
    before = os.stat(tmp_path / "kept").st_mtime
    time.sleep(0.1)
    script = ("cat kept appended replaced removed own linked > /dev/null; echo >> own.too; ln linked linked.too;"
              "echo ready; read line")
    with subprocess.Popen([recorder.IOTRC, "run", "--engine", engine, "--json", "json", "-o", "text", "--", "sh", "-c", script],
                          cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        with open(tmp_path / "appended", "a") as f:
            f.write("y")
        (tmp_path / "other").write_text("z")
        os.utime(tmp_path / "other", (before, before))
        os.rename(tmp_path / "other", tmp_path / "replaced")
        os.unlink(tmp_path / "removed")
        (tmp_path / "touched").write_text("not read by CMD")
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(recorder.START) == 0
    found = json.loads((tmp_path / "json").read_text())
    assert found["changed_during_run"] == ["appended", "removed", "replaced"]
    assert found["incomplete"] == []
    assert "CHANGED DURING THE RUN, NOT BY IT (3)\n  appended\n" in (tmp_path / "text").read_text()


def test_json_needs_no_file(tmp_path):
    """--json before another option or -- writes to stdout; a word after it is the file."""
    for args in (["--json"], ["--json", "--strict"], ["-j"], ["--json="], ["--json", "-"]):
        done = run("--engine", "strace", *args, "--", "true", cwd=tmp_path)
        if args == ["--json="]:
            assert done.returncode == 1 and done.stdout == b""
        else:
            assert done.returncode == 0 and json.loads(done.stdout)["status"] == 0, args
    for args in (["--json", "a"], ["-j", "b"], ["-jc"], ["--json=d"]):
        assert run("--engine", "strace", *args, "--", "true", cwd=tmp_path).stdout == b""
    assert sorted(p.name for p in tmp_path.iterdir()) == list("abcd")
