# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc as a service of the real OpenRC, which has booted that machine: OpenRC's messages, the process and the files
are the oracles."""
import os
import pathlib
import signal
import subprocess

import pytest

import machine

SERVICE = "/usr/local/share/iotrc/service.sh"
CONF = "etc/iotrc/iotrc.conf"


class OpenRC(machine.Machine):
    INIT = ["/sbin/openrc-init"]
    POWER_OFF = "/sbin/openrc-shutdown --poweroff now"

    def is_up(self):
        return self.run("rc-status --runlevel", check=False).stdout.strip() == "default"

    def run(self, command, check=True, input=None):
        return super().run("export PATH=$PATH:/usr/sbin:/sbin; " + command, check, input)

    def status(self):
        """The output and the exit code of rc-service."""
        done = self.run("rc-service --nocolor iotrc status", check=False)
        return done.stdout.strip().removeprefix("* ").removeprefix("status: "), done.returncode

    def process(self):
        """The process id on this machine, from that machine's pid file."""
        inside = int(self.run("cat /run/iotrc.pid").stdout)
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
                if "Name:\tiotrc\n" in text and f"\t{inside}\n" in text[text.index("NSpid:"):] and \
                   os.readlink(status.parent / "ns/pid") == os.readlink(f"/proc/{self.init}/ns/pid"):
                    return int(status.parent.name)
            except OSError:
                pass
        raise AssertionError(f"no process {inside} in there")

    def state(self, session):
        return self.manifest(session)["session"]["state"]


@pytest.fixture(scope="module")
def m():
    assert os.geteuid() == 0, "needs root"
    m = OpenRC("openrc", "procps")
    try:
        m.boot()
        yield m
    finally:
        m.remove()


def has_row_of(session, name):
    found = subprocess.run(f"zstd -dcq {session}/fs/*.zst | grep -c {name}", shell=True, stdout=subprocess.PIPE, text=True)
    return int(found.stdout) > 0


def test_install(m):
    said = m.run(f"{SERVICE} install").stdout
    assert "installed /etc/init.d/iotrc" in said and "installed /etc/iotrc/iotrc.conf" in said, said
    assert m.status() == ("started", 0)
    assert "iotrc | default" in m.run("rc-update show default").stdout
    assert m.process()
    with open(m.root / CONF, "a") as f:
        f.write("\nno-snapshots = yes\n")
    # A second call restarts the service, and installs nothing.
    assert "installed" not in m.run(f"{SERVICE} install").stdout
    assert m.state(m.sessions()[0]) == "complete" and len(m.sessions()) == 2


def test_started_means_that_it_records(m):
    m.run(f"{SERVICE} stop")
    assert m.status() == ("stopped", 3)
    m.run(f"{SERVICE} start && : >/root/after-start && {SERVICE} stop")
    session = m.sessions()[-1]
    assert m.state(session) == "complete" and has_row_of(session, "/root/after-start")
    m.run("! test -e /run/iotrc.pid")
    m.run(f"{SERVICE} start")


def test_reload(m):
    """It continues as the same process, with new files."""
    process, session = m.process(), m.sessions()[-1]
    m.run(": >/root/before-reload")
    files = len(m.manifest(session)["files"])
    m.run(f"{SERVICE} reload")
    machine.wait_for(lambda: len(m.manifest(session)["files"]) > files)
    assert m.process() == process


def test_a_mistake_is_no_reason_to_stop(m):
    conf, process = (m.root / CONF).read_text(), m.process()
    with open(m.root / CONF, "a") as f:
        f.write("frob\n")
    for action in "reload", "restart":
        done = m.run(f"{SERVICE} {action}", check=False)
        assert done.returncode and "neither 'key = value' nor a comment" in done.stdout, done.stdout
    (m.root / CONF).write_text(conf)
    assert m.process() == process and m.status() == ("started", 0)


def test_crash(m):
    """OpenRC reports the crash, and the next start recovers the session."""
    session = m.sessions()[-1]
    os.kill(m.process(), signal.SIGKILL)
    machine.wait_for(lambda: m.status() == ("crashed", 32))
    m.run(f"{SERVICE} restart")
    assert m.status() == ("started", 0) and len(m.sessions()) > 1 and m.sessions()[-1] != session
    machine.wait_for(lambda: m.state(session) == "recovered", 180)


def test_records_from_boot_on(m):
    before = m.sessions()
    m.shut_down()
    assert m.state(before[-1]) == "complete"
    m.boot()
    machine.wait_for(lambda: m.status() == ("started", 0))
    assert len(m.sessions()) == len(before) + 1


def test_uninstall(m):
    m.run(f"{SERVICE} uninstall")
    m.run("! test -e /etc/init.d/iotrc && ! test -e /run/iotrc.pid")
    assert "iotrc" not in m.run("rc-update show").stdout
    assert m.state(m.sessions()[-1]) == "complete" and (m.root / CONF).exists()
    m.run(f"{SERVICE} install")
    m.run(f"{SERVICE} uninstall --purge")
    assert not (m.root / "etc/iotrc").exists() and not (m.root / "var/lib/iotrc").exists()
