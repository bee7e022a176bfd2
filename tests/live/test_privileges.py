# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rights iotrc keeps while it records, according to the kernel, and that others cannot mislead it."""
import os
import pathlib
import pwd
import stat
import subprocess

import pytest
import recorder

# include/uapi/linux/capability.h
CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, SETGID, SETUID, SYS_PTRACE, SYS_NICE = (
    1 << n for n in (0, 1, 2, 3, 6, 7, 19, 23))
FILES = DAC_READ_SEARCH | FOWNER
GIVEN = CHOWN | DAC_OVERRIDE | SETGID | SETUID

NOBODY = pwd.getpwnam("nobody")
SUDO = {**os.environ, "SUDO_UID": str(NOBODY.pw_uid), "SUDO_GID": str(NOBODY.pw_gid)}
PLAIN = {k: v for k, v in os.environ.items() if not k.startswith("SUDO_")}


def threads(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        yield dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@pytest.mark.parametrize("args, env, kept", [
    (["--no-snapshots"], PLAIN, 0),
    (["--no-snapshots", "--streams", "fs,block,cache,pagefault,nw_conn,nw_drop,nw_flow,nw_epoll,nw_sockopt,extent"], PLAIN, 0),
    (["--no-snapshots"], SUDO, GIVEN),
    (["--process-interval=off", "--fs-interval=1h"], PLAIN, FILES | SYS_NICE),
    (["--process-interval=5s", "--fs-interval=off"], PLAIN, SYS_PTRACE | SYS_NICE),
    ([], SUDO, FILES | SYS_PTRACE | SYS_NICE | GIVEN),
])
def test_only_what_is_needed_is_kept(tmp_path, args, env, kept):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    with recorder.Recording(
        tmp_path, "--state", str(state), "--path", str(tmp_path), *recorder.OWN, *args, snapshots=True, env=env,
    ) as r:
        seen = list(threads(r.process.pid))
        (tmp_path / "while").write_text("it records")
    assert len(seen) >= 3
    for status in seen:
        # The threads that write messages need no capabilities.
        own = 0 if status["Name"] == "output" else kept
        for which in ("CapEff", "CapPrm", "CapBnd"):
            assert int(status[which], 16) == own, (status["Name"], which)
        assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
        assert status["NoNewPrivs"] == "1"
    # … and it can do its work with these.
    assert r.stderr.count("iotrc:") == 0, r.stderr
    assert str(tmp_path / "while") in set(r.rows("fs")["filename"])
    fired = {h["name"]: h["fired"] for h in r.manifest["diagnostics"]["hooks"]}
    assert any(fired.values())


def test_directories_that_are_closed_to_others_are_in_the_snapshot(tmp_path):
    """Root without CAP_DAC_READ_SEARCH could not look into them."""
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "file").write_text("x")
    os.chown(closed, NOBODY.pw_uid, NOBODY.pw_gid)
    closed.chmod(0o700)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    with recorder.Recording(
        tmp_path, "--state", str(state), "--path", str(closed), "--process-interval=off", "--fs-interval=1h",
        snapshots=True, env=PLAIN,
    ) as r:
        recorder.wait_for_snapshots(r)
    assert str(closed / "file") in set(r.rows("filesystem_snapshot")["file_path"])


def test_modes_and_owners(tmp_path):
    with recorder.Recording(tmp_path, "-d", "2s", *recorder.OWN, ends=True, env=SUDO) as r:
        (tmp_path / "a").write_text("row")
    assert r.session.files()
    for path in [r.output, *r.output.rglob("*")]:
        st = path.lstat()
        assert stat.S_IMODE(st.st_mode) == (0o750 if path.is_dir() else 0o600 if path.name == ".lock" else 0o640), path
        assert (st.st_uid, st.st_gid) == (NOBODY.pw_uid, NOBODY.pw_gid), path


def planted(link, target):
    """Placed by another user, in a directory that everybody may write to."""
    subprocess.run(
        ["/usr/bin/python3", "-c", f"import os; os.setuid({NOBODY.pw_uid}); os.symlink({str(target)!r}, {str(link)!r})"],
        check=True,
    )


@pytest.mark.parametrize("level", ["iotrc-traces", "iotrc-traces/linux_v1", "iotrc-traces/linux_v1/ID"])
def test_a_planted_symlink_leads_nowhere(tmp_path, level):
    machine = recorder.run("--computer-id").stdout.strip()
    shared, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    for d in (shared, elsewhere):
        d.mkdir()
    link = shared / level.replace("ID", machine)
    for d in reversed([p for p in link.parents if shared in p.parents]):
        d.mkdir()
        d.chmod(0o1777)
    shared.chmod(0o1777)
    planted(link, elsewhere)
    done = recorder.run("-d", "1s", cwd=shared, env=PLAIN)
    assert done.returncode == 1
    assert done.stderr.startswith("iotrc: cannot write to ./iotrc-traces: "), done.stderr
    assert done.stderr.count("\n") == 1
    assert list(elsewhere.iterdir()) == []


def test_a_planted_state_directory_is_refused(tmp_path):
    shared, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    for d in (shared, elsewhere):
        d.mkdir()
    shared.chmod(0o1777)
    planted(shared / "state", elsewhere)
    done = recorder.run(
        "-d", "1s", "-a", "--no-snapshots", "--state", str(shared / "state"), "-o", str(tmp_path / "out"),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("iotrc: cannot anonymise: ") and done.stderr.count("\n") == 1, done.stderr
    assert list(elsewhere.iterdir()) == []
    assert not (tmp_path / "out").exists()


# tracefs where systemd mounts it for its services, which could not mount it themselves. In a mount namespace, because tests
# beside this one look at what is mounted.
TRACEFS = ["unshare", "--mount", "sh", "-ec",
           '[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; exec "$@"', "sh"]


SYS_ADMIN, PERFMON, BPF = (1 << n for n in (21, 38, 39))


def may_of_service():
    paranoid = int(pathlib.Path("/proc/sys/kernel/perf_event_paranoid").read_text())
    more = (5, 11) <= recorder.RELEASE < (6, 10) or paranoid > 2
    return FILES | SYS_NICE | PERFMON | BPF | (SYS_ADMIN if more else 0)


def names_of(may):
    return ",".join(f"+cap_{n}" for n in range(64) if may >> n & 1)


def test_records_with_what_the_service_may(tmp_path):
    """The bounding set of scripts/iotrc.service, and on some kernels what scripts/iotrc-generator adds."""
    may = may_of_service()
    within = ["setpriv", "--bounding-set", f"-all,{names_of(may)}", "--inh-caps=-all"]
    r = recorder.Recording(tmp_path, "--path", str(tmp_path), *recorder.OWN, env=PLAIN)
    r.command[:0] = [*TRACEFS, *within]
    with r:
        seen = list(threads(r.process.pid))
        (tmp_path / "while").write_text("it records")
    assert all(int(status["CapPrm"], 16) & ~(may & ~SYS_ADMIN) == 0 for status in seen)
    assert str(tmp_path / "while") in set(r.rows("fs")["filename"])


def test_records_as_the_services_own_user(tmp_path):
    """As the unit does if there is a user iotrc: an ordinary user with the same ambient capabilities. Snapshots see
    what only root may read; what is written belongs to the user, and root's files are out of reach."""
    may = may_of_service()
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "secret").write_text("root's")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    tmp_path.chmod(0o755)
    r = recorder.Recording(tmp_path, "--path", str(private), "--state", str(home / "state"), "--fs-interval", "1h",
                           *recorder.OWN, env=PLAIN, output=home / "traces", snapshots=True)
    r.command[:0] = [*TRACEFS, "setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups",
                     "--bounding-set", f"-all,{names_of(may)}", "--inh-caps", f"-all,{names_of(may)}",
                     "--ambient-caps", f"-all,{names_of(may)}"]
    with r:
        seen = list(threads(r.process.pid))
        (private / "while").write_text("it records")
        recorder.wait_for(lambda: "filesystem_snapshot" in {p.name for p in r.session_directory.iterdir()} and
                          list(r.session_directory.glob("filesystem_snapshot/*.csv.zst")), "there is a snapshot")
    assert all(status["Uid"].split()[0] == str(NOBODY.pw_uid) for status in seen)
    assert all(int(status["CapEff"], 16) & (BPF | PERFMON | SYS_ADMIN) == 0 for status in seen)
    assert str(private / "while") in set(r.rows("fs")["filename"])
    assert str(private / "secret") in set(r.rows("filesystem_snapshot").iloc[:, 1:].astype(str).values.ravel())
    assert {p.lstat().st_uid for p in [r.output, *r.output.rglob("*")]} == {NOBODY.pw_uid}
