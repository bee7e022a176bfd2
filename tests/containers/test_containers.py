# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of containers, and what containers.json and the manifest call them; podman and the kernel are the oracles."""
import contextlib
import csv
import io
import json
import os
import pathlib
import secrets
import signal
import subprocess
import time

import zstandard

IOTRC = os.environ.get("IOTRC", "build/iotrc")
LOOP = "while :; do echo x > /file-of-before; sleep 0.1; done"


@contextlib.contextmanager
def recording(out, *options):
    """Of opens only: those of all programs of the machine are recorded."""
    recorder = subprocess.Popen([IOTRC, "--streams", "fs", "--ops", "open", "--no-snapshots", "-o", out, *options],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    recorder.stdout.readline()
    yield recorder
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(timeout=60) == 0, recorder.stderr.read()


def session(out):
    return next(pathlib.Path(out).glob("*/*/*"))


def rows(out):
    for path in sorted(session(out).glob("fs/*.csv.zst")):
        with zstandard.ZstdDecompressor().stream_reader(path.read_bytes()) as reader:
            yield from csv.DictReader(io.TextIOWrapper(reader, encoding="utf-8", newline=""))


def names(out):
    named = json.loads((session(out) / "containers.json").read_text())
    assert named["left_out"] == 0
    assert named["containers"] == json.loads((session(out) / "manifest.json").read_text())["containers"]
    return {c["name"]: (cgroup, c) for cgroup, c in named["containers"].items() if "name" in c}


def cgroups_of(out, filename):
    return {row["container_id"] for row in rows(out) if row["filename"] == filename}


def cgroups():
    """The root of their tree."""
    return next(pathlib.Path(line.split()[1]) for line in pathlib.Path("/proc/mounts").read_text().splitlines()
                if line.split()[2] == "cgroup2")


def test_containers_are_selected_by_name(podman, tmp_path):
    """One that ran before, one that starts later, and one that ends at once."""
    full_id = podman.run("before", "/bin/sh", "-c", LOOP, detached=True).strip()
    with recording(tmp_path):
        time.sleep(1)
        podman.run("later", "/bin/sh", "-c", "echo y > /file-of-later; sleep 1")
        podman.run("at-once", "/bin/touch", "/file-of-at-once")
        time.sleep(1)
    podman("rm", "-f", "-t", "0", "before")
    named = names(tmp_path)
    for name in ("before", "later", "at-once"):
        cgroup, container = named[name]
        assert cgroups_of(tmp_path, f"/file-of-{name}") == {cgroup}
        assert container["image"].startswith("localhost/small")
        assert container["runtime"] == "podman"
    assert named["before"][1]["id"] == full_id


def test_cgroups_inside_a_container_are_its_own(podman, tmp_path):
    """Cgroups below a container's, as systemd makes them in a container. The id is the inode number that the kernel
    reports."""
    full_id = podman.run("outer", "/bin/sleep", "60", detached=True).strip()
    outer = next(p for p in cgroups().glob(f"**/libpod-{full_id}*") if "conmon" not in p.name)
    with recording(tmp_path):
        (outer / "inner").mkdir()
        (outer / "inner/deeper").mkdir()
        time.sleep(1)
        ids = {str(os.stat(p).st_ino) for p in (outer, outer / "inner", outer / "inner/deeper")}
        named = json.loads((session(tmp_path) / "containers.json").read_text())["containers"]
    (outer / "inner/deeper").rmdir()
    (outer / "inner").rmdir()
    podman("rm", "-f", "-t", "0", "outer")
    assert {cgroup for cgroup, c in named.items() if c["id"] == full_id} == ids
    assert {named[i]["name"] for i in ids} == {"outer"}


@contextlib.contextmanager
def made(directory):
    """DIRECTORY, of which at the end nothing remains that was not there."""
    new = [p for p in (directory, *directory.parents) if not p.exists()]
    directory.mkdir(parents=True)
    yield directory
    for path in new:
        path.rmdir()


def test_a_container_of_cri_o_has_a_name(tmp_path):
    """A cgroup and a bundle as the source of CRI-O makes them. There is no CRI-O, and no conmon whose arguments say where the bundle
    is, as none is with conmon-rs."""
    number, uid = secrets.token_hex(32), secrets.token_hex(16)
    labels = {"io.kubernetes.container.name": "server", "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop",
              "io.kubernetes.cri-o.ImageName": "registry/server:2"}
    scope = f"kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{uid}.slice/crio-{number}.scope/container"
    with (made(cgroups() / scope) as cgroup,
          made(pathlib.Path("/run/containers/storage/overlay-containers", number, "userdata")) as bundle):
        (bundle / "config.json").write_text(json.dumps({"annotations": labels}))
        program = subprocess.Popen(["sh", "-c", f"echo $$ > {cgroup}/cgroup.procs; while :; do echo x > {tmp_path}/file; sleep 0.1; done"],
                                   start_new_session=True)
        with recording(tmp_path / "out"):
            time.sleep(1)
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        (bundle / "config.json").unlink()
        while (cgroup / "cgroup.procs").read_text(): # its last sleep
            time.sleep(0.05)
    found = {cgroup: c for cgroup, c in session_containers(tmp_path / "out").items() if c["id"] == number}
    assert cgroups_of(tmp_path / "out", f"{tmp_path}/file") < set(found) and len(found) == 2
    assert list(found.values()) == 2 * [{"name": "shop/web-0/server", "image": "registry/server:2", "runtime": "cri-o", "id": number}]


def test_an_anonymous_recording_has_no_names(podman, tmp_path):
    podman.run("secret", "/bin/sleep", "60", detached=True)
    with recording(tmp_path / "out", "--anonymize", "--state", tmp_path / "state"):
        time.sleep(0.5)
    podman("rm", "-f", "-t", "0", "secret")
    assert not (session(tmp_path / "out") / "containers.json").exists()
    assert "secret" not in (session(tmp_path / "out") / "manifest.json").read_text()


def test_sessions_with_names_are_sound(podman, tmp_path):
    podman.run("sound", "/bin/sleep", "60", detached=True)
    with recording(tmp_path):
        time.sleep(0.5)
    podman("rm", "-f", "-t", "0", "sound")
    assert "sound" in names(tmp_path)
    done = subprocess.run([IOTRC, "verify", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_summary_has_names(podman, tmp_path):
    """One container ends during the recording, and one remains: the summary has both, each with as many calls as there
    are rows of its cgroups."""
    live = subprocess.Popen([IOTRC, "summary", "--csv", "--by", "container"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    assert live.stderr.readline() == "watching\n"
    podman.run("stays", "/bin/sh", "-c", LOOP, detached=True)
    with recording(tmp_path):
        podman.run("goes", "/bin/sh", "-c", "echo y > /file-of-goes; sleep 1")
        time.sleep(1)
    live.send_signal(signal.SIGINT)
    said, _ = live.communicate(timeout=60)
    podman("rm", "-f", "-t", "0", "stays")
    assert {"stays"} <= {row["container"] for row in csv.DictReader(io.StringIO(said))}
    done = subprocess.run([IOTRC, "summary", tmp_path, "--csv", "--by", "container"], capture_output=True, text=True, check=True)
    got = {row["container"]: int(row["calls"]) for row in csv.DictReader(io.StringIO(done.stdout))}
    for name in "stays", "goes":
        cgroups = {c for c, one in session_containers(tmp_path).items() if one.get("name") == name}
        assert got[name] == sum(row["container_id"] in cgroups for row in rows(tmp_path)) > 0


def session_containers(out):
    return json.loads((session(out) / "manifest.json").read_text())["containers"]
