# SPDX-License-Identifier: GPL-2.0-or-later
"""iotrc.load() refuses what `iotrc verify` refuses, and the other way round."""
import json

import pytest

import craft
import iotrc

pytestmark = pytest.mark.calm


def first_file(session):
    return session.directory / session.manifest["files"][0]["path"]


def flip(session):
    data = bytearray(first_file(session).read_bytes())
    data[len(data) // 2] ^= 1
    first_file(session).write_bytes(data)


def cut(session):
    first_file(session).write_bytes(first_file(session).read_bytes()[:-20])


def remove(session):
    first_file(session).unlink()


def link(session):
    other = session.directory.parent / "elsewhere"
    first_file(session).rename(other)
    first_file(session).symlink_to(other)


def surplus(session):
    first_file(session).with_name("fs_20260329_015959_000_0099.csv.zst").write_bytes(first_file(session).read_bytes())


def unfinished(session):
    first_file(session).with_name("fs_20260329_015959_000_0099.csv.zst.part").write_bytes(b"")


def edit(change):
    """A fault of the manifest: CHANGE modifies the document."""
    def damage(session):
        change(session.manifest)
        (session.directory / "manifest.json").write_text(json.dumps(session.manifest))
    damage.__name__ = change.__name__
    return damage


def manifest(text):
    def damage(session):
        (session.directory / "manifest.json").write_bytes(text)
    return damage


def counts(m, stream="fs"):
    return m["diagnostics"]["streams"][stream]


def set_(where, key, value):
    return edit(lambda m: where(m).__setitem__(key, value))


def rewritten(rows):
    """Invalid rows with a manifest that matches them."""
    def damage(session):
        session.files.clear()
        session.manifest["files"].clear()
        counts(session.manifest).update(seen=0, written=0)
        session.add("fs", [{"mono_ns": str(craft.START), **row} for row in rows])
        session.write()
    return damage


DAMAGE = {
    "a machine that breaks lines": set_(lambda m: m, "machine_id", 'a"b\n,c'),
    "a flipped bit": flip,
    "a truncated file": cut,
    "a missing file": remove,
    "a symlink": link,
    "a file that isn't listed": surplus,
    "an unfinished file": unfinished,
    "no JSON": manifest(b"{"),
    "no object": manifest(b"[]"),
    "an empty object": manifest(b"{}"),
    "not UTF-8": manifest(b"\xff\xfe"),
    "another schema": set_(lambda m: m, "schema_version", "2"),
    "another state": set_(lambda m: m["session"], "state", "dreaming"),
    "no offsets": set_(lambda m: m["clock"], "offsets", []),
    "another first offset": set_(lambda m: m["clock"], "mono_to_real_offset_ns", 1),
    "offsets that go back": edit(lambda m: m["clock"]["offsets"].append(m["clock"]["offsets"][0])),
    "no zone": set_(lambda m: m["clock"], "utc_offset", "CET"),
    "a file twice": edit(lambda m: m["files"].append(m["files"][0])),
    "a path outside": set_(lambda m: m["files"][0], "path", "../fs_1_0001.csv.zst"),
    "a stream that isn't there": set_(lambda m: m["files"][0], "stream", "fss"),
    "a negative count": set_(lambda m: m["files"][0], "rows", -1),
    "rows too many": set_(lambda m: m["files"][0], "rows", 10),
    "another sha256": set_(lambda m: m["files"][0], "sha256", "0" * 64),
    "no sha256": set_(lambda m: m["files"][0], "sha256", "0"),
    "other bytes": set_(lambda m: m["files"][0], "compressed_bytes", 1),
    "seen too much": set_(lambda m: counts(m), "seen", 99),
    "written too much": edit(lambda m: counts(m).update(seen=99, written=99)),
    "lost rows without a lost row": edit(lambda m: (counts(m).update(seen=10), counts(m)["lost"].update(ring=1))),
    "no account": edit(lambda m: m["diagnostics"]["streams"].pop("fs")),
    "no operation": rewritten([{"operation": "reed"}]),
    "no number": rewritten([{"operation": "read", "pid": "one"}]),
    "a fraction": rewritten([{"operation": "read", "pid": "1.5"}]),
    "a negative pid": rewritten([{"operation": "read", "pid": "-1"}]),
    "an exponent": rewritten([{"operation": "read", "inode": "1e30"}]),
    "a number beyond": rewritten([{"operation": "read", "inode": str(2**64)}]),
    "a pid beyond": rewritten([{"operation": "read", "pid": str(2**63)}]),
    "an offset beyond": rewritten([{"operation": "read", "offset": str(2**63)}]),
    "a size beyond": rewritten([{"operation": "read", "size": str(2**64 - 1)}]),
    "no escape": rewritten([{"operation": "read", "filename": "/a\\q"}]),
    "a control character": rewritten([{"operation": "read", "filename": "/a\x01"}]),
    "no device": rewritten([{"operation": "read", "device": "8"}]),
    "no address": rewritten([{"operation": "mmap", "address": "0X1"}]),
    "no flags": rewritten([{"operation": "open", "flags": "|"}]),
}


@pytest.mark.parametrize("fault", DAMAGE)
def test_a_session_that_verify_refuses_is_refused(session, verify, fault):
    session.add("fs", craft.fs_rows())
    session.write()
    assert verify(session.directory)
    assert len(iotrc.load(session.directory, "fs")) == 9
    DAMAGE[fault](session)
    assert not verify(session.directory)
    with pytest.raises(iotrc.Unsound) as why:
        iotrc.load(session.directory, "fs")
    assert session.directory.name in str(why.value)


def test_the_special_session_is_sound(special, verify):
    assert verify(special)
    for stream in iotrc.Session(special).streams:
        iotrc.load(special, stream)


@pytest.mark.parametrize("fault", ["a truncated file", "a file that isn't listed", "seen too much"])
def test_what_can_be_read_is_loaded_on_request(session, fault):
    session.add("fs", craft.fs_rows())
    session.write()
    DAMAGE[fault](session)
    assert 0 <= len(iotrc.load(session.directory, "fs", check=False)) <= 9


def test_a_row_that_is_torn_in_a_finished_file_is_a_fault(session, verify):
    session.add("fs", [{"operation": "open", "mono_ns": str(craft.START)}], torn=b"2026-")
    session.write()
    assert not verify(session.directory)
    with pytest.raises(iotrc.Unsound, match="truncated"):
        iotrc.load(session.directory, "fs")
