# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/run.md, "With a build system": each section's declaration and commands, unchanged, in a project of that build
system. The build reads and writes what is declared; one more file that it reads is caught."""
import os
import pathlib
import re
import shutil
import stat
import subprocess

import pytest

IOTRC = os.environ["IOTRC"]
TOP = pathlib.Path(__file__).resolve().parents[2]
MINUTES = 5 * 60

C_FILES = {"main.c": '#include "one.h"\nint main(void) { return ONE - 1; }\n', "one.h": "#define ONE 1\n"}
MAKEFILE = "prog: main.o\n\tcc -o $@ $<\nmain.o: main.c one.h\n\tcc -c -o $@ $<\n"
LEAKS = {"make": ("Makefile", MAKEFILE + "\tcat secret > /dev/null\n"),
         "CMake": ("src/one.h", '#define ONE 1\n#include "../secret"\n'),
         "npm": ("build.js", "const fs = require('fs'); fs.readFileSync('secret'); fs.mkdirSync('dist', { recursive: true });\n"
                             "fs.copyFileSync('src/a.js', 'dist/a.js');\n"),
         "Bazel": ("tool", "#!/bin/sh\ncat used.txt secret > out.txt\n"),
         "pre-commit": ("Makefile", "generated:\n\tcat source secret > $@\n")}
PROJECTS = {
    "make": {**C_FILES, "Makefile": MAKEFILE},
    "CMake": {**{f"src/{n}": t for n, t in C_FILES.items()},
              "CMakeLists.txt": "cmake_minimum_required(VERSION 3.13)\nproject(p C)\nadd_executable(prog src/main.c)\n"},
    "npm": {"package.json": '{"name": "p", "version": "1.0.0", "scripts": {"build": "node build.js"}}',
            "build.js": LEAKS["npm"][1].replace("fs.readFileSync('secret'); ", ""), "src/a.js": "x"},
    "Bazel": {"tool": "#!/bin/sh\ncat used.txt > out.txt\n", "used.txt": "u", "unneeded.txt": "n",
              "bazel.json": '{"inputs": ["tool", "*.txt"], "outputs": ["out.txt"], "optional_inputs": ["unused.txt"]}'},
    "pre-commit": {"Makefile": "generated:\n\tcat source > $@\n", "source": "s",
                   "hook.json": '{"inputs": ["Makefile", "source"], "outputs": ["generated"]}'},
}


def section(name):
    """The blocks of a section of the page: [(language, text)]."""
    text = (TOP / "docs/run.md").read_text()
    body = re.search(rf"^### {name}\n(.*?)(?=^##? |^### |\Z)", text, re.M | re.S)[1]
    return re.findall(r"^```(\w+)\n(.*?)^```", body, re.M | re.S)


@pytest.fixture(name="environment")
def an_environment(tmp_path_factory):
    """iotrc as a command, and sudo, which the tests do not need."""
    directory = tmp_path_factory.mktemp("bin")
    (directory / "iotrc").symlink_to(IOTRC)
    (directory / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    (directory / "sudo").chmod(stat.S_IRWXU)
    return {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}", "HOME": str(directory),
            "GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@example", "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x@example"}


def prepare(workspace, name):
    for file, text in PROJECTS[name].items():
        (workspace / file).parent.mkdir(parents=True, exist_ok=True)
        (workspace / file).write_text(text)
    (workspace / "secret").write_text("/* secret */\n")
    if (workspace / "tool").exists():
        (workspace / "tool").chmod(0o755)
    for language, text in section(name):
        if language == "json":
            (workspace / f"{name.lower()}.json").write_text(text)
        elif language == "yaml":
            (workspace / ".pre-commit-config.yaml").write_text(text)
    if name == "pre-commit":
        subprocess.run("git init -q && git add -A && git commit -qm x", shell=True, cwd=workspace, check=True)


def run(workspace, name, environment):
    script = "".join(text for language, text in section(name) if language == "sh")
    return subprocess.run(["bash", "-e", "-c", script], cwd=workspace, env=environment, capture_output=True, timeout=MINUTES,
                          text=True, check=False)


@pytest.mark.parametrize("name", list(PROJECTS))
def test_recipe(name, tmp_path, environment, monkeypatch):
    monkeypatch.setattr(os, "environ", environment)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    prepare(workspace, name)
    done = run(workspace, name, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    if name == "Bazel": # a warning only: the example is about unused inputs
        assert (workspace / "unused.txt").read_text() == "unneeded.txt\n"
    else:
        assert "as declared, " in done.stdout + done.stderr or name == "pre-commit"
    file, text = LEAKS[name]
    (workspace / file).write_text(text)
    shutil.rmtree(workspace / "build", ignore_errors=True)
    if name == "pre-commit":
        subprocess.run(["git", "commit", "-qam", "y"], cwd=workspace, env=environment, check=False)
        subprocess.run(["git", "commit", "-qam", "y", "--no-verify"], cwd=workspace, env=environment, check=False)
    done = run(workspace, name, environment)
    assert done.returncode == {"Bazel": 0, "pre-commit": 1}.get(name, 4), done.stdout + done.stderr
    assert "1 undeclared read" in done.stdout + done.stderr and re.search(r"^ *(\.\./)?secret$", done.stdout + done.stderr, re.M)


def test_nx_recipe_is_run_elsewhere():
    """test_nx.py tests that section, with a workspace of its own."""
    assert any("--nx app:build" in text for _, text in section("Nx"))
