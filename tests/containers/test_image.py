# SPDX-License-Identifier: GPL-2.0-or-later
"""The image of Containerfile, built and run: it records another container's work by name."""
import json
import os
import pathlib
import re
import subprocess
import time

import conftest
import pytest
import test_containers

ROOT = conftest.ROOT
BUILDS = re.compile(r"^run +\S+ +(\S+)", re.M)
MORE = ["bpftool", "ca-certificates"] # BPFTOOL is a word of install-deps.sh's own


@pytest.fixture(scope="module")
def image(podman, tmp_path_factory):
    packages = [p for p in BUILDS.findall((ROOT / "scripts/install-deps.sh").read_text()) if p.islower()] + MORE
    made = subprocess.run([ROOT / "scripts/vm/fetch-debian.sh", "this", *packages], capture_output=True, text=True,
                          check=False)
    assert made.returncode == 0, "no Debian to build in: " + made.stderr.strip()
    tar = tmp_path_factory.mktemp("base") / "base.tar"
    subprocess.run(["tar", "-C", made.stdout.strip(), "--exclude", "./dev/*", "-cf", tar, "."], check=True)
    podman("import", tar, "localhost/base")
    tar.unlink()
    subprocess.run(["make", "-C", ROOT, "--no-print-directory", "podman-build", "BASE=localhost/base",
                    "PODMAN=" + " ".join(podman.command), "PODMAN_BUILD=--isolation chroot --network host"], check=True)
    return podman


def make(podman, target, **variables):
    return subprocess.run(["make", "-C", ROOT, "--no-print-directory", target, "PODMAN=" + " ".join(podman.command),
                           *(f"{k}={v}" for k, v in variables.items())], check=True, capture_output=True, text=True).stdout


def test_a_container_is_recorded_from_another(image, tmp_path):
    """podman-up, podman-logs, podman-down; the names come through the mounts."""
    storage = f"-v {image.storage}:{image.storage}:ro"
    make(image, "podman-up", TRACES=tmp_path, RECORD="--streams fs --no-snapshots",
         PODMAN_RUN=" ".join([*conftest.RUN, storage]))
    deadline = time.monotonic() + 60
    while "/traces" not in make(image, "podman-logs") and time.monotonic() < deadline:
        time.sleep(0.5)
    image.run("worker", "/bin/sh", "-c", "echo y > /file-of-worker; sleep 2")
    make(image, "podman-down")
    named = test_containers.names(tmp_path)
    assert test_containers.cgroups_of(tmp_path, "/file-of-worker") == {named["worker"][0]}
    assert "iotrc" in named
    manifest = json.loads((test_containers.session(tmp_path) / "manifest.json").read_text())
    assert manifest["session"]["state"] == "complete"
    assert pathlib.Path("/etc/machine-id").exists() and os.path.basename(
        test_containers.session(tmp_path).parent) == manifest["machine_id"]
