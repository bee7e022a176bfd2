# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers of Docker, and of containerd as Kubernetes and nerdctl start them: daemons of the tests' own, whose files tell the
names. What the daemons say is the oracle."""
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import time

import pytest
from conftest import ROOT, make
from cri import Runtime
from test_containers import cgroups_of, names, recording, rows

DOCKERD = ["--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false",
           "--storage-driver", "overlay2", "--exec-opt", "native.cgroupdriver=cgroupfs"]
# Works where a container may have neither an own network nor higher limits than its parent.
RUN = ["--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
# What --privileged would give, as far as it is needed: it fails where root itself lacks a capability. SYS_ADMIN includes BPF
# and PERFMON, which this Docker does not know.
RIGHTS = ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", *(
    f"--cap-add={name}" for name in ("SYS_ADMIN", "SYSLOG", "SYS_PTRACE", "DAC_READ_SEARCH"))]
PROGRAM = "while :; do echo x > /file-of-{}; sleep 0.1; done"
# For pods: an image for the sandboxes that no registry has, and nothing that a machine may refuse.
CONTAINERD = """version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/shop/sandbox:1"
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
"""


class Daemons:
    """containerd and dockerd, out of the directory of a Debian: they are not installed, which would start others."""

    def __init__(self, debian, directory, files):
        self.environment = {**os.environ, "PATH": f"{debian}/usr/bin:{debian}/usr/sbin:{os.environ['PATH']}",
                            "LD_LIBRARY_PATH": ":".join(map(str, debian.glob("usr/lib/*-linux-gnu")))}
        self.directory, self.state, self.files = directory, directory / "state", files
        self.socket, self.host = self.state / "containerd.sock", f"unix://{directory}/docker.sock"
        self.log = open(directory / "log", "ab")
        (directory / "containerd.toml").write_text(CONTAINERD)
        self.processes = [self.start("containerd", "--config", directory / "containerd.toml", "--root", directory / "root", "--state", self.state, "--address", self.socket)]
        self.wait(self.ctr, "version")
        self.processes.append(self.start("dockerd", "--containerd", self.socket, "--data-root", directory / "docker", "--exec-root", directory / "exec",
                                         "--pidfile", directory / "pid", "-H", self.host, *DOCKERD))
        self.wait(self.docker, "version")
        self.pods = Runtime(self.socket)

    def start(self, *command):
        return subprocess.Popen(list(map(str, command)), stdout=self.log, stderr=self.log, env=self.environment)

    def wait(self, ask, *command):
        deadline = time.monotonic() + 60
        while True:
            try:
                return ask(*command)
            except subprocess.CalledProcessError:
                assert all(p.poll() is None for p in self.processes) and time.monotonic() < deadline, open(self.log.name, encoding="utf-8").read()
                time.sleep(0.2)

    def run(self, *command):
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, timeout=900, env=self.environment).stdout

    def docker(self, *arguments):
        return self.run("docker", "-H", self.host, *arguments)

    def ctr(self, *arguments, namespace="k8s.io"):
        return self.run("ctr", "-a", self.socket, "-n", namespace, *arguments)

    def add_image(self, files, name, command):
        """To Docker, and to containerd for pods."""
        self.docker("import", "--change", f"CMD {json.dumps(command)}", f"{files}.tar", name)
        self.docker("save", "-o", self.directory / "image.tar", name)
        self.ctr("images", "import", "--snapshotter", "native", self.directory / "image.tar")

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=60)
        self.log.close()
        # dockerd leaves its network namespace mounted.
        mounts = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
        for mount in reversed([m for m in mounts if m.startswith(f"{self.directory}/")]):
            subprocess.run(["umount", mount], check=True)
        for stored in "docker", "root": # images: with vfs, each layer is a copy of all files
            shutil.rmtree(self.directory / stored)


def groups():
    return {directory for parent in ("docker", "kubepods", "default") for directory in pathlib.Path("/sys/fs/cgroup").glob(f"**/{parent}/**")}


@pytest.fixture(scope="module")
def daemons(small, tmp_path_factory):
    made = subprocess.run([ROOT / "scripts/vm/fetch-debian.sh", "this", "runc", "+docker.io", "+containerd"], capture_output=True, text=True,
                          check=False)
    assert made.returncode == 0, "no Docker: " + made.stderr.strip()
    own = Daemons(pathlib.Path(made.stdout.strip()), tmp_path_factory.mktemp("docker"), small)
    own.add_image(small, "shop/small:1", ["/bin/sh"])
    own.add_image(small, "shop/sandbox:1", ["/bin/sh", "-c", PROGRAM.format("sandbox")])
    before = groups()
    yield own
    own.end()
    for group in sorted(groups() - before, reverse=True): # neither daemon removes the parents, nor ctr those of its tasks
        group.rmdir()


def test_docker_containers_have_names(daemons, tmp_path):
    """One that ran before, one that starts later."""
    before = daemons.docker("run", "-d", "--name", "web", *RUN, "shop/small:1", "/bin/sh", "-c", PROGRAM.format("web")).strip()
    with recording(tmp_path):
        time.sleep(1)
        daemons.docker("run", "-d", "--name", "db", *RUN, "shop/small:1", "/bin/sh", "-c", PROGRAM.format("db"))
        time.sleep(2)
    named = names(tmp_path)
    daemons.docker("rm", "-f", "web", "db")
    for name in "web", "db":
        cgroup, container = named[name]
        assert cgroups_of(tmp_path, f"/file-of-{name}") == {cgroup}
        assert container["runtime"] == "docker" and container["image"] == "shop/small:1"
    assert named["web"][1]["id"] == before


def cgroups_with(out, end):
    """Of rows whose path ends so: the root of these containers is a directory of the machine."""
    return {row["container_id"] for row in rows(out) if row["filename"].endswith(end)}


@pytest.fixture
def pods(daemons):
    yield daemons.pods
    daemons.pods.end()


def program(name):
    return "docker.io/shop/small:1", "/bin/sh", "-c", PROGRAM.format(name)


def test_a_pod_has_its_namespace(pods, tmp_path):
    """Started as a kubelet starts it. Its sandbox has no name of its own."""
    pod = pods.run_pod("shop", "web-0")
    server = pod.run("server", *program("server"))
    with recording(tmp_path / "all"):
        time.sleep(2)
    named = names(tmp_path / "all")
    with recording(tmp_path / "shop", "--container", "shop/*/server"):
        time.sleep(2)
    assert cgroups_with(tmp_path / "all", "/file-of-server") == {named["shop/web-0/server"][0]}
    assert cgroups_with(tmp_path / "all", "/file-of-sandbox") == {named["shop/web-0/POD"][0]}
    assert named["shop/web-0/server"][1] == {"name": "shop/web-0/server", "image": "docker.io/shop/small:1", "runtime": "containerd", "id": server}
    assert named["shop/web-0/POD"][1]["id"] == pod.number
    assert cgroups_with(tmp_path / "shop", "/file-of-server") == {named["shop/web-0/server"][0]}
    assert not cgroups_with(tmp_path / "shop", "/file-of-sandbox")


def test_a_namespace_is_followed(pods, tmp_path):
    """Its containers that start during the recording, and none of another namespace."""
    with recording(tmp_path, "--container", "shop/*/*"):
        pods.run_pod("shop", "late-0").run("server", *program("server"))
        pods.run_pod("bank", "late-0").run("vault", *program("vault"))
        time.sleep(3)
    assert cgroups_with(tmp_path, "/file-of-server") == {names(tmp_path)["shop/late-0/server"][0]}
    assert not cgroups_with(tmp_path, "/file-of-vault")


def test_containers_of_nerdctl_have_names(daemons, tmp_path):
    """As nerdctl's source starts them: its labels are annotations, and without systemd the cgroup is below one that has the
    name of the namespace."""
    number = secrets.token_hex(32)
    daemons.ctr("run", "-d", "--net-host", "--rootfs", "--annotation", "nerdctl/name=web", "--annotation", "nerdctl/namespace=default",
                "--cgroup", f"/default/{number}", daemons.files, number, "/bin/sh", "-c", PROGRAM.format("nerdctl"), namespace="default")
    with recording(tmp_path):
        time.sleep(2)
    daemons.ctr("tasks", "rm", "-f", number, namespace="default")
    daemons.ctr("containers", "rm", number, namespace="default")
    cgroup, container = names(tmp_path)["web"]
    assert cgroups_with(tmp_path, "/file-of-nerdctl") == {cgroup}
    assert container == {"name": "web", "runtime": "containerd", "id": number}


def test_the_image_records_in_docker(daemons, built, tmp_path):
    """Containerfile, built by Docker upon what podman has compiled, and run by it, records another of its containers by name."""
    command, limits = ["docker", "-H", daemons.host], " ".join(RUN)
    daemons.docker("load", "-i", built)
    make(command, "podman-build", daemons.environment, BASE="localhost/built", PODMAN_BUILD=limits)
    make(command, "podman-up", daemons.environment, TRACES=tmp_path, RECORD="--streams fs --ops open --no-snapshots", PODMAN_RIGHTS=" ".join(RIGHTS),
         PODMAN_RUN=f"{limits} -v {daemons.directory}:{daemons.directory}:ro")
    deadline = time.monotonic() + 60
    while "/traces" not in make(command, "podman-logs", daemons.environment) and time.monotonic() < deadline:
        time.sleep(0.5)
    daemons.docker("run", "--rm", "--name", "worker", *RUN, "shop/small:1", "/bin/sh", "-c", "echo y > /file-of-worker; sleep 2")
    make(command, "podman-down", daemons.environment)
    named = names(tmp_path)
    assert cgroups_of(tmp_path, "/file-of-worker") == {named["worker"][0]} and "iotrc" in named
    assert named["worker"][1]["runtime"] == "docker" and named["worker"][1]["image"] == "shop/small:1"
