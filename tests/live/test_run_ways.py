# SPDX-License-Identifier: GPL-2.0-or-later
"""Both engines see every way to reach a file, and the process that used it; what an engine cannot see makes the report
incomplete. tests/workloads/run_ways.c is the command: a static program that knows what it did."""
import json
import os
import platform
import subprocess
import sys
import time

import pytest

import recorder
from test_run import run

pytestmark = pytest.mark.calm

ENGINES = ["bpf", "strace"]
CHILDREN = 1000
PLAIN = {"reads": ["in"], "writes": ["out"]}
# What is reported of each way, in its directory.
WAYS = {
    "raw": PLAIN, "splice": PLAIN, "sendfile": PLAIN, "copy_file_range": PLAIN, "vectors": PLAIN, "mapping": PLAIN,
    "aio": PLAIN, "tmpfile": PLAIN, "passing": PLAIN, "inheriting": PLAIN, "proc": PLAIN,
    "link": {"reads": ["in"], "writes": ["other", "out"]},
    "changed_directory": {"writes": ["out"], "deleted": ["in"]},
    "children": {"writes": [f"child{i:04}" for i in range(CHILDREN)]},
}
if platform.machine() == "x86_64":
    WAYS["32_bits"] = PLAIN
LISTS = ("reads", "writes", "deleted", "transient", "denied", "modified")


def prepare(directory, *ways):
    for way in ways:
        (directory / way).mkdir(parents=True)
        (directory / way / "in").write_text("old")
    if "proc" in ways:
        (directory / "proc/out").write_text("")


def found_by(report, way):
    found = {key: [n[len(way) + 1:] for n in report[key] if n.startswith(way + "/")] for key in LISTS}
    return {key: names for key, names in found.items() if names}


@pytest.fixture(scope="module", params=ENGINES)
def ways(tmp_path_factory, request):
    directory = tmp_path_factory.mktemp("ways")
    prepare(directory, *WAYS)
    done = run("--engine", request.param, "--tree", "--json", "-", "--", recorder.workload("run_ways"), *WAYS, cwd=directory)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_complete(ways):
    assert ways["incomplete"] == []


@pytest.mark.parametrize("way", WAYS)
def test_way(ways, way):
    assert found_by(ways, way) == WAYS[way]


def test_who_passed_descriptors(ways):
    """The process that received the descriptors read and wrote."""
    found, = [p for p in ways["processes"] if "/run_ways receive " in p["command"]]
    assert (found["reads"], found["writes"]) == (["passing/in"], ["passing/out"])


def test_who_inherited_descriptors(ways):
    """The program that was started with the descriptors read and wrote, not the one that opened them."""
    found, = [p for p in ways["processes"] if "/run_ways move_on" in p["command"]]
    assert (found["reads"], found["writes"]) == (["inheriting/in"], ["inheriting/out"])


def test_each_child_did_its_own(ways):
    did = [p["writes"] for p in ways["processes"] if p["writes"] and p["writes"][0].startswith("children/")]
    assert sorted(w for names in did for w in names) == [f"children/child{i:04}" for i in range(CHILDREN)]
    assert len(did) == CHILDREN


@pytest.mark.parametrize("engine", ENGINES)
def test_uring(tmp_path, engine):
    """io_uring: bpf sees it; strace does not, and the report says so."""
    prepare(tmp_path, "uring")
    done = run("--engine", engine, "--strict", "--json", "-", "--", recorder.workload("run_ways"), "uring", cwd=tmp_path)
    found = json.loads(done.stdout)
    if engine == "bpf":
        assert done.returncode == 0 and found_by(found, "uring") == PLAIN
    else:
        assert done.returncode == 3 and found_by(found, "uring") == {}
        text, = found["incomplete"]
        assert text.startswith("io_uring: strace does not see what is done through it (process ")


@pytest.mark.parametrize("engine", ENGINES)
def test_program_of_a_thread(tmp_path, engine):
    """A thread other than the first executes a program: strace (6.1) takes that program's first call for the end of
    execve(), so the report is incomplete."""
    prepare(tmp_path, "thread")
    done = run("--engine", engine, "--tree", "--json", "-", "--", recorder.workload("run_ways"), "thread", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["writes"] == ["thread/out"]
    program, = [p for p in found["processes"] if "/run_ways move_on" in p["command"]]
    assert program["writes"] == ["thread/out"]
    if engine == "bpf":
        assert found["incomplete"] == [] and program["reads"] == found["reads"] == ["thread/in"]
    else:
        text, = found["incomplete"]
        assert text.startswith("a thread executed a program: strace misses that program's first call (process ")


@pytest.mark.parametrize("engine", ENGINES)
def test_link_to_the_workspace(tmp_path, engine):
    """The declared spelling is shown, the real paths are compared."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real/in").write_text("x")
    (tmp_path / "link").symlink_to("real")
    script = 'cd link && cat in > out && mkdir t && echo > t/f && mv t u && cat "$0/real/in" && rm u/f'
    done = run("--engine", engine, "--json", "-", "-w", tmp_path / "link", "--", "sh", "-c", script, tmp_path, cwd=tmp_path)
    found = json.loads(done.stdout[len(b"x"):])
    assert found["workspace"] == str(tmp_path / "link")
    assert {key: found[key] for key in ("reads", "writes", "transient")} == {
        "reads": ["in"], "writes": ["out"], "transient": ["u/f"]}
    assert found["incomplete"] == []


# What the filesystem says afterwards is what the report has to say.
THROUGH = ["truncate", "chmod", "utime", "setxattr"]
CHANGES = """
import ctypes, os, sys
for name in sys.argv[1:]:
    os.chdir(name)
    if name == "truncate":
        os.truncate("link", 1)
        os.truncate("directory/truncated", 1)
    elif name == "chmod":
        os.chmod("link", 0o600)
        os.chmod("directory/chmodded", 0o600)
    elif name == "utime":
        os.utime("link", (1, 1))
        os.utime("itself", (1, 1), follow_symlinks=False)
    elif name == "setxattr":
        os.setxattr("link", b"user.a", b"1")
        os.lchown("itself", 0, 7)
    elif name == "nothing":
        file, empty = os.open("file", os.O_WRONLY), os.open("empty", os.O_RDONLY)
        os.write(file, b"")
        os.sendfile(file, empty, 0, 100)
    elif name == "exchange":
        os.mkdir("new")
        for file in "both", "later":
            with open("new/" + file, "w") as f:
                f.write("new")
        assert not ctypes.CDLL(None).renameat2(-100, b"new", -100, b"old", 2) # RENAME_EXCHANGE
        with open("old/last", "w") as f:
            f.write("last")
    os.chdir("..")
"""


def prepare_changes(directory, names):
    for name in names:
        (directory / name / "real").mkdir(parents=True)
        for file in "file", "empty", "real/truncated", "real/chmodded":
            (directory / name / file).write_text("" if file == "empty" else "old")
        for link, target in ("link", "file"), ("itself", "file"), ("directory", "real"):
            (directory / name / link).symlink_to(target)
    if "exchange" in names:
        (directory / "exchange/old").mkdir()
        (directory / "exchange/old/both").write_text("old")
    time.sleep(0.02) # the clock of files advances in steps


def state(directory):
    """Of each file and link by its path: its inode, and when it was changed."""
    found = {}
    for path in directory.rglob("*"):
        st = path.lstat()
        if not path.is_dir() or path.is_symlink():
            found[str(path.relative_to(directory))] = st.st_ino, st.st_ctime_ns
    return found


def changes(directory, engine, *names):
    prepare_changes(directory, names)
    before = state(directory)
    done = run("--engine", engine, "--json", "-", "--", sys.executable, "-I", "-S", "-c", CHANGES, *names, cwd=directory)
    assert done.returncode == 0, done.stderr
    after = state(directory)
    return json.loads(done.stdout), sorted(name for name in after if after[name] != before.get(name))


@pytest.mark.parametrize("engine", ENGINES)
def test_changed_through_a_link(tmp_path, engine):
    """A call on a path that ends in a symbolic link, or leads through one, changes the file there; some calls change the
    link itself."""
    found, changed = changes(tmp_path, engine, *THROUGH)
    assert len(changed) == 8 and found["writes"] == changed
    assert found["incomplete"] == []


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_written(tmp_path, engine):
    """A write of no bytes, and a copy of an empty file."""
    found, changed = changes(tmp_path, engine, "nothing")
    assert (found["reads"], found["writes"], changed) == (["nothing/empty"], [], [])


@pytest.mark.parametrize("engine", ENGINES)
def test_exchanged_directories(tmp_path, engine):
    """The files that the command made are in the other directory now. Of those that were there before nothing is known,
    as after any rename."""
    found, changed = changes(tmp_path, engine, "exchange")
    assert changed == ["exchange/new/both", "exchange/old/both", "exchange/old/last", "exchange/old/later"]
    assert found["writes"] == changed[1:]
    pairs = [("exchange/new", "exchange/old"), ("exchange/old", "exchange/new")]
    assert found["renamed"] == [{"from": a, "to": b} for a, b in pairs]
    assert found["incomplete"] == ["1 directories that existed before were renamed"]


def test_another_root(tmp_path):
    """Names below another root are not those of the workspace: the report says so."""
    (tmp_path / "root").mkdir()
    for program, status in ("os.chroot('/')", 0), ("os.chroot('root'); open('/made', 'w').write('x')", 3):
        done = run("--strict", "--engine", "bpf", "--json", "-", "--", sys.executable, "-I", "-S", "-c",
                   "import os; " + program, cwd=tmp_path)
        assert done.returncode == status, done.stderr
        assert json.loads(done.stdout)["incomplete"] == ["another root: paths there may be wrong"] * bool(status)
    assert (tmp_path / "root/made").read_text() == "x"


MOUNTS = {
    "mount -t tmpfs none there": 3,
    "mount --bind there here": 3,
    "unshare -m mount -t tmpfs none there": 3,
    "mount -t tmpfs none absent": 0, # fails
    "mount --bind -o remount,ro bound": 0,
    "mount --make-rprivate /": 0,
}


@pytest.mark.parametrize("command", MOUNTS)
def test_mount(tmp_path, command):
    """Names below a mount are not those of the workspace: the report says so, but not of calls that mount nothing."""
    for name in "there", "here", "bound":
        (tmp_path / name).mkdir()
    script = f'mount --bind bound bound && exec "$0" run --strict --engine bpf --json json -- sh -c "{command}; true"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, recorder.IOTRC], cwd=tmp_path, capture_output=True,
                          timeout=recorder.START)
    assert done.returncode == MOUNTS[command], done.stderr
    found = json.loads((tmp_path / "json").read_text())["incomplete"]
    assert found == ["something was mounted: paths there may be wrong"] * bool(MOUNTS[command])


@pytest.mark.parametrize("engine", ENGINES)
def test_bind_mount(tmp_path, engine):
    """A file has the name by which the command reached it."""
    for name in "there", "here":
        (tmp_path / name).mkdir()
    (tmp_path / "there/in").write_text("x")
    script = ('mount --bind there here && exec "$0" run --engine "$1" --json json -- '
              'sh -c "cat here/in > here/out; cd here; rm -f none; mv out moved"')
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, recorder.IOTRC, engine], cwd=tmp_path,
                          capture_output=True, timeout=recorder.START)
    assert b"mount:" not in done.stderr, done.stderr
    found = json.loads((tmp_path / "json").read_text())
    assert {key: found[key] for key in ("reads", "writes", "missing")} == {
        "reads": ["here/in"], "writes": ["here/moved"], "missing": ["here/none"]}
    assert found["incomplete"] == []
    assert sorted(os.listdir(tmp_path / "there")) == ["in", "moved"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="32-bit programs of another machine")
@pytest.mark.parametrize("engine", ENGINES)
def test_program_of_32_bits(tmp_path, engine):
    """An ELF file of i386, not only its calls."""
    source = r"""
static long call(long n, long a, long b, long c)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
	return r;
}
void _start(void)
{
	static char buf[3];
	long in = call(5, (long)"in", 2, 0), out = call(8, (long)"out", 0644, 0);
	call(3, in, (long)buf, 3);
	call(4, out, (long)buf, 3);
	call(38, (long)"out", (long)"renamed", 0);
	call(1, in < 0 || out < 0, 0, 0);
}
"""
    (tmp_path / "in").write_text("old")
    built = subprocess.run(["cc", "-m32", "-nostdlib", "-static", "-ffreestanding", "-fno-pic", "-fno-stack-protector",
                            "-x", "c", "-", "-o", "program"], input=source.encode(), cwd=tmp_path, capture_output=True)
    assert built.returncode == 0, built.stderr
    done = run("--engine", engine, "--json", "-", "--", "./program", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["incomplete"] == []
    assert (found["reads"], found["writes"]) == (["in"], ["renamed"])
    assert found["executed"] == ["program"]
