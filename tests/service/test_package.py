# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package on a machine with the real systemd: its service, and what an upgrade costs. The oracle is a writer
outside of that machine that numbers its operations and logs when each was done (tests/workloads/numbered.c)."""
import csv
import io
import os
import pathlib
import struct
import subprocess
import time

import pytest

import machine

LIBRARIES = ("libbpf1", "libcurl4", "libelf1", "libjansson4", "libmicrohttpd12", "libncursesw6", "libpcre2-8-0", "libseccomp2", "libssl3",
             "libzstd1", "zlib1g")
WRITES = 10_000_000 # more than there is time for


@pytest.fixture(scope="module")
def m():
    assert os.geteuid() == 0, "needs root"
    m = machine.Machine("systemd", "systemd-sysv", "dbus", "procps", *LIBRARIES, install=False)
    try:
        m.boot()
        yield m
    finally:
        m.remove()


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The files of the package, and of a later version."""
    work = tmp_path_factory.mktemp("packages")
    first = next(pathlib.Path(machine.BUILD, "deb").glob("iotrc_*.deb"))
    machine.sh("dpkg-deb", "-R", str(first), str(work / "next"))
    control = work / "next/DEBIAN/control"
    control.write_text("".join(
        line.rstrip() + "+next\n" if line.startswith("Version:") else line
        for line in control.read_text().splitlines(True)
    ))
    machine.sh("dpkg-deb", "-b", str(work / "next"), str(work / "next.deb"))
    return first, work / "next.deb"


class Numbered:
    """Numbered writes to FILE until it is stopped, 100 every 20 ms."""

    def __init__(self, directory):
        self.path, self.stamps = directory / "numbered", directory / "stamps"

    def __enter__(self):
        program = f"{machine.BUILD}/workloads/numbered"
        self.process = subprocess.Popen([program, self.path, self.stamps, str(WRITES), "20000"])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def times(self):
        with open(self.stamps, "rb") as f:
            data = f.read(8 << 20)
        return [t for t, in struct.iter_unpack("<Q", data) if t]


def offsets(session, path):
    """The numbers of the writes to PATH that have a row."""
    found = set()
    for file in sorted((session / "fs").glob("*.csv.zst")):
        text = subprocess.run(["zstd", "-dcq", file], stdout=subprocess.PIPE, check=True).stdout.decode()
        found.update(int(r["offset"]) for r in csv.DictReader(io.StringIO(text))
                     if r["operation"] == "write" and r["filename"] == str(path))
    return found


def monotonic(m, name):
    """A timestamp of the service's unit, ns."""
    return int(m.show(name)) * 1000


def test_installs_and_is_not_started(m, packages):
    first, _ = packages
    (m.root / "root/iotrc.deb").write_bytes(first.read_bytes())
    m.run("dpkg -i /root/iotrc.deb")
    assert m.run("systemctl is-enabled iotrc", check=False).stdout.strip() == "disabled"
    assert m.run("systemctl is-active iotrc", check=False).stdout.strip() == "inactive"
    with open(m.root / "etc/iotrc/iotrc.conf", "a") as f:
        f.write("\nno-snapshots = yes\nstreams = fs\n")
    m.run("systemctl enable --now iotrc")
    assert len(m.sessions()) == 1


def test_an_upload_has_a_service_of_its_own(m):
    conf = m.root / "etc/iotrc/iotrc.conf"
    before = conf.read_text()

    def runs():
        return m.run("systemctl is-active iotrc-upload", check=False).stdout.strip() == "active"

    assert not runs()
    conf.write_text(before + "upload = file:///var/lib/iotrc/target\n")
    m.run("mkdir /var/lib/iotrc/target && systemctl restart iotrc")
    assert runs()
    conf.write_text(before)
    m.run("systemctl restart iotrc")
    assert not runs()


def test_upgrade_costs_a_restart(m, packages, tmp_path):
    """Every write that was completed while systemd considered the service running has its row, in the session before or
    after the upgrade."""
    _, later = packages
    (m.root / "root/next.deb").write_bytes(later.read_bytes())
    before = m.sessions()
    first = before[-1]
    pid = m.show("MainPID")
    with Numbered(tmp_path) as n:
        time.sleep(2)
        m.run("dpkg -i --force-confold /root/next.deb")
        down, up = monotonic(m, "ActiveExitTimestampMonotonic"), monotonic(m, "ActiveEnterTimestampMonotonic")
        time.sleep(2)
    m.run("systemctl stop iotrc")
    assert m.run("dpkg-query -W -f '${Version}' iotrc").stdout.endswith("+next")
    assert m.show("Result") == "success" and down < up and m.show("MainPID") != pid
    second, = sorted(set(m.sessions()) - set(before))
    for session in (first, second):
        manifest = m.manifest(session)
        assert manifest["session"]["state"] == "complete"
        assert not sum(manifest["diagnostics"]["streams"]["fs"]["lost"].values()), "a busy machine: try again"
    times = n.times()
    found = [offsets(session, n.path) for session in (first, second)]
    # It was told to stop at DOWN, and was READY at UP.
    missing = [t for i, t in enumerate(times) if i not in found[0] | found[1]]
    outside = [(t, down, up) for t in missing if not down <= t <= up]
    assert not outside, f"{len(outside)} of {len(missing)} missing of {len(times)}: {outside[:3]}"
    assert len(found[0]) > 100 and len(found[1]) > 100 and not found[0] & found[1]


def test_purge(m):
    m.run("systemctl start iotrc; dpkg -P iotrc")
    assert m.run("systemctl is-active iotrc", check=False).stdout.strip() in ("inactive", "unknown")
    assert not (m.root / "etc/iotrc").exists() and m.sessions(), "traces outlive the package"
    assert not list((m.root / "etc/systemd/system").rglob("*iotrc*"))
