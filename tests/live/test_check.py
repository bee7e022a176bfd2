# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc check`: compares what a command does with what is declared. The command is a script whose accesses are known;
bash expands the globs, make reads the depfile, and a second run is judged by the declaration that the first one wrote.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

import recorder

pytestmark = pytest.mark.calm

WORKLOAD = """
import os, subprocess, sys
def read(path):
    open(path, "rb").close() if path.endswith("empty") else open(path, "rb").read()
read("src/a.c"); read("src/deep/b.c"); read("lib/secret.h"); read("cache/state")
subprocess.run(["cat", "other/x.txt", "other/y.txt", "other/z.md"], stdout=subprocess.DEVNULL, check=True)
os.stat("src/stated.c")
os.mkdir("dist.tmp"); open("dist.tmp/app.js", "w").write("x"); os.rename("dist.tmp", "dist")
open("stray.log", "w").write("x"); open("cache/state", "a").write("x")
os.makedirs("logs")
os.unlink("old.txt"); os.unlink("removed/file"); os.rmdir("removed")
sys.exit(int(sys.argv[1]))
"""

FILES = ["src/a.c", "src/deep/b.c", "src/stated.c", "src/unread.c", "src/skipped/c.c", "lib/secret.h", "cache/state",
         "other/x.txt", "other/y.txt", "other/z.md", "old.txt", "removed/file", "node_modules/m/index.js", ".git/HEAD",
         "ignored.tmp", "bin/tool"]

DECLARED = {
    "inputs": ["src/", "!src/skipped/**", "bin/tool", "gone.json", "node_modules/m/index.js", "{old,removed/file}.txt"],
    "outputs": ["dist/*.js", "logs", "node_modules/.cache", "never.map"],
    "ignore_reads": ["cache/**"],
    "ignore_writes": ["cache/**", "removed/**"],
}


def check(*args, **kwargs):
    return subprocess.run([recorder.IOTRC, "check", *map(str, args)], capture_output=True, timeout=recorder.START, **kwargs)


def prepare(workspace):
    for name in FILES:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (workspace / "link.c").symlink_to("src/a.c")
    (workspace / "bin/tool").write_text("#!/bin/sh\n")


def command(status=0):
    return ["--", sys.executable, "-I", "-S", "-c", WORKLOAD, str(status)]


class Checked:
    def __init__(self, directory):
        self.workspace, self.json_file = directory / "workspace", directory / "report.json"
        prepare(self.workspace)
        time.sleep(0.1)  # times of birth show what the command created
        (self.workspace / "io.json").write_text(json.dumps(DECLARED))
        self.done = check("--declared", "io.json", "--json", self.json_file, "-o", directory / "text", *command(),
                          cwd=self.workspace)
        assert self.done.stderr == b"", self.done.stderr
        self.json = json.loads(self.json_file.read_text())
        self.text = (directory / "text").read_text()

    def paths(self, key):
        return [v.get("path", v.get("glob")) for v in self.json["check"][key]]

    def again(self, declared, *args):
        """The verdict on the same report by another declaration, and the exit code."""
        file = self.json_file.parent / "other.json"
        file.write_text(json.dumps(declared))
        done = check("--report", self.json_file, "--declared", file, "--json", *args)
        assert done.stderr == b"", done.stderr
        return json.loads(done.stdout)["check"], done.returncode


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    return Checked(tmp_path_factory.mktemp("check"))


def test_four_classes(checked):
    assert checked.json["incomplete"] == [] and checked.done.returncode == 4
    assert checked.paths("undeclared_reads") == ["lib/secret.h", "other/x.txt", "other/y.txt", "other/z.md"]
    assert checked.paths("undeclared_writes") == ["stray.log", "old.txt"]
    # A declared file that is only stat'ed is unused; a missing one is listed as it was declared.
    assert checked.paths("unused_inputs") == ["bin/tool", "src/stated.c", "src/unread.c", "gone.json"]
    assert checked.paths("missing_outputs") == ["never.map"]
    assert checked.json["check"]["not_judged"] == []


def test_process_that_did_it(checked):
    """The pids of cat and python are in the tree, and no others."""
    by_path = {v["path"]: v["processes"] for v in checked.json["check"]["undeclared_reads"]}
    assert [p["command"] for p in by_path["other/x.txt"]] == ["cat other/x.txt other/y.txt other/z.md"]
    reader, = by_path["lib/secret.h"]
    writer, = {v["path"]: v["processes"] for v in checked.json["check"]["undeclared_writes"]}["stray.log"]
    assert reader == writer and reader["command"].startswith(sys.executable)
    deleted = [v for v in checked.json["check"]["undeclared_writes"] if v.get("deleted")]
    assert [v["path"] for v in deleted] == ["old.txt"] and deleted[0]["processes"] == [reader]


def test_text(checked):
    lines = checked.text.splitlines()
    counts = [(len(checked.json["check"][k]), k) for k in ("undeclared_reads", "undeclared_writes", "unused_inputs")]
    words = [f"{n} {k.replace('_', ' ')}" for n, k in counts]
    assert lines[0].startswith(", ".join(words) + f", 1 missing output: {sys.executable} -I")
    cat = lines.index(next(line for line in lines if line.startswith("  cat other/x.txt")))
    assert lines[cat + 1:cat + 3] == ["    other/z.md", "    other/*.txt (2): x.txt, y.txt"]
    assert lines[lines.index("MISSING OUTPUTS (1)") + 1] == "  never.map"


def test_summary_and_warn(checked):
    """--summary prints the first line; with --warn the exit code is the command's."""
    done = check("--report", checked.json_file, "--summary")
    assert done.returncode == 4
    assert done.stderr.decode().splitlines() == checked.text.splitlines()[:1]
    assert check("--report", checked.json_file, "--warn").returncode == 0
    assert check("--report", checked.json_file, "--warn", "--strict").returncode == 4


def test_as_declared(checked):
    declared = {"inputs": ["src/**/[ab].c", "lib/*.h", "other/?.{txt,md}", "cache/"], "outputs": ["**", "!nothing"]}
    verdict, code = checked.again(declared)
    assert verdict == {"undeclared_reads": [], "undeclared_writes": [], "unused_inputs": [], "missing_outputs": [],
                       "not_judged": []}
    assert code == 0
    declared["outputs"] = ["!stray.log"]
    verdict, code = checked.again(declared)
    assert [v["path"] for v in verdict["undeclared_writes"]] == ["stray.log"] and code == 4


def test_judged_as_before(checked):
    """The report contains its declaration."""
    done = check("--report", checked.json_file, "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout) == checked.json


def test_written_declaration(checked, tmp_path):
    """What was observed passes, with the same report and with another run; no glob matches a file that wasn't used."""
    file = tmp_path / "written.json"
    done = check("--report", checked.json_file, "--write-declaration", file, "--summary")
    assert done.returncode == 4
    written = json.loads(file.read_text())
    assert written["inputs"] == ["cache/state", "lib/secret.h", "other/**", "src/a.c", "src/deep/b.c"]
    assert written["outputs"] == ["cache/state", "dist/app.js", "stray.log"]
    workspace = tmp_path / "workspace"
    prepare(workspace)
    time.sleep(0.1)
    for key in "ignore_writes", "ignore_reads":
        written[key] = ["old.txt", "removed/"]  # a deleted file is no output
    file.write_text(json.dumps(written))
    done = check("--declared", file, *command(), cwd=workspace)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(b"as declared, 7 reads and 3 writes: ")


def test_failed_command(tmp_path):
    """What was observed is judged; missing outputs and unused inputs are not, and CMD's status is kept."""
    prepare(tmp_path / "w")
    (tmp_path / "io.json").write_text('{"inputs": ["**"], "outputs": ["**", "never.map"]}')
    done = check("--declared", tmp_path / "io.json", *command(9), cwd=tmp_path / "w")
    assert done.returncode == 9
    assert b", status 9: " in done.stderr.splitlines()[0]
    assert b"Not judged: unused inputs" in done.stderr and b"Not judged: missing outputs" in done.stderr


def fabricated(tmp_path, **lists):
    report = {"reads": [], "writes": [], "executed": [], "denied": [], "deleted": [], "missing": [], "unread": [],
              "incomplete": [], "workspace": str(tmp_path), "ignored": [], "command": ["x"], "status": 0, **lists}
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report))
    return file


def judged(tmp_path, report, declared):
    (tmp_path / "declared.json").write_text(json.dumps(declared))
    done = check("--report", report, "--declared", tmp_path / "declared.json", "--json")
    return json.loads(done.stdout)["check"] if done.stdout else done


def test_incomplete(tmp_path):
    """If something may be missing, the exit code is 3 unless there is a violation; unused inputs can't be known."""
    file = fabricated(tmp_path, reads=["a"], unread=["b"], incomplete=["5 rows were lost"])
    verdict = judged(tmp_path, file, {"inputs": ["a", "b"]})
    assert verdict["unused_inputs"] == [] and verdict["not_judged"] == ["unused_inputs"]
    done = check("--report", file, "--declared", tmp_path / "declared.json")
    assert done.returncode == 3
    assert done.stderr.startswith(b"as declared, 1 read and 0 writes, incomplete: x\n")
    assert b"\nINCOMPLETE\n  5 rows were lost\n" in done.stderr
    assert check("--report", file, "--declared", tmp_path / "declared.json", "--warn").returncode == 0


def test_many_processes_of_a_program(tmp_path):
    """Six compilers are one line, five are a line each; a long command is shortened in its middle. The JSON has all."""
    def compilers(count):
        return [{"pid": 100 + i, "parent": 1, "command": f"/usr/bin/cc1 {'-I x ' * 60}{i}.c", "reads": [f"h/{i}.h", "h/all.h"]}
                for i in range(count)]
    for count in (5, 6):
        report = fabricated(tmp_path, reads=["h/all.h", *(f"h/{i}.h" for i in range(count))], processes=compilers(count))
        verdict = judged(tmp_path, report, {"inputs": []})
        assert [[p["pid"] for p in v["processes"]] for v in verdict["undeclared_reads"]] == [
            list(range(100, 100 + count)), *([100 + i] for i in range(count))]
        lines = check("--report", report, "--declared", tmp_path / "declared.json").stderr.decode().splitlines()[3:]
        if count == 6:
            assert lines == ["  cc1 (6 processes)", "    h/*.h (7): 0.h, 1.h, 2.h, 3.h, 4.h, 5.h, all.h"]
        else:
            assert lines[0].startswith("  /usr/bin/cc1 -I x") and lines[0].endswith(" -I x 0.c (100)")
            assert lines[1] == "    h/*.h (2): 0.h, all.h" and len(lines) == 10 and len(lines[0]) < 140


GLOBS = ["*", "**", "*.c", "**/*.c", "src/*", "src/**", "src/**/b.c", "src/?.c", "src/[ab].c", "src/[!a].c", "src/[a-z]*",
         "{src,lib}/*.[ch]", "**/{a,b}.c", "{a,b,src/{a,x}}.c", "s*c/**", "src/d*/*.c", "**/d/**", "*/*/b.c", r"lib/\*.c",
         "lib/a b.h", "lib/[*].c", ".*", "src/.h*", "[]x]", "{a}", "lib/a,b.h", "x{,y}.c", "?", "lib/[[:digit:]].h",
         "src/[^a].c", "**/.hidden", "lib/é?.h", "lib/\u00e9*"]
TREE = ["a.c", "b.h", "x.c", "xy.c", ".dot", "]", "{a}", "\u00e9", "src/a.c", "src/b.c", "src/A.c", "src/.hidden", "src/d/b.c",
        "src/d/e/b.c", "src/d/e/f.h", "lib/*.c", "lib/x.c", "lib/a b.h", "lib/a,b.h", "lib/1.h", "lib/\u00e9\u00e9.h",
        "lib/d/deep.txt"]


def test_globs_as_bash(tmp_path):
    """Each glob matches the files that bash expands it to (globstar, dotglob, and classes of bytes as in C.UTF-8)."""
    tree = tmp_path / "tree"
    for name in TREE:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("")
    for glob in GLOBS:
        out = subprocess.run(["bash", "-O", "globstar", "-O", "dotglob", "-O", "nullglob", "-c",
                              "LC_ALL=C.UTF-8; IFS=; eval \"printf '%s\\\\0' $1\"", "bash", glob.replace(" ", "\\ ")],
                             cwd=tree, capture_output=True, check=True).stdout.decode()
        expected = {n for n in out.split("\0") if (tree / n).is_file()}
        verdict = judged(tmp_path, fabricated(tmp_path, reads=sorted(TREE)), {"inputs": [glob]})
        found = set(TREE) - {v["path"] for v in verdict["undeclared_reads"]}
        if "**" not in glob and not set("*?[{") & set(glob):
            expected |= {n for n in TREE if n.startswith(glob + "/")}
        assert found == expected, glob


def test_directories_and_negation(tmp_path):
    """A name without wildcards and a slash at the end match everything below; ! excludes, in any order; a list with
    only ! matches all other files."""
    names = ["d/a", "d/e/b", "da", "p/x/dist/f", "p/x/distance", "p/y/dist/g/h"]
    report = fabricated(tmp_path, reads=names)
    for globs, declared in [
            (["d"], {"d/a", "d/e/b"}), (["d/"], {"d/a", "d/e/b"}), (["./d/e"], {"d/e/b"}), ([str(tmp_path / "d/e")], {"d/e/b"}),
            (["p/*/dist/"], {"p/x/dist/f", "p/y/dist/g/h"}), (["p/*/dist"], set()), (["!d/e/", "d/"], {"d/a"}),
            (["d", "!d/**/b"], {"d/a"}), (["!p"], {"d/a", "d/e/b", "da"}), (["."], set(names)), ([], set())]:
        verdict = judged(tmp_path, report, {"inputs": globs})
        assert set(names) - {v["path"] for v in verdict["undeclared_reads"]} == declared, globs


def test_names_of_any_bytes(tmp_path):
    """Wildcards match a name that is not UTF-8; such a name can be written into a declaration and declared."""
    for name in b"\xff\xfe.bin", b"in [1]*.txt", b"!x", b"plain":
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    time.sleep(0.1)
    script = "cat \"$(printf '\\377\\376.bin')\" 'in [1]*.txt' '!x' > 'out{a,b}'"
    done = check("--write-declaration", tmp_path / "declared.json", "--reads", tmp_path / "list", "--null", "--", "sh", "-c",
                 script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "declared.json").read_text())
    assert (tmp_path / "list").read_bytes().split(b"\0") == [b"!x", b"in [1]*.txt", b"\xff\xfe.bin", b""]
    assert written["inputs"] == [r"\!x", r"in \[1]\*.txt", {"path": r"\xff\xfe.bin", "base64": "//4uYmlu"}]
    done = check("--declared", tmp_path / "declared.json", "--json", tmp_path / "r", "--", "sh", "-c", script, cwd=tmp_path)
    assert done.returncode == 0, json.loads((tmp_path / "r").read_text())["check"]
    verdict = judged(tmp_path, tmp_path / "r", {"inputs": ["*"], "outputs": ["*"]})
    assert verdict["undeclared_reads"] == [] and verdict["undeclared_writes"] == []


def test_reached_through_a_link(tmp_path):
    """A declared name that leads through a symlink is the file that the symlink reaches."""
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1/config").write_text("x")
    (tmp_path / "current").symlink_to("v1")
    (tmp_path / "io.json").write_text('{"inputs": ["current/config"]}')
    done = check("--declared", "io.json", "--", "cat", "current/config", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_depfile(tmp_path):
    """make decides from the depfile what to build again, whatever the names are."""
    names = ["a.h", "b c.h", "d$e.h", "f#g.h", "h:i.h", "k%l.h", "back\\slash.h", "~x", "s\\ t", "q\\#u", "w*x", "w[z]?",
             "w\\*x", "a\\:z", "%p", "a'b", "p\\%q"]
    for name in names:
        (tmp_path / name).write_text("x")
    script = 'cat "$@" > "out file"'
    done = check("--depfile", "deps.d", "--", "sh", "-c", script, "sh", *names, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "Makefile").write_text("include deps.d\nout\\ file:\n\techo\n")

    def up_to_date():
        return subprocess.run(["make", "-q", "out file"], cwd=tmp_path, capture_output=True, check=False).returncode
    old = time.time() - 100
    for name in names:
        os.utime(tmp_path / name, (old, old))
    assert up_to_date() == 0
    for name in names:
        os.utime(tmp_path / name, (old + 200, old + 200))
        assert up_to_date() == 1, name
        os.utime(tmp_path / name, (old, old))
    (tmp_path / "a;b").write_text("make has no way to write this")
    done = check("--depfile", "deps.d", "--", "cat", "a;b", cwd=tmp_path)
    assert done.returncode == 1 and b"cannot hold" in done.stderr


def test_bazel_unused(checked, tmp_path):
    done = check("--report", checked.json_file, "--bazel-unused", tmp_path / "unused", "--summary")
    assert done.returncode == 4
    assert (tmp_path / "unused").read_text().splitlines() == ["bin/tool", "src/stated.c", "src/unread.c"]


def test_reads_with_a_line_feed(tmp_path):
    file = fabricated(tmp_path, reads=["a\nb"])
    done = check("--report", file, "--reads", tmp_path / "list")
    assert done.returncode == 1 and b"see --null" in done.stderr


@pytest.mark.parametrize("declared, said", [
    ('{"input": []}', b'"input": no such list'), ('{"inputs": "src"}', b'"inputs": not a list'),
    ('{"inputs": [1]}', b"not a list of globs"), ('{"inputs": ["src/[a"]}', b'"src/[a": '), ('{"inputs": [""]}', b"empty"),
    ('["src"]', b""), ("{", b""),
    ('{"inputs": ["%s"]}' % ("{a,b}" * 11), b"too many"),
])
def test_wrong_declarations(tmp_path, declared, said):
    (tmp_path / "io.json").write_text(declared)
    done = check("--declared", tmp_path / "io.json", "--", "touch", tmp_path / "was-run")
    assert done.returncode == 1 and said in done.stderr and done.stderr.count(b"\n") == 1
    assert not (tmp_path / "was-run").exists(), "a declaration is judged before the command runs"


def test_usage(tmp_path):
    for args in (["--", "true"], ["--declared", "x"], ["--declared", "x", "--nx", "a:b", "--", "true"],
                 ["--report", "x", "--", "true"], ["--bazel-unused", "x", "--", "true"]):
        done = check(*args, cwd=tmp_path)
        assert done.returncode == 2 and done.stdout == b"", args
    done = check("--report", __file__, "--declared", "x", cwd=tmp_path)
    assert done.returncode == 1
