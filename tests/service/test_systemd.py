# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc as a service of the real systemd: its manager, its journal and its files are the oracles."""
import contextlib
import csv
import io
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

import machine

sys.path.insert(0, str(machine.ROOT / "tests/live"))
import ptrace  # noqa: E402

SERVICE = "/usr/local/share/iotrc/service.sh"
CONF = "etc/iotrc/iotrc.conf"


@pytest.fixture(scope="module")
def m():
    assert os.geteuid() == 0, "needs root"
    m = machine.Machine("systemd", "systemd-sysv", "dbus", "procps")
    try:
        m.boot()
        yield m
    finally:
        m.remove()


def configure(m, text=""):
    (m.root / CONF).parent.mkdir(exist_ok=True)
    (m.root / CONF).write_text("output = /var/lib/iotrc/traces\n" + text)


@pytest.fixture
def service(m):
    """The running service, as installed except for a shorter watchdog."""
    configure(m, "no-snapshots = yes\n")
    m.run(f"test -e /etc/systemd/system/iotrc.service || {SERVICE} install")
    m.run("mkdir -p /etc/systemd/system/iotrc.service.d && cd /etc/systemd/system/iotrc.service.d && "
          "printf '[Unit]\\nStartLimitBurst=100\\n[Service]\\nWatchdogSec=5s\\n' >test.conf && systemctl daemon-reload")
    m.run("systemctl reset-failed iotrc; systemctl restart iotrc")
    return m


def rows(session, stream="fs"):
    out = []
    for file in sorted((session / stream).glob("*.csv.zst*")):
        data = subprocess.run(["zstd", "-dcq", file], stdout=subprocess.PIPE, check=False).stdout
        out += list(csv.DictReader(io.StringIO(data.decode())))
    return out


def is_active(m):
    return m.run("systemctl is-active iotrc", check=False).stdout.strip() == "active"


def restarts_after(m, act):
    """Calls ACT, then waits until systemd has restarted the service and it is ready again."""
    before, pid = int(m.show("NRestarts")), m.show("MainPID")
    act()

    def restarted():
        "systemd has restarted it"
        return int(m.show("NRestarts")) == before + 1 and is_active(m) and m.show("MainPID") != pid

    machine.wait_for(restarted)


# ---- the files, without a machine ----

@pytest.mark.parametrize("name", ["iotrc", "iotrc-upload"])
def test_unit_is_right_and_hardened(tmp_path, name):
    """With the manual page in man(1)'s path: systemd-analyze checks whether Documentation= exists."""
    unit = tmp_path / f"{name}.service"
    text = (machine.ROOT / f"scripts/{name}.service").read_text()
    unit.write_text(text.replace("@BINDIR@", str(pathlib.Path(machine.BUILD).resolve())))
    (tmp_path / "man/man1").mkdir(parents=True)
    (tmp_path / f"man/man1/{name}.1").write_text((machine.ROOT / f"man/{name}.1").read_text())
    environment = dict(os.environ, MANPATH=str(tmp_path / "man"))
    assert machine.sh("systemd-analyze", "verify", str(unit), env=environment).stdout == ""
    machine.sh("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit))


def test_an_upload_opens_nothing_for_the_recorder(tmp_path):
    made = generate(tmp_path, "6.12.0-amd64", " upload=file:///mnt/a share\n")
    assert made == {"iotrc-upload/target.conf": '[Service]\nReadWritePaths="-/mnt/a share"\n'}


def generate(directory, release, conf, paranoid=2, user="no-such-user"):
    """{file: text} of the drop-ins for a machine with that kernel, configuration and kernel.perf_event_paranoid;
    those for iotrc-upload are called iotrc-upload/FILE."""
    (directory / "bin").mkdir(parents=True)
    (directory / "conf").write_text(conf)
    (directory / "bin/uname").write_text(f"#!/bin/sh\necho {release}\n")
    (directory / "bin/uname").chmod(0o755)
    (directory / "paranoid").write_text(f"{paranoid}\n")
    environment = {"PATH": f"{directory}/bin:{os.environ['PATH']}", "IOTRC_CONFIG": str(directory / "conf"),
                   "IOTRC_PARANOID": str(directory / "paranoid"), "IOTRC_USER": user}
    said = machine.sh(str(machine.ROOT / "scripts/iotrc-generator"), *[str(directory / d) for d in "abc"], env=environment)
    assert said.stdout == ""
    return {p.name: p.read_text() for p in directory.glob("a/iotrc.service.d/*")} | \
        {f"iotrc-upload/{p.name}": p.read_text() for p in directory.glob("a/iotrc-upload.service.d/*")}


@pytest.mark.parametrize("release, old", [
    ("5.10.0-32-cloud-amd64", False), ("5.11", True), ("5.14.0-503.el9.x86_64", True), ("6.1.0", True), ("6.9.12-1", True), ("6.10.0", False), ("6.10", False),
    ("7.2.0-rc1", False), ("10.0.1", False),
])
def test_generator(tmp_path, release, old):
    assert set(generate(tmp_path / "1", release, "# upload = no\n")) == ({"privileges.conf"} if old else set())
    assert "CAP_SYS_ADMIN" in generate(tmp_path / "3", release, "", 3)["privileges.conf"]
    assert old or not generate(tmp_path / "4", release, "", -1)


def test_generator_of_a_user(tmp_path):
    """The capabilities are those of the unit's bounding set, plus what an older kernel needs."""
    (line,) = [l for l in (machine.ROOT / "scripts/iotrc.service").read_text().splitlines()
               if l.startswith("CapabilityBoundingSet=")]
    made = generate(tmp_path / "old", "6.1.0", "", user="daemon")
    assert made["user.conf"].endswith(" CAP_SYS_ADMIN\n") and "privileges.conf" in made
    made = generate(tmp_path / "new", "6.12.0", "", user="daemon")
    assert made == {"user.conf": f"[Service]\nUser=daemon\nAmbientCapabilities={line.partition('=')[2]}\n",
                    "iotrc-upload/user.conf": "[Service]\nUser=daemon\n"}
    unit = tmp_path / "iotrc.service"
    unit.write_text((machine.ROOT / "scripts/iotrc.service").read_text().replace("@BINDIR@", "/usr/bin") + made["user.conf"])
    machine.sh("systemd-analyze", "security", "--offline=true", "--threshold=18", "--no-pager", str(unit))


# ---- install, boot ----

def test_install(m):
    said = m.run(f"{SERVICE} install").stdout
    assert "installed /etc/iotrc/iotrc.conf" in said and "installed /etc/systemd/system/iotrc.service" in said, said
    assert is_active(m) and m.run("systemctl is-enabled iotrc").stdout.strip() == "enabled"
    assert (m.root / CONF).read_text() == (machine.ROOT / "scripts/iotrc.conf").read_text()
    assert (m.root / CONF).stat().st_mode & 0o777 == 0o640
    assert (m.root / "var/lib/iotrc").stat().st_mode & 0o777 == 0o700
    assert len(m.sessions()) == 1 and m.manifest(m.sessions()[0])["session"]["state"] == "running"
    # A second call changes nothing, and the owner's changes are kept.
    configure(m, "# mine\n")
    said = m.run(f"{SERVICE} install").stdout
    assert "installed" not in said, said
    assert "# mine" in (m.root / CONF).read_text() and is_active(m)
    assert "Active: active (running)" in m.run(f"{SERVICE} status").stdout
    assert "recording in /var/lib/iotrc/traces/" in m.run(f"{SERVICE} logs --no-pager").stdout


def test_records_from_boot_on(m):
    before = m.sessions()
    m.shut_down()
    assert m.manifest(before[-1])["session"]["state"] == "complete"
    m.boot()
    machine.wait_for(lambda: is_active(m))
    assert len(m.sessions()) == len(before) + 1


def test_in_a_sandbox(service):
    status = pathlib.Path(f"/proc/{service.pid()}/status").read_text()
    fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    # CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_SYS_NICE, CAP_PERFMON, CAP_BPF; none of them once it records
    # without snapshots.
    assert int(fields["CapBnd"], 16) == 1 << 2 | 1 << 3 | 1 << 23 | 1 << 38 | 1 << 39
    assert int(fields["CapPrm"], 16) == int(fields["CapEff"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1" and fields["Seccomp"].strip() == "2"


# ---- notify ----

@pytest.mark.parametrize("round", range(3))
def test_ready_means_that_it_records(service, round):
    """What happens after `systemctl start` is in the trace, from the first call on."""
    service.run("systemctl stop iotrc")
    service.run(f"systemctl start iotrc && : >/root/first-{round} && systemctl stop iotrc")
    assert service.show("ExecMainStatus") == "0"
    session = service.sessions()[-1]
    assert service.manifest(session)["session"]["state"] == "complete"
    names = [r["operation"] for r in rows(session) if r["filename"].endswith(f"/root/first-{round}")]
    assert "open" in names, names


def test_status_line(service):
    def reported():
        "STATUS= has rows per second"
        return re.match(r"0:\d\d:\d\d  fs \S+/s .* lost \S+ ", service.show("StatusText") + " ")

    machine.wait_for(reported)


def test_its_own_io_is_not_recorded(service):
    """The service leaves out its own I/O, although it has another process id in the machine's namespace."""
    time.sleep(3) # it writes every second
    pid = service.pid()
    session = service.sessions()[-1]
    service.run("systemctl stop iotrc")
    assert [r for r in rows(session) if r["pid"] == str(pid)] == []
    assert rows(session)


# ---- what can go wrong ----

def test_watchdog_when_only_the_reader_hangs(service):
    """The rest of the process is alive, and could notify the watchdog."""
    since, pid, killed = service.cursor(), service.pid(), []

    def timed_out():
        "systemd has noticed"
        return "Watchdog timeout" in service.journal_text(since)

    def hold_until_killed():
        reader = ptrace.threads(pid)["iotrc-reader"]
        with contextlib.suppress(ProcessLookupError), ptrace.held(pid, "iotrc-reader"):
            machine.wait_for(timed_out)
            killed.append(os.waitpid(reader, ptrace.WALL)) # the debugger gets its end first, and ends the process

    restarts_after(service, hold_until_killed)
    assert killed


def test_watchdog_when_all_of_it_hangs(service):
    since = service.cursor()
    restarts_after(service, lambda: os.kill(service.pid(), signal.SIGSTOP))
    assert "Watchdog timeout" in service.journal_text(since)


def test_no_watchdog_without_cause(service):
    pid = service.show("MainPID")
    time.sleep(12) # two and a half times WatchdogSec
    assert service.show("MainPID") == pid and is_active(service)


def test_what_a_crash_left_is_recovered_and_sent(service):
    target = service.root / "var/lib/iotrc/target"
    target.mkdir(exist_ok=True)
    configure(service, "no-snapshots = yes\nupload = file:///var/lib/iotrc/target\n")
    service.run("systemctl restart iotrc && : >/root/before-the-crash")
    session = service.sessions()[-1]
    time.sleep(3) # rows reach the disk within a second or two
    restarts_after(service, lambda: os.kill(service.pid(), signal.SIGKILL))

    def sent():
        "the session is whole, and at the target"
        there = list(target.glob(f"**/{session.name}/manifest.json"))
        return there and service.manifest(there[0].parent)["session"]["state"] == "recovered"

    machine.wait_for(sent, 180) # the uploader looks every 30 s, at the lowest priority
    copy = next(target.glob(f"**/{session.name}"))
    assert [r for r in rows(copy) if r["filename"].endswith("/root/before-the-crash")]
    # While it records, by a process that has what the recorder lacks: a network; and nothing else.
    upload = service.run("systemctl show -p MainPID --value iotrc-upload").stdout.strip()
    assert service.run(f"cat /proc/{upload}/comm").stdout.strip() == "iotrc" and upload != service.show("MainPID")
    assert re.search(r"CapBnd:\t0+$", service.run(f"cat /proc/{upload}/status").stdout, re.M)
    networks = [service.run(f"readlink /proc/{p}/ns/net").stdout for p in (1, upload, service.show("MainPID"))]
    assert networks[0] == networks[1] != networks[2]
    assert service.show("RestrictAddressFamilies") == "AF_NETLINK AF_UNIX"
    # It ends after the recorder, and sends what that finished at its end.
    session = service.sessions()[-1]
    service.run("systemctl stop iotrc")

    def ended():
        "the upload has ended, too"
        return service.run("systemctl is-active iotrc-upload", check=False).stdout.strip() == "inactive"

    machine.wait_for(ended)
    copy, = target.glob(f"**/{session.name}/manifest.json")
    assert service.manifest(copy.parent)["session"]["state"] == "complete"
    # Nothing is sent any more: neither is there a service that does it.
    configure(service, "no-snapshots = yes\n")
    service.run(f"{SERVICE} install")
    assert is_active(service)
    assert service.run("systemctl is-active iotrc-upload", check=False).stdout.strip() == "inactive"
    service.run("rm -r /var/lib/iotrc/target")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_crash(service, number):
    before = len(service.sessions())
    restarts_after(service, lambda: os.kill(service.pid(), number))
    assert len(service.sessions()) == before + 1


def test_misconfiguration_is_not_restarted(service):
    since = service.cursor()
    configure(service, "\nrotate-age = soon\n")
    assert service.run("systemctl restart iotrc", check=False).returncode != 0
    assert service.show("Result") == "exit-code" and service.show("ExecMainStatus") == "2"
    time.sleep(4) # RestartSec, and a margin
    assert service.show("NRestarts") == "0" and not is_active(service)
    assert (3, "/etc/iotrc/iotrc.conf:3: rotate-age: 'soon' is not a time (30s, 5m, 2h)") in service.journal(since)


def test_what_cannot_record_is_restarted_and_given_up(service):
    """Five times in ten minutes, as installed."""
    service.run("rm /etc/systemd/system/iotrc.service.d/test.conf; systemctl daemon-reload; systemctl reset-failed iotrc")
    configure(service, "state = /etc/hostname\nanonymize = yes\n")
    service.run("systemctl restart iotrc", check=False)

    def given_up():
        "systemd has given up"
        return service.show("Result") in ("exit-code", "start-limit-hit") and int(service.show("NRestarts")) >= 4 \
            and service.run("systemctl is-failed iotrc", check=False).stdout.strip() == "failed"

    machine.wait_for(given_up)
    assert service.show("ExecMainStatus") == "1"
    # An error has the priority of an error.
    assert any(p == 3 and "cannot anonymise" in text for p, text in service.journal()), service.journal()[-20:]


# ---- reload, stop ----

def test_reload(service):
    since, pid = service.cursor(), service.show("MainPID")
    session = service.sessions()[-1]
    service.run(": >/root/before-reload")
    time.sleep(1.5)
    configure(service, "no-snapshots = yes\nstreams = fs\nrotate-rows = 1\n")
    service.run("systemctl reload iotrc")

    def reported():
        "the journal has it"
        return "reloaded /etc/iotrc/iotrc.conf; takes effect at the next start: streams" in service.journal_text(since)

    machine.wait_for(reported)
    assert service.show("MainPID") == pid
    assert (5, "reloaded /etc/iotrc/iotrc.conf; takes effect at the next start: streams") in service.journal(since)

    def more_files():
        "a file a chunk, as rotate-rows has it now"
        service.run(": >/root/after-reload")
        return len([f for f in service.manifest(session)["files"] if f["stream"] == "fs"]) >= 3

    machine.wait_for(more_files)
    # A mistake does not stop the service.
    configure(service, "frob\n")
    service.run("systemctl reload iotrc")
    machine.wait_for(lambda: "continuing with the previous configuration" in service.journal_text(since))
    assert service.show("MainPID") == pid and is_active(service)


def test_stop(service):
    since, session = service.cursor(), service.sessions()[-1]
    service.run("systemctl stop iotrc")
    assert service.show("Result") == "success" and service.show("ExecMainStatus") in ("0", "3")
    assert service.manifest(session)["session"]["state"] == "complete"
    machine.sh(f"{machine.BUILD}/iotrc", "verify", str(session))
    journal = service.journal(since)
    end = [(p, text) for p, text in journal if re.match(r"recorded [0-9.]+ s in /var/lib/iotrc/traces/.*: \d+ rows, 0 lost", text)]
    assert len(end) == 1 and end[0][0] == 6, journal
    assert not [x for x in journal if "pandas" in x[1]], journal


def test_rotates_into_a_bounded_journal(service):
    """A line a minute would be a megabyte a month: a service without news is silent. What earlier ones left is news."""
    machine.wait_for(lambda: all(service.manifest(s)["session"]["state"] != "running" for s in service.sessions()[:-1]), 180)
    since = service.cursor()
    time.sleep(5)
    assert service.journal(since) == []


# ---- the end ----

def test_a_user_of_its_own(service):
    """If there is a user iotrc, the service runs as that user, owns all it has written so far, and records as before.
    """
    m = service
    m.run("useradd --system --no-create-home iotrc && systemctl daemon-reload && systemctl restart iotrc")
    try:
        uid = m.run("id -u iotrc").stdout.strip()
        status = m.run("cat /proc/$(systemctl show -p MainPID --value iotrc)/task/*/status").stdout
        assert set(re.findall(r"^Uid:\t(\d+)", status, re.M)) == {uid} != {"0"}
        m.run("touch /root/by-root-while && sleep 1 && systemctl stop iotrc")
        session = sorted((m.root / "var/lib/iotrc/traces").glob("*/*/*"))[-1]
        assert "/root/by-root-while" in {row["filename"] for row in rows(session)}
        assert {str(p.lstat().st_uid) for p in (m.root / "var/lib/iotrc").rglob("*")} == {uid}
    finally:
        m.run("systemctl stop iotrc; userdel iotrc; systemctl daemon-reload; systemctl restart iotrc")


def test_uninstall(service):
    m = service
    m.run(f"{SERVICE} uninstall")
    assert m.run("systemctl is-active iotrc", check=False).stdout.strip() in ("inactive", "unknown")
    assert m.show("LoadState") == "not-found"
    assert m.sessions() and (m.root / CONF).exists()
    m.run(f"{SERVICE} install")
    m.run(f"{SERVICE} uninstall --purge")
    assert not (m.root / "etc/iotrc").exists() and not (m.root / "var/lib/iotrc").exists()
    assert not list((m.root / "etc/systemd/system").rglob("*iotrc*"))
