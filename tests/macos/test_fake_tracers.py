# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc run` with the engines eslogger and fs_usage, whose programs play what a test writes."""
import json
import os
import pathlib
import subprocess
import time

import lines
import pytest

HERE = pathlib.Path(__file__).resolve().parent
IOTRC = os.environ.get("IOTRC", str(HERE.parent.parent / "build" / "iotrc"))
WAIT = "until [ -e $FAKE_TRACER.played ]; do sleep 0.05; done" # until the fake has played its lines
FAILED = "eslogger does not report calls that fail"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as on macOS")


class Run:
    def __init__(self, tmp_path, engine, *plays, command=("sh", "-c", WAIT), files=()):
        bin_dir, self.work = tmp_path / "bin", tmp_path / "work"
        bin_dir.mkdir()
        self.work.mkdir()
        (tmp_path / "recording").mkdir()
        for name in files:
            (self.work / name).write_text("x")
        for name in ("eslogger", "fs_usage"):
            (bin_dir / name).symlink_to(HERE / "fake_tracer")
        plan = tmp_path / "plays.json"
        plan.write_text(json.dumps(plays).replace("WORK", str(self.work)))
        done = subprocess.run([IOTRC, "run", "--engine", engine, "--json", "-", "--all", "--no-ignore", "--keep",
                               tmp_path / "recording", "--", *command],
                              cwd=self.work, capture_output=True, text=True, timeout=90,
                              env={**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "PYTHONPATH": str(HERE),
                                   "FAKE_TRACER": str(plan), "PWD": str(self.work)})
        self.code, self.said = done.returncode, done.stderr
        self.report = json.loads(done.stdout) if done.stdout else None
        self.runs = pathlib.Path(f"{plan}.runs")

    def files(self, what):
        """Those in the workspace."""
        return sorted(p for p in self.report[what] if not p.startswith("/"))

    @property
    def incomplete(self):
        return self.report["incomplete"]


def line(text):
    return ["line", text]


def es_path(name, mode=0o100644):
    return lines.es_file(f"WORK/{name}", mode)


def es_new(name):
    return {"destination_type": 1, "destination": {"new_path": {"dir": es_path(".", 0o40755), "filename": name}}}


def es_open(name, fflag, **more):
    return line(lines.es("open", {"fflag": fflag, "file": es_path(name)}, **more))


ES_PLAY = [
    ["begun"],
    es_open("in", 1),
    line(lines.es("create", {"destination_type": 0, "destination": {"existing_file": es_path("out")}})),
    es_open("out", 2 | 0x200), line(lines.es("write", {"target": es_path("out")})),
    line(lines.es("rename", {"source": es_path("out"), **es_new("final")})),
    line(lines.es("fork", {"child": lines.es_process(1 << 22, 1, "/bin/worker")})),
    line(lines.es("exec", {"target": lines.es_process(1 << 22, 1, "/bin/child"), "args": ["child", "-x"],
                           "cwd": es_path(".")}, pid=1 << 22)),
    es_open("child-in", 1, pid=1 << 22, program="/bin/child"),
    line(lines.es("exit", {"stat": 256}, pid=1 << 22, program="/bin/child")),
    es_open("of-another", 1, pid=(1 << 22) - 1),
    line(lines.es("unlink", {"target": es_path("old"), "parent_dir": es_path(".")})),
    ["serve"],
]


def test_eslogger(tmp_path):
    """Files of a process and of its child; both names of a rename; nothing of another process."""
    run = Run(tmp_path, "eslogger", ES_PLAY, files=("in", "child-in", "final", "of-another"))
    assert run.code == 0, run.said
    assert run.files("reads") == ["child-in", "in"]
    assert run.files("writes") == ["final"]
    assert run.files("deleted") == ["old"]
    assert run.report["engine"] == "eslogger"
    assert [t.split(":")[0] for t in run.incomplete] == [FAILED]


def test_losses_of_eslogger_are_reported(tmp_path):
    run = Run(tmp_path, "eslogger", [["begun"], es_open("in", 1), es_open("in", 1, seq=100000), ["serve"]],
              files=("in",))
    assert any("rows were lost" in t for t in run.incomplete), run.incomplete
    assert run.files("reads") == ["in"]


def test_a_path_that_eslogger_has_cut_is_lost(tmp_path):
    cut = line(lines.es("open", {"fflag": 1, "file": lines.es_file("WORK/in", cut=True)}))
    run = Run(tmp_path, "eslogger", [["begun"], cut, ["serve"]], files=("in",))
    assert run.files("reads") == []
    assert any("1 rows were lost" in t for t in run.incomplete), run.incomplete


FS_PLAY = [
    ["begun"],
    line(lines.fs_usage("open", fd=3, flags="R___________", path="WORK/in")),
    line(lines.fs_usage("read", fd=3, bytes=1)),
    line(lines.fs_usage("close", fd=3)),
    line(lines.fs_usage("open", fd=4, flags="_WC_TE_________", path="WORK/with a blank")),
    line(lines.fs_usage("write", fd=4, bytes=0x10, command="my tool")),
    line(lines.fs_usage("close", fd=4)),
    line(lines.fs_usage("open", error=2, flags="R_____________", path="WORK/missing")),
    line(lines.fs_usage("unlinkat", dir=-2, path="WORK/old")),
    line(lines.fs_usage("  WrData[AT1]", path="x")),
    ["serve"],
]


def test_fs_usage(tmp_path):
    """Flags of 12, 14 and 15 places, descriptors, errors, a command with a blank."""
    run = Run(tmp_path, "fs_usage", FS_PLAY, files=("in", "with a blank"))
    assert run.code == 0, run.said
    assert run.files("reads") == ["in"]
    assert run.files("writes") == ["with a blank"]
    assert run.files("missing") == ["missing"]
    assert run.files("deleted") == ["old"]
    assert run.incomplete == []


@pytest.mark.parametrize("shown, hole", [
    (lines.fs_usage("rename", path="WORK/in"), "renames"),
    (lines.fs_usage("link", path="WORK/in"), "calls on two files"),
    (lines.fs_usage("open", fd=3, flags="R___________", path="/" + "WORK/" * 60 + "in"), "paths that fs_usage has cut"),
    (lines.fs_usage("open", fd=3, flags="R___________", path="WORK/in>>>"), "paths that fs_usage has cut"),
    (lines.fs_usage("posix_spawn", path="/bin/ls"), "programs started by posix_spawn"),
    (lines.fs_usage("a_new_call", path="WORK/in"), "calls that this iotrc does not know"),
    (lines.fs_usage("stat64", path="WORK/in", thread=(1 << 22) - 3), "threads that ended"),
])
def test_what_fs_usage_does_not_tell_is_incomplete(tmp_path, shown, hole):
    run = Run(tmp_path, "fs_usage", [["begun"], line(shown), ["serve"]], files=("in",))
    assert run.code == 0, run.said
    assert any(t.startswith(hole) and t.endswith("(1)") for t in run.incomplete), run.incomplete
    assert run.files("reads") == run.files("writes") == []


def test_cut_paths_of_any_length(tmp_path):
    """fs_usage shows the last 144 to 156 bytes, by the call's other fields; 3 bytes less are a whole path, of a file."""
    whole = "/" + "w" * 140
    shown = [lines.fs_usage("open", fd=3, flags="R" + "_" * (places - 1), path=f"/top/{'d' * 200}/{places}") for places in (12, 14, 15)]
    shown += [lines.fs_usage("stat64", path="/top/" + "d" * 200), lines.fs_usage("unlink", error=2, path="/top/" + "d" * 200)]
    run = Run(tmp_path, "fs_usage", [["begun"], *map(line, shown), line(lines.fs_usage("stat64", path=whole)), ["serve"]])
    assert [t.split(":")[0] for t in run.incomplete] == ["paths that fs_usage has cut"] and f"({len(shown)})" in run.incomplete[0]
    assert [row["filename"] for row in rows(run)] == [whole]


FLAGS = ["O_RDWR", "O_CREAT", "O_APPEND", "O_TRUNC", "O_EXCL", "O_NONBLOCK", "O_EXLOCK", "O_NOFOLLOW", "O_SYMLINK", "O_EVTONLY",
         "O_CLOEXEC"]


@pytest.mark.parametrize("places, more", [("", []), ("f_", ["O_NOFOLLOW_ANY"]), ("f__", ["O_NOFOLLOW_ANY"]),
                                          ("f_____", ["O_NOFOLLOW_ANY"]), ("______", [])])
def test_flags_are_read_by_their_places(tmp_path, places, more):
    """Of 12, 14, 15 and 18 places: each version of macOS appends some."""
    shown = [lines.fs_usage("open", fd=3, flags="RWCATENLFSVX" + places, path="/d/all"),
            lines.fs_usage("open", fd=4, flags="R_____________"[:12 + len(places)], path="/d/none"),
            lines.fs_usage("open", fd=5, flags="R_____________"[:12 + len(places)], path="/d/dir"),
            lines.fs_usage("openat", fd=6, dir=5, flags="_W_____l____" + "_" * len(places), path="shared")]
    run = Run(tmp_path, "fs_usage", [["begun"], *map(line, shown), ["serve"]])
    got = {row["filename"].rsplit("/", 1)[1]: set(row["flags"].split("|")) for row in rows(run)}
    assert got == {"all": {*FLAGS, *more}, "none": {"O_RDONLY"}, "dir": {"O_RDONLY"}, "shared": {"O_WRONLY", "O_SHLOCK"}}
    assert [(row["filename"], row["return_value"]) for row in rows(run)][-1] == ("/d/dir/shared", 6)


def test_fields_of_a_line(tmp_path):
    """The mark of a call that waited, seconds of four digits, a status that is no errno, an errno before a directory's
    descriptor, and commands with blanks and dots."""
    shown = [lines.fs_usage("open", fd=7, flags="R__________________"[:15], path="/d"),
            lines.fs_usage("fsync", fd=7, waited=True, seconds=1234.5, command="my tool 1.5"),
            lines.fs_usage("unlinkat", error=2, dir=7, path="gone"),
            lines.fs_usage("mkdirat", error=17, dir=-2, path="/there"),
            lines.fs_usage("getattrlistat", dir=7, path="[  2] F=3"),
            lines.fs_usage("exit", error=1)]
    run = Run(tmp_path, "fs_usage", [["begun"], *map(line, shown), ["serve"]])
    assert run.incomplete == []
    got = [(row["operation"], row.get("filename"), row.get("errno"), row.get("return_value")) for row in rows(run)]
    assert got == [("open", "/d", None, 7), ("fsync", "/d", None, 0), ("unlink", "/d/gone", "ENOENT", -2),
                   ("mkdir", "/there", "EEXIST", -17), ("getattr", "/d/[  2] F=3", None, 0), ("process_exit", None, None, 1)]
    synced = rows(run)[1]
    assert synced["duration_ns"] == 1234_500_000_000 and synced["command"] == "my tool 1.5"


def test_requests_to_disks_are_between_the_calls(tmp_path):
    """Of any program, also of threads that nobody has: they are no calls. The call that waits for one comes after it. Sizes and
    offsets have more digits than their columns."""
    shown = [lines.fs_usage("open", fd=3, flags="_W__________", path="/d/f"), lines.fs_usage("write", fd=3, bytes=0x400000),
             lines.disk("RdMeta[ST1]", "/dev/disk3", device="/dev/disk3"),
             lines.disk("WrData[AT1]", "/d/f", bytes=0x100000), lines.disk("WrData[A]", "/d/f", sector=0x123456789a),
             lines.disk("RdData[S]", "/Library/Application Support/A [  2] F=3/log", command="A tool (Helper)", thread=(1 << 22) - 3),
             lines.fs_usage("fsync", fd=3, waited=True), lines.fs_usage("pwrite", fd=3, bytes=8, offset=8 << 32),
             lines.fs_usage("truncate", error=2, offset=0x120a8 << 32 | 4, path="/d/gone"), lines.fs_usage("close", fd=3)]
    run = Run(tmp_path, "fs_usage", [["begun"], *map(line, shown), ["serve"]])
    assert run.incomplete == []
    assert [(row["operation"], row["filename"], row.get("bytes_completed"), row.get("errno")) for row in rows(run)] == [
        ("open", "/d/f", None, None), ("write", "/d/f", 0x400000, None), ("fsync", "/d/f", None, None), ("write", "/d/f", 8, None),
        ("truncate", "/d/gone", None, "ENOENT"), ("close", "/d/f", None, None)]


PROGRAM = """
import os, threading, time
def wait():
    while not os.path.exists(os.environ["FAKE_TRACER"] + ".played"):
        time.sleep(0.05)
threading.Thread(target=wait).start()
wait()
"""


def test_threads_share_their_descriptors(tmp_path):
    """A number behind the command is a thread, of the process that the system says; what one opens another reads."""
    shown = [lines.fs_usage("open", fd=3, flags="R___________", path="/d/shared"),
            lines.fs_usage("read", fd=3, bytes=5, thread="\x01tid;"), lines.fs_usage("close", fd=3, thread="\x01tid;")]
    run = Run(tmp_path, "fs_usage", [["begun"], *map(line, shown), ["serve"]], command=(
        "/usr/bin/python3", "-S", "-c", PROGRAM))
    assert run.incomplete == []
    got = [(row["operation"], row["filename"], row["pid"], row["tid"]) for row in rows(run)]
    assert [g[:2] for g in got] == [("open", "/d/shared"), ("read", "/d/shared"), ("close", "/d/shared")]
    assert len({pid for _, _, pid, _ in got}) == 1 and got[0][2] == got[0][3] != got[1][3] == got[2][3]


def test_descendants_whose_forks_are_not_shown(tmp_path):
    """As fs_usage tells of no child's id, the system says whose child a process is. All lines are read at once, before anything is
    known of these processes. All have the same descriptor number."""
    child, grandchild = {"thread": "\x01child;"}, {"thread": "\x01grandchild;"}
    shown = [lines.fs_usage("open", fd=3, flags="_WC_T__________", path="/d/parent"),
             lines.fs_usage("open", fd=3, flags="_WC_T__________", path="/d/child", **child),
             lines.fs_usage("write", fd=3, bytes=10, **child), lines.fs_usage("write", fd=3, bytes=7),
             lines.fs_usage("open", fd=3, flags="_WC_T__________", path="/d/grandchild", **grandchild),
             lines.fs_usage("write", fd=3, bytes=5, **grandchild), lines.fs_usage("write", fd=3, bytes=9, **child),
             lines.fs_usage("close", fd=3, **child), lines.fs_usage("exit", **child)]
    run = Run(tmp_path, "fs_usage", [["begun"], line("\n".join(shown)), ["serve"]],
              command=("sh", "-c", f"sh -c 'sleep 90 & trap \"kill $!\" TERM; wait' & {WAIT}; kill $!"))
    assert run.incomplete == []
    got = rows(run)
    assert [(row["operation"], row.get("filename"), row.get("bytes_completed")) for row in got] == [
        ("open", "/d/parent", None), ("open", "/d/child", None), ("write", "/d/child", 10), ("write", "/d/parent", 7),
        ("open", "/d/grandchild", None), ("write", "/d/grandchild", 5), ("write", "/d/child", 9), ("close", "/d/child", None),
        ("process_exit", None, None)]
    parent, child, grandchild = (got[i]["pid"] for i in (0, 1, 4))
    assert [row["pid"] for row in got] == [parent, child, child, parent, grandchild, grandchild, child, child, child]
    assert got[1]["ppid"] == parent and got[4]["ppid"] == child


def test_a_thread_with_a_directory_of_its_own(tmp_path):
    """Until it returns to the directory of its process, which is descriptor -1."""
    own = {"thread": "\x01tid;"}
    shown = [lines.fs_usage("chdir", path="/a"), lines.fs_usage("pthread_chdir", path="/b", **own),
             lines.fs_usage("stat64", path="1", **own), lines.fs_usage("stat64", path="2"),
             lines.fs_usage("open", fd=3, flags="R___________", path="/d"), lines.fs_usage("pthread_fchdir", fd=3, **own),
             lines.fs_usage("unlinkat", dir=-2, path="3", **own), lines.fs_usage("pthread_fchdir", fd=-1, **own),
             lines.fs_usage("stat64", path="4", **own), lines.fs_usage("pthread_fchdir", fd=-1, error=9, **own)]
    run = Run(tmp_path, "fs_usage", [["begun"], *map(line, shown), ["serve"]], command=("/usr/bin/python3", "-S", "-c", PROGRAM))
    assert run.incomplete == []
    assert [(row["operation"], row["filename"]) for row in rows(run)] == [
        ("chdir", "/a"), ("chdir", "/b"), ("getattr", "/b/1"), ("getattr", "/a/2"), ("open", "/d"), ("chdir", "/d"),
        ("unlink", "/d/3"), ("chdir", "/a"), ("getattr", "/a/4")]


@pytest.mark.parametrize("spawns", [False, True])
def test_files_of_children(tmp_path, spawns):
    """A child has its parent's files, unless posix_spawn() may have changed them: then the system is asked, in which it has no
    descriptor 99."""
    shown = [lines.fs_usage("open", fd=99, flags="_WC_T__________", path="/d/parent"),
             lines.fs_usage("posix_spawn" if spawns else "fork", path="/bin/sh" if spawns else ""),
             lines.fs_usage("write", fd=99, bytes=3, thread="\x01child;")]
    run = Run(tmp_path, "fs_usage", [["begun"], line("\n".join(shown)), ["serve"]], command=("sh", "-c", f"sleep 90 & {WAIT}; kill $!"))
    assert [t.split(" by")[0] for t in run.incomplete] == (["programs started"] if spawns else [])
    assert [(row["operation"], row["filename"]) for row in rows(run)] == [
        ("open", "/d/parent")] + ([] if spawns else [("write", "/d/parent")])


def test_failed_calls_on_two_files(tmp_path):
    """They have rows with the path that fs_usage shows; the other one is unknown. Nothing has changed, and no file is known to
    be missing, as the error may be about either."""
    shown = [lines.fs_usage("rename", error=2, path="/d/in"), lines.fs_usage("link", error=17, path="/d/old"),
             lines.fs_usage("symlink", error=17, path="/d/made"), lines.fs_usage("renameatx_np", error=17, path="/d/old"),
             lines.fs_usage("renameat", error=2, dir=9, path="relative"), lines.fs_usage("linkat", error=1, dir=-2, path="/d/old"),
             lines.fs_usage("fclonefileat", error=17, path="/d/made"), lines.fs_usage("rename", error=14),
             lines.fs_usage("sendfile", fd=4, error=9)]
    run = Run(tmp_path, "fs_usage", [["begun"], *map(line, shown), ["serve"]])
    assert run.incomplete == [] and run.report["missing"] == [] and run.report["renamed"] == []
    assert [(row["operation"], row["filename"], row["errno"]) for row in rows(run)] == [
        ("rename", "/d/in -> ", "ENOENT"), ("link", "/d/old -> ", "EEXIST"), ("symlink", " -> /d/made", "EEXIST"),
        ("rename", "/d/old -> ", "EEXIST"), ("rename", " -> ", "ENOENT"), ("link", "/d/old -> ", "EPERM"),
        ("clone", " -> /d/made", "EEXIST"), ("rename", " -> ", "EFAULT")]


@pytest.mark.parametrize("engine, said, shown", [
    ("fs_usage", "ktrace_start: Resource busy", "another program is tracing"),
    ("fs_usage", "'fs_usage' must be run as root...", "fs_usage needs root"),
    ("eslogger", "Not permitted to create an ES Client: ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED",
     "eslogger needs Full Disk Access"),
    ("eslogger", "ES_NEW_CLIENT_RESULT_ERR_NOT_PRIVILEGED", "eslogger needs root"),
    ("eslogger", "what?", "eslogger does not start: what?"),
])
def test_refusals(tmp_path, engine, said, shown):
    run = Run(tmp_path, engine, [["said", said], ["exit", 1]])
    assert run.code == 1 and run.report is None
    assert shown in run.said


def test_fs_usage_records_where_eslogger_may_not(tmp_path):
    refused = [["said", "Not permitted to create an ES Client: ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED"], ["exit", 1]]
    run = Run(tmp_path, "macos", refused, FS_PLAY, files=("in", "with a blank"))
    assert run.code == 0, run.said
    assert run.report["engine"] == "fs_usage" and "eslogger does not start" in run.report["engine_because"]
    assert run.files("reads") == ["in"] and run.files("writes") == ["with a blank"]


def test_eslogger_records_where_it_may(tmp_path):
    run = Run(tmp_path, "macos", ES_PLAY, files=("in", "child-in", "final", "of-another"))
    assert run.report["engine"] == "eslogger" and run.files("reads") == ["child-in", "in"]


def test_neither_can_start(tmp_path):
    run = Run(tmp_path, "macos", [["said", "ktrace_start: Resource busy"], ["exit", 1]])
    assert run.code == 1 and run.report is None and "another program is tracing" in run.said


@pytest.mark.parametrize("engine, play", [("eslogger", ES_PLAY), ("fs_usage", FS_PLAY)])
def test_one_that_dies_is_reported_and_started_again(tmp_path, engine, play):
    run = Run(tmp_path, engine, [["begun"], ["exit", 1]], play,
              files=("in", "child-in", "final", "with a blank"))
    assert len(run.runs.read_text()) == 2
    assert any(t.startswith(f"the tracer of {engine} ended by itself") for t in run.incomplete), run.incomplete
    assert "in" in run.files("reads")


@pytest.mark.parametrize("engine", ["eslogger", "fs_usage"])
def test_one_that_stalls_is_reported(tmp_path, engine):
    """The program does not print the last marker: what was done before may be missing."""
    began = time.monotonic()
    run = Run(tmp_path, engine, [["begun"], ["stall"], ["serve"]])
    assert any(t.startswith(f"the tracer of {engine} ended") for t in run.incomplete), run.incomplete
    assert time.monotonic() - began < 30


@pytest.mark.calm # the others mostly wait, this one reads
def test_floods_are_read(tmp_path):
    text = lines.fs_usage("stat64", path="WORK/in")
    run = Run(tmp_path, "fs_usage", [["begun"], ["flood", 20000, text], ["serve"]],
              files=("in",))
    assert run.incomplete == []
    assert run.files("stated") == ["in"]


@pytest.mark.parametrize("engine", ["eslogger", "fs_usage"])
def test_lines_that_are_not_understood_count(tmp_path, engine):
    run = Run(tmp_path, engine, [["begun"], line("gibberish " * 20), ["serve"]])
    assert any("1 rows were lost" in t for t in run.incomplete), run.incomplete


def rows(run):
    """What `iotrc cat` shows of a recording, names as they are."""
    out = subprocess.run([IOTRC, "cat", "--streams", "fs", run.work.parent / "recording"], capture_output=True,
                         text=True, check=True).stdout
    return [json.loads(text) for text in out.split("\n") if text]


def random_name(chance, most):
    """Names that look like fields of fs_usage; no blanks at the end, which are fs_usage's own."""
    parts = ["[  2]", "F=3", "(R___)", "  ", "<x>", " 0.000123   x.1", "/dev/", ".", "\u30b9", "\u2028", "'", "a" * 30]
    name = "".join(chance.choice(parts) for _ in range(chance.randrange(1, 9))).replace("/.", "/x")
    while len(name.encode()) > most:
        name = name[:-1]
    return name.strip(" ./>") or "x"


def test_names_come_back_as_they_were(tmp_path):
    """Byte for byte, as far as fs_usage shows them, whatever looks like a field or the seconds."""
    chance, shown, expected = lines.seeded(19), [["begun"]], []
    for i in range(300):
        path = "/d/" + random_name(chance, 120).replace("//", "/x")
        call = chance.choice(["stat64", "unlink", "open", "access_extended"])
        flags = "R_____________" if call == "open" else None
        shown.append(line(lines.fs_usage(call, path=path, error=2, flags=flags,
                                        command=chance.choice(["sh", "my tool 0.1", "x"]),
                                        seconds=chance.random() * 1100)))
        expected.append(path)
    run = Run(tmp_path, "fs_usage", [*shown, ["serve"]])
    assert run.incomplete == []
    names = [row["filename"] for row in rows(run)]
    assert [name.replace("\\xE2\\x80\\xA8", "\u2028") for name in names] == expected
