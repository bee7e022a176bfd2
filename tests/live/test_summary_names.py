# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls by user and by container, of sessions and live: what rows have ids for only, or nothing. A program that changes its
user knows how often it called as whom."""
import csv
import io
import itertools
import json
import pwd
import signal
import subprocess

import recorder
from test_filters import CONTAINERS, cgroups # pylint: disable=unused-import # cgroups is a fixture

FIRST, CHILD, LAST = 7, 11, 13
CHILD_UID, LAST_UID = 65533, 65532
# As root, as a child that has become somebody else, as somebody else for a moment, with another effective user only, and
# as somebody else for good. Nothing comes between a change and the first read.
PROGRAM = f"""
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
def reads(n):
    for _ in range(n): os.pread(fd, 10, 0)
reads({FIRST})
pid = os.fork()
if not pid:
    os.setuid({CHILD_UID})
    reads({CHILD})
    os._exit(0)
os.waitpid(pid, 0)
os.setresuid({CHILD_UID}, -1, -1)
reads(1)
os.setresuid(0, -1, -1)
reads(1)
os.seteuid({CHILD_UID})
reads(1)
os.seteuid(0)
os.setuid({LAST_UID})
reads({LAST})
"""
ROOT = pwd.getpwuid(0).pw_name
WANT = {ROOT: FIRST + 2, str(CHILD_UID): CHILD + 1, str(LAST_UID): LAST}


def summary(*args):
    done = subprocess.run([recorder.IOTRC, "summary", "--csv", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout))), done.stderr


def command(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(4096))
    return ["/usr/bin/python3", "-S", "-E", "-B", "-c", PROGRAM, file]


def recorded(tmp_path, *options):
    with recorder.Recording(tmp_path, "--streams", "fs", "--path", tmp_path / "file", *recorder.OWN, *options) as r:
        subprocess.run(command(tmp_path), check=True)
    return r.session


def test_users_of_a_session(tmp_path):
    """To the last call, though rows have no user."""
    session = recorded(tmp_path)
    users = session.manifest["users"]
    parent = next(pid for pid, _, uid in users["changes"] if uid == LAST_UID)
    # In the order in which rows are read, which is not that of the calls if a program has moved to another CPU.
    changes = sorted((ns, uid) for pid, ns, uid in users["changes"] if pid == parent)
    became = [uid for uid, _ in itertools.groupby([0, *(uid for _, uid in changes)])]
    assert became == [0, CHILD_UID, 0, LAST_UID] and users["left_out"] == 0
    rows, said = summary(session.directory, "--by", "user", "--ops", "read")
    assert {r["user"]: int(r["calls"]) for r in rows} == WANT and not said
    by_both, _ = summary(session.directory, "--by", "user,process", "--ops", "read")
    for uid, who in (LAST_UID, str(LAST_UID)), (ROOT, ROOT):
        alone, _ = summary(session.directory, "--by", "user", "--ops", "read", "--uid", uid)
        assert {r["user"]: int(r["calls"]) for r in alone} == {who: WANT[who]}
        for command in "cat", "watch":
            lines = recorder.run(command, *(["fs"] if command == "cat" else []), str(session.directory), "--uid", str(uid)).stdout.splitlines()
            assert sum(",read," in l or " read  " in l for l in lines) == WANT[who], command
    assert sorted(r["user"] for r in by_both) == sorted([*WANT, str(CHILD_UID)]) and len({r["process"] for r in by_both}) == 2


def test_users_live(tmp_path):
    """The kernel sums up by the user that each call has."""
    out = tmp_path / "summary.csv"
    subprocess.run([recorder.IOTRC, "summary", "--csv", "-o", out, "--by", "user,size", "--ops", "read", "--",
                    *map(str, command(tmp_path))], check=True)
    rows = csv.DictReader(out.read_text().splitlines())
    got = {r["user"]: int(r["calls"]) for r in rows if r["size"] == "8"} # of 10 bytes
    assert got == WANT


def test_a_session_without_users_says_so(tmp_path):
    """With --anonymize there are none; a file by itself has no manifest."""
    session = recorded(tmp_path, "--anonymize")
    assert "users" not in session.manifest
    rows, said = summary(session.directory, "--by", "user", "--ops", "read")
    assert {r["user"]: int(r["calls"]) for r in rows} == {"-": sum(WANT.values())}
    assert "1 sessions do not say to which users" in said
    rows, _ = summary(*session.directory.glob("fs/*"), "--by", "user", "--ops", "read")
    assert {r["user"] for r in rows} == {"-"}


# ---- containers ----

def work_in(tmp_path, name, group):
    subprocess.run(["sh", "-c", f"echo $$ >{group}/cgroup.procs && mkdir {tmp_path}/{name}"], check=True)


def test_a_container_is_one_group(tmp_path, cgroups): # pylint: disable=redefined-outer-name
    """With all cgroups in it, under the name that it has, which is its id where no runtime knows better: in a session, in a
    live summary and in top. What is in no container has the id of its cgroup."""
    web = cgroups[0] / f"libpod-{CONTAINERS[0]}.scope"
    for directory in web, web / "inner":
        directory.mkdir()
    want = {CONTAINERS[0]: 2, str(cgroups[2].stat().st_ino): 1}
    what = ["--ops", "mkdir", *recorder.OWN]
    live = subprocess.Popen([recorder.IOTRC, "summary", "--csv", "--by", "container", *what], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    top = subprocess.Popen([recorder.IOTRC, "top", "--json", "-d", "300ms", "--by", "container", *recorder.OWN],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for p in live, top:
        assert p.stderr.readline() == "watching\n"
    with recorder.Recording(tmp_path, "--streams", "fs", *what) as r:
        for name, group in ("web", web), ("inner", web / "inner"), ("other", cgroups[2]):
            work_in(tmp_path, name, group)
        seen = set()
        while not set(want) <= seen:
            seen.add(json.loads(top.stdout.readline())["container"])
    for p in live, top:
        p.send_signal(signal.SIGINT)
    rows = list(csv.DictReader(io.StringIO(live.communicate(timeout=recorder.START)[0])))
    top.communicate(timeout=recorder.START)
    elsewhere = {str(p.stat().st_ino) for p in (web, web / "inner")}
    for found in rows, summary(r.session.directory, "--by", "container")[0]: # the recorder makes directories, too
        got = {x["container"]: int(x["calls"]) for x in found}
        assert {c: got.get(c) for c in want} == want and not elsewhere & set(got)
    for name, calls in want.items():
        of_one, _ = summary(r.session.directory, "--by", "container", "--container", name, "--command", "mkdir")
        assert {x["container"]: int(x["calls"]) for x in of_one} == {name: calls}
    assert not elsewhere & seen
