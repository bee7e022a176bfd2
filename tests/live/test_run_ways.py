# SPDX-License-Identifier: GPL-2.0-or-later
"""Both engines see every way to reach a file, and the process that used it; what an engine cannot see makes the report
incomplete. tests/workloads/run_ways.c is the command: a static program that knows what it did."""
import json
import os
import platform
import subprocess

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
