# SPDX-License-Identifier: GPL-2.0-or-later
"""Root recovers another user's session with that user's rights, so that nothing in it makes root write where the user
could not."""
import os
import pwd
import shutil
import time

import pytest

import recorder

NOBODY = pwd.getpwnam("nobody")
SUDO = {**os.environ, "SUDO_UID": str(NOBODY.pw_uid), "SUDO_GID": str(NOBODY.pw_gid)}
PLAIN = {k: v for k, v in os.environ.items() if not k.startswith("SUDO_")}


@pytest.fixture
def killed(tmp_path):
    """A session of the user nobody, whose recorder was killed."""
    r = recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path), output=tmp_path / "traces", env=SUDO)
    r.start().wait_ready()
    deadline = time.monotonic() + recorder.START
    while not list(r.session_directory.glob("fs/*.part")):
        assert time.monotonic() < deadline
        for i in range(500):
            (tmp_path / f"f{i}").write_bytes(b"x")
        time.sleep(0.1)
    r.kill()
    assert r.session_directory.stat().st_uid == NOBODY.pw_uid
    return r.session_directory


def plant(session, tmp_path):
    """A hard link to a file of root's, in the place of a file that is to be finished."""
    part = next(session.glob("fs/*.part"))
    victim = tmp_path / "roots-own"
    shutil.copyfile(part, victim)
    with open(victim, "ab") as f:
        f.write(b"torn")
    victim.chmod(0o600)
    part.unlink()
    os.link(victim, part)
    return victim, victim.read_bytes()


def test_a_hard_link_leads_nowhere(killed, tmp_path):
    victim, before = plant(killed, tmp_path)
    done = recorder.run("recover", str(killed), env=PLAIN)
    assert victim.read_bytes() == before and victim.stat().st_uid == 0
    assert done.returncode == 1 and "Permission denied" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("env", [SUDO, PLAIN], ids=["sudo", "root"])
def test_the_command_recovers(killed, env):
    done = recorder.run("recover", str(killed), env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert recorder.run("verify", str(killed)).returncode == 0
    for path in [killed, *killed.rglob("*")]:
        assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY.pw_uid, NOBODY.pw_gid), path


def next_recording(tmp_path, session, env):
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", str(tmp_path), output=tmp_path / "traces",
                            env=env) as r:
        def reported():
            recorder.hurry(r.process.pid, "staging")
            return session.name in r.errors()

        recorder.wait_for(reported, r.errors)
    return next(line for line in r.stderr.splitlines() if session.name in line)


def test_the_callers_next_recording_recovers(killed, tmp_path):
    assert "recovered" in next_recording(tmp_path, killed, SUDO)
    assert recorder.run("verify", str(killed)).returncode == 0


def test_the_callers_next_recording_is_not_led_astray(killed, tmp_path):
    victim, before = plant(killed, tmp_path)
    assert "Permission denied" in next_recording(tmp_path, killed, SUDO)
    assert victim.read_bytes() == before


def test_a_recorder_without_that_right_leaves_it_alone(killed, tmp_path):
    victim, before = plant(killed, tmp_path)
    for directory in killed, *list(killed.parents)[:3]:
        directory.chmod(0o777) # without capabilities root may do no more than others
    assert "belongs to another user" in next_recording(tmp_path, killed, PLAIN)
    assert victim.read_bytes() == before
