# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc run` on programs that people build with: both engines report the same, and it is what others say: for writes
the directory's content before and after; for reads `strace -f -y`, whose output is read here by a few lines that share
nothing with the engine's parser.

All programs run one after the other under one recorder, each in a directory of its own. `make check-run-proof` adds
those that need node, packages from npm, Go or Rust: IOTRC_NODE is a directory with node_modules in it.
"""
import json
import os
import re
import shutil
import subprocess

import pytest

import recorder

NODE = os.environ.get("IOTRC_NODE")
GIT = ("GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b HOME=/nonexistent "
       "GIT_AUTHOR_DATE='2020-01-01 00:00:00Z' GIT_COMMITTER_DATE='2020-01-01 00:00:00Z'")
C = {"a.c": '#include "h.h"\nint a(void) { return H; }\n', "b.c": '#include "h.h"\nint a(void); int main(void) { return a() - H; }\n',
     "h.h": "#define H 3\n"}
# Name: the files that exist before, and the command.
PROGRAMS = {
    "make": ({**C, "Makefile": "prog: a.o b.o\n\tcc a.o b.o -o $@\n%.o: %.c h.h\n\tcc -c $< -o $@\n"}, "make -j2"),
    "pipe": (C, "gcc -pipe -O2 a.c b.c -o prog && ./prog"),
    "git": ({"a": "a\n", "b/c": "c\n"}, f"export {GIT}; git init -q . && git add a b && git commit -qm message && "
            "echo more >> a && git commit -qam second"),
    "tar": ({"in/a": "a", "in/b/c": "c" * 70000}, "tar czf out.tgz in && mkdir out && tar xzf out.tgz -C out"),
    "cp": ({"a": "a" * 200000, "d/b": "b"}, "cp a copy; cp -r d e; cp -p a kept; mv copy moved"),
    "cat": ({"a": "a" * 200000, "b": "b"}, "cat a b > out; cat < a >> out"),
    "pipeline": ({"words": "b\na\nb\n"}, "sort < words | uniq -c | tee counted | wc -l > lines; sed -i s/a/x/ words"),
    "xargs": ({f"in{i}": str(i) for i in range(40)}, "ls in* | xargs -P4 -n1 sh -c 'tr 0-9 a-j < $0 > out.$0'"),
    "compileall": ({"p/__init__.py": "", "p/a.py": "x = 1\n", "p/b.py": "y = 2\n"}, "/usr/bin/python3 -m compileall -q p"),
    "children": ({"in": "old"}, "cd .. && {ways} children"),
    "static": ({"in": "old"}, "mkdir raw && cp in raw && {ways} raw"),
    "32_bits": ({"in": "old"}, "mkdir 32_bits && cp in 32_bits && {ways} 32_bits"),
}
if os.uname().machine != "x86_64":
    del PROGRAMS["32_bits"]
SCRIPT = """
const fs = require("fs");
const a = fs.readFileSync("a", "utf8");
fs.promises.readFile("b", "utf8").then(b => {
    fs.writeFileSync("first", a + b);
    fs.createWriteStream("second").end(b + a);
});
"""
GO = """
package main

import (
	"os"
	"sync"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	a, err := os.ReadFile("a")
	check(err)
	b, err := os.ReadFile("b")
	check(err)
	var all sync.WaitGroup
	for _, name := range []string{"first", "second"} {
		all.Add(1)
		go func(name string) {
			defer all.Done()
			check(os.WriteFile(name+".new", append(a, b...), 0o644))
			check(os.Rename(name+".new", name))
		}(name)
	}
	all.Wait()
}
"""
BUN = """
import { readFileSync, writeFileSync } from "node:fs";
const a: string = await Bun.file("a").text(), b: string = readFileSync("b", "utf8");
await Bun.write("first", a + b);
await Bun.write("copy", Bun.file("a"));
writeFileSync("second", b + a);
"""
RUST = """
fn main() {
    let text = std::fs::read_to_string("in").unwrap();
    std::fs::write("out", text + &part::name()).unwrap();
}
"""
CARGO = '[package]\nname = "program"\nversion = "0.1.0"\nedition = "2018"\n[dependencies]\npart = { path = "part" }\n'
if NODE:
    PROGRAMS.update({
        "cargo": ({"in": "in", "Cargo.toml": CARGO, "src/main.rs": RUST, "part/Cargo.toml": CARGO.split("[dep")[0].replace("program", "part"),
                   "part/src/lib.rs": 'pub fn name() -> String { include_str!("name").to_string() }\n', "part/src/name": "name"},
                  "CARGO_INCREMENTAL=0 cargo build --offline --quiet && ./target/debug/program"),
        "go": ({"a": "a", "b": "b"}, "{go}"),
        "node": ({"a": "a", "b": "b", "script.js": SCRIPT}, "node script.js"),
        "tsc": ({"src/a.ts": "export const a: number = 1;\n", "src/b.ts": 'import { a } from "./a";\nconsole.log(a);\n',
                 "tsconfig.json": json.dumps({"compilerOptions": {"outDir": "out", "types": [], "module": "commonjs"},
                                              "files": ["src/b.ts"]})},
                f"{NODE}/node_modules/.bin/tsc -p ."),
        "vite": ({"index.html": '<!doctype html><script type="module" src="/main.js"></script>',
                  "main.js": 'import { x } from "./x.js"; import "./style.css"; document.title = x;\n',
                  "x.js": 'export const x = "x";\n', "style.css": "body { color: red }\n", "public/robots.txt": "x\n",
                  "vite.config.js": "export default { build: { minify: false } };\n",
                  "package.json": json.dumps({"type": "module", "scripts": {"build": f"{NODE}/node_modules/.bin/vite build"}})},
                 "npm run build --silent"),
    })
    if os.uname().machine == "x86_64":
        PROGRAMS["bun"] = ({"a": "a", "b": "b", "script.ts": BUN},
                           f"HOME=$PWD {NODE}/node_modules/@oven/bun-linux-x64-baseline/bin/bun run script.ts")


def build_go(directory):
    """A static program."""
    (directory / "program.go").write_text(GO)
    env = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": str(directory / "cache"), "GO111MODULE": "off"}
    subprocess.run(["go", "build", "-o", "program", "program.go"], cwd=directory, env=env, check=True, timeout=600)
    described = subprocess.run(["readelf", "-l", "program"], cwd=directory, check=True, capture_output=True, text=True).stdout
    assert "INTERP" not in described
    return str(directory / "program")


def prepare(workspace, go):
    shutil.rmtree(workspace, ignore_errors=True)
    drive = ""
    for name, (files, command) in PROGRAMS.items():
        for path, text in files.items():
            (workspace / name / path).parent.mkdir(parents=True, exist_ok=True)
            (workspace / name / path).write_text(text)
        command = command.replace("{ways}", recorder.workload("run_ways")).replace("{go}", go)
        drive += f"(cd {name} && {{ {command}\n}} > /dev/null 2> {workspace}.{name}) || exit 9\n"
    (workspace / "drive").write_text(drive)


def contents(workspace):
    """The files, each with what changes when it is written to or replaced."""
    found = {}
    for directory, _, files in os.walk(workspace):
        for name in files:
            st = os.lstat(os.path.join(directory, name))
            found[os.path.relpath(os.path.join(directory, name), workspace)] = (st.st_ino, st.st_mtime_ns, st.st_ctime_ns)
    return found


def calls(log):
    """Each call of strace's log as one line: name, arguments, result."""
    begun = {}
    for line in open(log, errors="surrogateescape"):
        pid, line = line.rstrip("\n").split(None, 1)
        if line.endswith(" <unfinished ...>"):
            begun[pid] = line.removesuffix(" <unfinished ...>")
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", line)
        if resumed:
            line = begun.pop(pid, "") + resumed[1]
        called = re.match(r"(\w+)\((.*)\)\s+= (\S.*)", line)
        if called and not called[3].startswith(("-1 ", "?")):
            yield called.groups()


COPIES = {"copy_file_range": True, "sendfile": False, "splice": True}  # the source comes first
READS, WRITES = re.compile(r"p?readv?2?(64)?$"), re.compile(r"p?writev?2?(64)?$|ftruncate$|fallocate$")


def reads_of(log, before, workspace):
    """Which of the files that existed before were read before they were written to."""
    read, written, opened = set(), set(), set()
    for name, arguments, result in calls(log):
        fds = re.findall(r"(?<!\d)\d+<([^>]*)>", arguments)
        if name in ("open", "openat", "creat"):
            path = re.match(r"\d+<(/.*)>$", result)
            if not path or "O_PATH" in arguments or "O_DIRECTORY" in arguments:
                continue
            if "O_TRUNC" in arguments:
                written.add(path[1])
            elif "O_RDWR" in arguments:
                opened.add(path[1])
            elif "O_WRONLY" not in arguments and path[1] not in written:
                read.add(path[1])
        elif name in COPIES:
            source, target = fds if COPIES[name] else fds[::-1]
            written.add(target)
            read.add(source)
        elif WRITES.match(name) and fds:
            written.add(fds[0])
        elif (READS.match(name) or name == "mmap") and fds and fds[0] not in written:
            read.add(fds[0])
    # Pipes have no path, and files outside do not count.
    names = {os.path.relpath(path, workspace) for path in read | (opened - written)}
    return names & set(before)


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    """The reads and writes that each observer reports."""
    directory = tmp_path_factory.mktemp("proof")
    workspace, said = directory / "workspace", {}
    go = build_go(tmp_path_factory.mktemp("go")) if "go" in PROGRAMS else ""
    observers = {
        "bpf": [recorder.IOTRC, "run", "--engine", "bpf", "--no-ignore", "--json", directory / "bpf", "--"],
        "strace": [recorder.IOTRC, "run", "--engine", "strace", "--no-ignore", "--json", directory / "strace", "--"],
        "other": ["strace", "-f", "-y", "-s", "0", "-o", directory / "log"],
    }
    for observer, command in observers.items():
        prepare(workspace, go)
        before = contents(workspace)
        done = subprocess.run([*map(str, command), "sh", "drive"], cwd=workspace, capture_output=True, timeout=600)
        errors = {name: open(f"{workspace}.{name}").read() for name in PROGRAMS if os.path.exists(f"{workspace}.{name}")}
        assert done.returncode == 0, (observer, errors, done.stderr)
        after = contents(workspace)
        changed = {name for name in after if after[name] != before.get(name)}
        if observer == "other":
            said[observer] = {"reads": reads_of(directory / "log", before, workspace), "writes": changed}
            continue
        report = json.loads((directory / observer).read_text())
        assert report["incomplete"] == [], observer
        said[observer] = {"reads": set(report["reads"]), "writes": set(report["writes"]), "changed": changed}
    return said


def below(names, program):
    return sorted(name for name in names if name.startswith(program + "/"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(proof, program):
    for observer in "bpf", "strace":
        assert below(proof[observer]["reads"], program) == below(proof["other"]["reads"], program), observer
        assert below(proof[observer]["writes"], program) == below(proof[observer]["changed"], program), observer
    assert below(proof["other"]["writes"], program)
    assert below(proof["other"]["reads"], program) or program == "children"
    # Names of git's objects, for example, are the same each time.
    assert below(proof["bpf"]["writes"], program) == below(proof["strace"]["writes"], program)
