# SPDX-License-Identifier: GPL-2.0-or-later
"""A podman for the tests, as far as it works without a registry, a network of its own or systemd."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# This also works if a container can have neither a network of its own nor higher limits than its parent.
RUN = ["--runtime", "runc", "--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
# What install-deps.sh needs to build iotrc, and beside it BPFTOOL, which is a word of its own.
BUILDS = re.compile(r"^run +\S+ +(\S+)", re.M)
MORE = ["bpftool", "ca-certificates"]
SMALL = ["sh", "sleep", "cat", "touch", "dd", "rm"]


class Podman:
    def __init__(self, directory):
        self.command = ["podman", "--root", str(directory / "root"), "--runroot", str(directory / "runroot"),
                        "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs"]
        self.storage = directory / "root"

    def __call__(self, *args, **more):
        return subprocess.run([*self.command, *map(str, args)], check=True, capture_output=True, text=True, timeout=3600,
                              **more).stdout

    def run(self, name, *command, detached=False, image="small", options=()):
        return self("run", *(["-d"] if detached else ["--rm"]), "--name", name, *RUN, *options, image, *command)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The files of an image, and beside them in a .tar."""
    assert os.geteuid() == 0, "run it as root"
    files = tmp_path_factory.mktemp("image") / "small"
    (files / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), files / "bin/busybox")
    for name in SMALL:
        (files / "bin" / name).symlink_to("busybox")
    subprocess.run(["tar", "-C", files, "-cf", f"{files}.tar", "."], check=True)
    return files


@pytest.fixture(scope="session")
def podman(small, tmp_path_factory):
    own = Podman(tmp_path_factory.mktemp("podman"))
    own("import", f"{small}.tar", "small")
    yield own
    own("rm", "-fa")
    subprocess.run(["umount", "-R", own.storage / "overlay"], check=False, capture_output=True)


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A Debian in which iotrc can be built, as a .tar."""
    packages = [p for p in BUILDS.findall((ROOT / "scripts/install-deps.sh").read_text()) if p.islower()] + MORE
    made = subprocess.run([ROOT / "scripts/vm/fetch-debian.sh", "this", *packages], capture_output=True, text=True,
                          check=False)
    assert made.returncode == 0, "no Debian to build in: " + made.stderr.strip()
    tar = tmp_path_factory.mktemp("base") / "base.tar"
    subprocess.run(["tar", "-C", made.stdout.strip(), "--exclude", "./dev/*", "-cf", tar, "."], check=True)
    yield tar
    tar.unlink()


def make(command, target, env=None, **variables):
    """A target of the Makefile with a podman or a docker, called by COMMAND. Returns what it prints."""
    done = subprocess.run(["make", "-C", ROOT, "--no-print-directory", target, "PODMAN=" + " ".join(map(str, command)),
                           *(f"{k}={v}" for k, v in variables.items())], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


BUILD = ["--isolation", "chroot", "--network", "host"]


@pytest.fixture(scope="session")
def image(podman, base):
    """Containerfile's image."""
    podman("import", base, "localhost/base")
    make(podman.command, "podman-build", BASE="localhost/base", PODMAN_BUILD=" ".join(BUILD))
    return podman


@pytest.fixture(scope="session")
def built(image, tmp_path_factory):
    """What its first stage has made, as a .tar: a base with which another builder has nothing to compile."""
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    tar = tmp_path_factory.mktemp("built") / "built.tar"
    image("build", *BUILD, "--build-arg", "BASE=localhost/base", "--build-arg", f"COMMIT={commit}", "--target", "build", "-t", "localhost/built",
          "-f", ROOT / "Containerfile", ROOT)
    image("save", "--format", "docker-archive", "-o", tar, "localhost/built")
    yield tar
    tar.unlink()
