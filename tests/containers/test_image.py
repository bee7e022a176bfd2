# SPDX-License-Identifier: GPL-2.0-or-later
"""The image of Containerfile, built and run: it records another container's work by name."""
import json
import os
import pathlib
import time

import conftest
import test_containers


def test_a_container_is_recorded_from_another(image, tmp_path):
    """podman-up, podman-logs, podman-down; the names come through the mounts."""
    storage = f"-v {image.storage}:{image.storage}:ro"
    conftest.make(image.command, "podman-up", TRACES=tmp_path, RECORD="--streams fs --no-snapshots",
                  PODMAN_RUN=" ".join([*conftest.RUN, storage]))
    deadline = time.monotonic() + 60
    while "/traces" not in conftest.make(image.command, "podman-logs") and time.monotonic() < deadline:
        time.sleep(0.5)
    image.run("worker", "/bin/sh", "-c", "echo y > /file-of-worker; sleep 2")
    conftest.make(image.command, "podman-down")
    named = test_containers.names(tmp_path)
    assert test_containers.cgroups_of(tmp_path, "/file-of-worker") == {named["worker"][0]}
    assert "iotrc" in named
    manifest = json.loads((test_containers.session(tmp_path) / "manifest.json").read_text())
    assert manifest["session"]["state"] == "complete"
    assert pathlib.Path("/etc/machine-id").exists() and os.path.basename(
        test_containers.session(tmp_path).parent) == manifest["machine_id"]
