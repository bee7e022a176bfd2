# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc check --nx` in a real workspace with nx from npm: the declaration is what nx says, and a task that does
something else is caught. The task is a script with known accesses; the expected declaration is written by hand."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

IOTRC = os.environ["IOTRC"]
NPM = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "iotrc/npm/nx/node_modules")
MINUTES = 5 * 60
NX = {**os.environ, "NX_DAEMON": "false", "NX_NO_CLOUD": "true"}

LIB = {"name": "lib", "targets": {"build": {
    "command": "mkdir -p dist/lib && cp packages/lib/src/lib.txt dist/lib/lib.d.txt", "inputs": ["default"],
    "outputs": ["{workspaceRoot}/dist/lib"]}}}
APP = {"name": "app", "implicitDependencies": ["lib"], "targets": {
    "build": {
        "executor": "nx:run-commands", "options": {"command": "true"}, "dependsOn": ["^build"],
        "inputs": ["production", "^production", "settings", {"dependentTasksOutputFiles": "**/*.d.txt"}],
        "outputs": ["{workspaceRoot}/dist/app", "{projectRoot}/app.map"],
        "ultracache": {"ignoreReads": ["packages/app/tmp/**"], "ignoreWrites": ["packages/app/tmp/**"]},
    },
    "hashed": {"executor": "./tools:hashed", "outputs": ["{workspaceRoot}/dist/hashed"]},
    "bare": {"executor": "nx:run-commands", "options": {"command": "true"}, "inputs": ["default"]},
}}
NX_JSON = {"analytics": False, "namedInputs": {
    "default": ["{projectRoot}/**/*"], "production": ["default", "!{projectRoot}/**/*.test.txt"],
    "settings": ["{workspaceRoot}/settings/*.json"]}}
EXECUTORS = {"executors": {"hashed": {"implementation": "./run.js", "schema": "./schema.json", "hasher": "./hasher.js"}}}
FILES = {
    "package.json": '{"name": "workspace", "private": true}', ".gitignore": "node_modules\ndist\n.nx\n",
    "nx.json": json.dumps(NX_JSON), "settings/one.json": "{}", "settings/one.txt": "x",
    "packages/lib/project.json": json.dumps(LIB), "packages/lib/src/lib.txt": "lib",
    "packages/lib/src/lib.test.txt": "t", "packages/lib/src/unused.txt": "u",
    "packages/app/project.json": json.dumps(APP), "packages/app/src/main.txt": "main", "packages/app/src/[id].txt": "id",
    "packages/app/src/main.test.txt": "t", "packages/app/tmp/in": "x", "packages/other/secret.txt": "secret",
    ".nx/workflows/ultracache-config.yaml":
        "ignore-reads:\n  - 'packages/noise/**'\ntask-exclusions:\n  - project: app\n    target: build\n"
        "    ignore-writes: ['noise.log']\n  - project: lib\n    ignore-writes: ['stray.txt']\n",
    "packages/noise/x": "x",
    "tools/package.json": '{"name": "tools", "executors": "./executors.json"}', "tools/executors.json": json.dumps(EXECUTORS),
    "tools/schema.json": '{"type": "object", "properties": {}}',
    "tools/run.js": "module.exports = { default: async () => ({ success: true }) };",
    "tools/hasher.js": "module.exports = { default: async (task) => ({ value: task.id, details: { command: '', nodes: {} } }) };",
}
READ = ["packages/app/src/main.txt", "packages/app/src/[id].txt", "packages/lib/src/lib.txt", "settings/one.json",
        "packages/app/tmp/in", "packages/noise/x"]
WRITES = "mkdir -p dist/app; cat > dist/app/out.txt; echo > packages/app/tmp/out; echo > noise.log; "


def check(workspace, *args, **kwargs):
    return subprocess.run([IOTRC, "check", *map(str, args)], cwd=workspace, capture_output=True, timeout=MINUTES,
                          check=False, **kwargs)


def script(reads, more=""):
    return ["--", "sh", "-c", 'cat "$@" | { ' + WRITES + more + " true; }", "sh", *reads]


@pytest.fixture(name="workspace")
def a_workspace(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "node_modules").symlink_to(NPM)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def nx(workspace, *args):
    done = subprocess.run(["node", "node_modules/nx/dist/bin/nx.js", *args, "--json"], cwd=workspace, env=NX, check=False,
                          capture_output=True, timeout=MINUTES)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def paths(verdict, key):
    return [v.get("path", v.get("glob")) for v in verdict[key]]


def change(workspace, name, target, **keys):
    file = workspace / name
    project = json.loads(file.read_text())
    project["targets"][target].update(keys)
    file.write_text(json.dumps(project))


def test_task(workspace, tmp_path_factory):
    """A task that reads an undeclared file of another project is caught, with the file and the process, and so are an
    undeclared output, an unused input and a missing output; it passes once they are declared. The report is judged
    again without nx and node."""
    report = tmp_path_factory.mktemp("out") / "report.json"
    shown = nx(workspace, "show", "target", "inputs", "app:build")
    bad = script([*READ, "packages/other/secret.txt", "packages/app/src/main.test.txt"], "echo > stray.txt;")
    done = check(workspace, "--nx", "app:build", "--json", report, *bad)
    whole = json.loads(report.read_text())
    verdict = whole["check"]
    assert done.returncode == 4 and whole["incomplete"] == [], done.stderr
    assert paths(verdict, "undeclared_reads") == ["packages/app/src/main.test.txt", "packages/other/secret.txt"]
    for violation in verdict["undeclared_reads"]:
        assert [p["command"].split()[0] for p in violation["processes"]] == ["cat"]
    assert paths(verdict, "undeclared_writes") == ["stray.txt"]
    assert paths(verdict, "unused_inputs") == ["packages/lib/src/unused.txt"]
    assert paths(verdict, "missing_outputs") == ["packages/app/app.map"]
    # The files that nx shows, among them those that are always inputs.
    declared = whole["declaration"]["inputs"]
    assert sorted(n.replace("\\", "") for n in declared) == sorted(shown["files"])
    assert {"nx.json", ".gitignore", "packages/app/project.json"} <= set(declared)

    done = check(workspace, "--report", report, "--json", env={"PATH": "/nowhere"})
    assert done.returncode == 4 and json.loads(done.stdout)["check"] == verdict

    change(workspace, "packages/app/project.json", "build",
           inputs=[*APP["targets"]["build"]["inputs"], "{workspaceRoot}/packages/other/secret.txt"],
           outputs=["{workspaceRoot}/dist/app", "{workspaceRoot}/stray.txt"])
    (workspace / "packages/lib/src/unused.txt").unlink()
    (workspace / "stray.txt").unlink()
    # What a named input excludes cannot be added again: the tests stay excluded.
    good = script([*READ, "packages/other/secret.txt"], "echo > stray.txt;")
    done = check(workspace, "--nx", "app:build", *good)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(b"as declared, 7 reads and 4 writes: ")


def test_output_of_a_dependency(workspace):
    """A file that dependentTasksOutputFiles allows and that does not exist before the command is no undeclared read;
    other outputs of that task are."""
    waits = ("echo ready; read line; cat dist/lib/lib.d.txt dist/lib/lib.js " + " ".join(f"'{n}'" for n in READ) +
             " packages/lib/src/unused.txt | { " + WRITES + " echo > packages/app/app.map; }")
    with subprocess.Popen([IOTRC, "check", "--nx", "app:build", "--json", "/dev/stderr", "--", "sh", "-c", waits],
                          cwd=workspace, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        subprocess.run(["node", "node_modules/nx/dist/bin/nx.js", "run", "lib:build"], cwd=workspace, env=NX, check=True,
                       capture_output=True, timeout=MINUTES)
        (workspace / "dist/lib/lib.js").write_text("x")
        said = process.communicate(b"\n", timeout=MINUTES)[1]
    whole = json.loads(said[said.index(b"{"):])
    assert "dist/lib/lib.d.txt" in whole["reads"]
    assert paths(whole["check"], "undeclared_reads") == ["dist/lib/lib.js"]
    assert process.returncode == 4


def test_not_determined(workspace):
    """Inputs of a custom hasher, and outputs of a target that names none, cannot be determined: they are reported
    neither as undeclared nor as correct."""
    done = check(workspace, "--nx", "app:hashed", "--json", "--", "sh", "-c", "mkdir -p dist; cat settings/one.txt > dist/x")
    verdict = json.loads(done.stdout)["check"]
    assert done.returncode == 4, "dist/x is no output"
    assert paths(verdict, "undeclared_writes") == ["dist/x"] and verdict["undeclared_reads"] == []
    assert verdict["not_judged"] == ["undeclared_reads", "unused_inputs"]
    assert "custom hasher" in verdict["undetermined"][0]["why"]
    done = check(workspace, "--nx", "app:hashed", "--", "sh", "-c", "mkdir -p dist; cat settings/one.txt > dist/hashed")
    assert done.returncode == 3
    assert done.stderr.startswith(b"what is declared could not be determined: sh")
    assert b"\nNot determined: inputs: This target uses a custom hasher." in done.stderr


@pytest.mark.parametrize("version, said", [(None, "this workspace has no nx"), ("19.8.4", "nx 19.8.4 is too old")])
def test_without_nx(tmp_path, version, said):
    """A clear error that shows the plain form; the command does not run."""
    if version:
        (tmp_path / "node_modules/nx").mkdir(parents=True)
        (tmp_path / "node_modules/nx/package.json").write_text(json.dumps({"name": "nx", "version": version}))
    done = check(tmp_path, "--nx", "app:build", "--", "touch", "was-run")
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1
    assert said in done.stderr.decode() and '{"inputs": ["src/**", "package.json"], "outputs": ["dist/"]}' in done.stderr.decode()
    assert not (tmp_path / "was-run").exists()


def test_no_such_target(workspace):
    done = check(workspace, "--nx", "app:nothing", "--", "touch", "was-run")
    assert done.returncode == 1 and b"nothing" in done.stderr and not (workspace / "was-run").exists()


def test_without_node(tmp_path):
    done = check(tmp_path, "--nx", "app:build", "--", "/bin/true", env={"PATH": "/nowhere"})
    assert done.returncode == 1 and b"node, which runs nx, was not found" in done.stderr
