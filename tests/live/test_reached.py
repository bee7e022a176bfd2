# SPDX-License-Identifier: GPL-2.0-or-later
"""Which file a call on a path reached; a program cannot make its rows name another."""
import os
import subprocess

import pytest

import recorder


def record(path, name, *args, options=("--streams", "fs")):
    """The rows of the workload NAME, run in a directory of that name below PATH, what it printed, where, and the hooks
    that are attached."""
    cwd = path / name
    cwd.mkdir()
    with recorder.Recording(path, *options, *recorder.OWN_OR_ALL) as r:
        done = subprocess.run(
            [recorder.workload(name), *args], cwd=cwd, capture_output=True, text=True, check=True
        )
    rows = r.rows("fs")
    return rows[rows["command"] == name[:15]], done.stdout, os.path.realpath(cwd), attached(r)


def attached(recording):
    return {hook["name"] for hook in recording.manifest["diagnostics"]["hooks"] if hook["attached"]}


def reads_copies(hooks):
    """Can the kernel's own copies of paths be read? If so, the kernel also tells which file it removes or renames."""
    copies = bool(hooks & {"fexit/do_getname", "fentry/putname"})
    assert copies == ({f"fentry/security_inode_{what}" for what in ("unlink", "rmdir", "rename")} <= hooks)
    # The kernels of `make check-kernels` let programs attach to functions, but for 6.1 on arm64 (docs/kernels.md).
    assert copies or not recorder.EMULATED or os.uname().machine == "aarch64"
    return copies


def last_path(row):
    return recorder.unescape(row["filename"].split(" -> ")[-1]).decode()


@pytest.mark.parametrize("name", ["reached", "uring_reached"])
def test_inodes_of_calls_on_paths(tmp_path, name):
    """The workload asks the kernel for each inode number; device and type are those of the directory."""
    rows, reported, cwd, _ = record(tmp_path, name)
    device = os.stat(cwd).st_dev
    device = f"{os.major(device)}:{os.minor(device)}"
    fs_type = subprocess.run(
        ["findmnt", "-nro", "FSTYPE", "--target", cwd], capture_output=True, text=True, check=True
    ).stdout.strip()
    rows = [row for row in rows.to_dict("records") if last_path(row).startswith(cwd + "/")]
    for line in reported.splitlines():
        operation, path, inode, words = line.split("\t")
        found = [
            i for i, row in enumerate(rows)
            if row["operation"] == operation and last_path(row) == os.path.normpath(f"{cwd}/{path}")
            and (row["inode"] != "") == (inode != "0")
        ]
        assert found, f"no row: {line}"
        row = rows[found[0]]
        del rows[: found[0] + 1] # in the order of their creation
        place = [row["inode"], row["device"], row["fs_type"]]
        assert place == ([inode, device, fs_type] if inode != "0" else ["", "", ""]), (line, row)
        own = {w for w in row["flags"].split("|") if w == "LAST_LINK" or w.startswith("replaced=")}
        assert own == set(filter(None, [words])), (line, row["flags"])


def test_paths_rewritten_under_way(tmp_path):
    """A second thread makes each path another's name while the call is in progress. The row of each removed file must
    have that file's name. If the kernel's own copies cannot be read, there is a moment between iotrc's reading and the
    kernel's (docs/threats.md)."""
    n = 500
    rows, reported, cwd, hooks = record(tmp_path, "toctou", str(n))
    copies = reads_copies(hooks)
    reported = [line.split() for line in reported.splitlines()]
    removed = rows[(rows["operation"] == "unlink") & (rows["return_value"] == "0")]
    forged = removed["filename"].str.contains("decoy-").sum()
    late = removed["flags"].str.contains("PATH_LATE").sum()
    print(f"{forged} of {len(reported)} names forged, {late} late, kernel's copies: {copies}")
    assert len(reported) > n // 2 and len(removed) >= len(reported)
    assert forged <= (0 if copies else n // 20)
    assert late == 0 or not copies
    inodes = {os.path.basename(path): inode for path, inode in removed[["filename", "inode"]].values.tolist()}
    reported = {name: inode for name, inode in reported if copies or inodes.get(name)} # else forged, or not known
    assert len(reported) > n // 2
    assert {name: inodes[name] for name in reported} == reported


def test_files_that_are_not_cached(tmp_path):
    """Inodes of files that are removed or renamed: if their names are not cached when the call begins, the kernel tells
    which files it has found, where programs can attach to functions."""
    names = "removed", "source", "victim"
    for name in names:
        (tmp_path / name).write_text(name)
    (tmp_path / "directory").mkdir()
    inode = {name: str(os.stat(tmp_path / name).st_ino) for name in (*names, "directory")}
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN) as r:
        if recorder.EMULATED: # elsewhere others need what is cached
            os.sync()
            with open("/proc/sys/vm/drop_caches", "w") as f:
                f.write("2")
        os.unlink(tmp_path / "removed")
        os.rename(tmp_path / "source", tmp_path / "victim")
        os.rmdir(tmp_path / "directory")
    rows = r.rows("fs")
    reported = reads_copies(attached(r)) or not recorder.EMULATED

    def found(operation, name):
        [row] = rows[(rows["operation"] == operation) & rows["filename"].str.endswith(f"{tmp_path}/{name}")].to_dict("records")
        return row["inode"], row["flags"]

    if reported:
        assert found("unlink", "removed") == (inode["removed"], "LAST_LINK")
        assert found("rename", "victim") == (inode["source"], f"replaced={inode['victim']}")
        assert found("rmdir", "directory") == (inode["directory"], "")


def test_paths_overwritten_by_their_own_call(tmp_path):
    rows, _, cwd, _ = record(tmp_path, "toctou", "0")
    named = {op: set(group["filename"]) for op, group in rows.groupby("operation")}
    assert f"{cwd}/evil-link" in named["readlink"]
    assert f"{cwd}/evil-file" in named["getattr"]
    assert f"{cwd}/evil-file" in named["listxattr"]
    assert "" not in named["getattr"]


def test_paths_overwritten_by_their_own_call_pass_the_filter(tmp_path):
    rows, _, _, _ = record(tmp_path, "toctou", "0",
                          options=("--streams", "fs", "--path", str(tmp_path / "toctou")))
    assert {"readlink", "getattr", "listxattr"} <= set(rows["operation"])


def test_paths_that_were_not_resident(tmp_path):
    """They are read when the call has ended, and the row says so. The kernel's own copy does not change until then."""
    rows, _, cwd, hooks = record(tmp_path, "pathpages")
    copies = reads_copies(hooks)
    late = rows["flags"].str.split("|").map(lambda words: "PATH_LATE" in words)
    waited = rows[rows["errno"] == "ERESTARTSYS"] # which the program sees as EINTR
    assert waited["filename"].tolist() == [f"{cwd}/waited-for" if copies else f"{cwd}/decoy"]
    assert late[waited.index].tolist() == [not copies]
    rows = rows[rows["errno"] == "ENOENT"]
    requested = rows[rows["filename"].str.contains("absent")]
    assert requested["operation"].tolist() == ["unlink", "unlink", "unlink", "open", "rename"]
    assert requested["filename"].iloc[:4].tolist() == [f"{cwd}/absent"] + 3 * [f"{cwd}/absent-long"]
    assert late[requested.index].tolist() == [True, True, False, False, False]


def test_arguments_that_were_not_resident(tmp_path):
    """Addresses, events and options are read when the call has ended, and the row says so."""
    with recorder.Recording(tmp_path, "--streams", "nw_conn,nw_epoll,nw_sockopt", *recorder.OWN_OR_ALL) as r:
        (tmp_path / "pathpages").mkdir()
        subprocess.run([recorder.workload("pathpages")], cwd=tmp_path / "pathpages", check=True)

    def reported(stream, event, *columns):
        rows = r.rows(stream)
        rows = rows[(rows["command"] == "pathpages") & (rows["event_type"] == event)]
        return rows[[*columns, "flags"]].values.tolist()

    assert reported("nw_conn", "CONNECT", "remote_addr") == [["nobody", "ARGS_LATE"]]
    assert reported("nw_conn", "SOCKET_CREATE") == [[""]]
    assert reported("nw_epoll", "EPOLL_CTL", "operation", "event_mask") == [
        ["EPOLL_CTL_ADD", "EPOLLPRI", "ARGS_LATE"], ["EPOLL_CTL_MOD", "EPOLLPRI", ""]]
    assert reported("nw_sockopt", "SET", "option_name", "optval") == [
        ["SO_PRIORITY", "3", "ARGS_LATE"], ["SO_PRIORITY", "3", ""]]


def test_arguments_rewritten_under_way(tmp_path):
    """A second thread changes iovecs, addresses, events and options while the calls are in progress: rows have what the
    kernel used. The first two calls wait for that thread, so each is deterministic."""
    (tmp_path / "cwd").mkdir()
    with recorder.Recording(tmp_path, "--streams", "fs,nw_conn,nw_epoll,nw_sockopt", "--scope", "all",
                            *recorder.OWN_OR_ALL) as r:
        subprocess.run([recorder.workload("rewritten")], cwd=tmp_path / "cwd", check=True)
    rows = {
        stream: frame[frame["command"] == "rewritten"]
        for stream, frame in ((s, r.rows(s)) for s in ("fs", "nw_conn", "nw_epoll", "nw_sockopt"))
    }
    reads = rows["fs"][rows["fs"]["filename"].str.startswith("pipe:") & (rows["fs"]["operation"] == "read")]
    assert reads[["size", "bytes_completed"]].values.tolist() == [["100", "5"]]
    connections = rows["nw_conn"][rows["nw_conn"]["event_type"] == "CONNECT"]
    assert connections["remote_addr"].tolist() == ["asked", "asked"]
    events = rows["nw_epoll"][rows["nw_epoll"]["event_type"] == "EPOLL_CTL"]["event_mask"]
    values = rows["nw_sockopt"][rows["nw_sockopt"]["option_name"] == "SO_PRIORITY"]["optval"]
    assert len(events) == len(values) == 499
    print(f"{(events != 'EPOLLIN').sum()} events and {(values != '1234').sum()} values forged")
    assert (events != "EPOLLIN").sum() <= 25
    assert (values != "1234").sum() <= 25
