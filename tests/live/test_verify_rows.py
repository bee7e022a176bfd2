# SPDX-License-Identifier: GPL-2.0-or-later
"""`iotrc verify` finds each row that has become invalid, among rows that it knows from earlier ones. Rows of real programs are
changed at random; Python's csv module and rules written by hand say which of them are still valid."""
import collections
import csv
import datetime
import hashlib
import io
import json
import pathlib
import random
import re
import shutil
import subprocess

import pytest

import recorder

pytestmark = pytest.mark.calm

SEED, FILES, CHANGED, ROWS = 1, 80, 12, 400 # at most 20 faults of a file are printed
BYTES = b',"\\|: .-0159afxAZ_\0\t\r\x7f\x80\xc3\xa9\xff'

NUMBER = re.compile(r"0|[1-9][0-9]*")
ESCAPE = re.compile(r"\\(?:\\|x[0-9a-f]{2})")
WORD = r"[0-9A-Za-z_+=.:-]+"


def is_text(field):
    try:
        text = field.encode("latin-1").decode()
    except UnicodeDecodeError:
        return False
    return "\\" not in ESCAPE.sub("", text) and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)


def is_number(field, bits=63):
    return NUMBER.fullmatch(field) is not None and int(field) < 1 << bits


def is_int(field):
    return is_number(field) or (field[:1] == "-" and is_number(field[1:], 64) and 0 < int(field[1:]) <= 1 << 63)


def is_device(field):
    parts = field.split(":")
    return len(parts) == 2 and all(is_number(part, 32) for part in parts)


def is_valid(field, column):
    if column["name"] in ("timestamp", "mono_ns"):
        return bool(field) # read_time() looks at both
    if not field:
        return True
    kind = column["type"]
    if kind == "word":
        return field in column["words"] if "words" in column else re.fullmatch(WORD, field) is not None
    return {
        "text": is_text, "int64": is_int, "device": is_device,
        "uint64": lambda f: is_number(f, 64 if column["name"] == "inode" else 63),
        "flags": lambda f: re.fullmatch(rf"{WORD}(\|{WORD})*", f) is not None,
        "address": lambda f: re.fullmatch(r"0x[0-9a-f]{1,16}", f) is not None,
    }[kind](field)


def is_timely(wall, mono, offset_ns):
    """Whether the wall time is that of mono_ns, as far as a millisecond."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", wall, re.ASCII) or not is_number(mono):
        return False
    try:
        seen = datetime.datetime.fromisoformat(wall).replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return False
    since = seen - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return abs(since // datetime.timedelta(microseconds=1) - (int(mono) + offset_ns) // 1000) <= 1000


def fields_of(line):
    """The fields of a row as csv reads them, or None if csv would not write them like that."""
    text = line.decode("latin-1")
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    if len(rows) != 1:
        return None
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(rows[0])
    return rows[0] if out.getvalue() == text else None


def is_sound(line, columns, offset_ns):
    fields = fields_of(line)
    return (fields is not None and len(fields) == len(columns) and all(map(is_valid, fields, columns))
            and is_timely(fields[0], fields[-1], offset_ns))


def changed(line, other, chance):
    """LINE with a change of one kind; OTHER is another row."""
    at = chance.randrange(len(line))
    kind = chance.randrange(8)
    byte = bytes([chance.choice(BYTES)])
    if kind == 0:
        return line[:at] + byte + line[at + 1:]
    if kind == 1:
        return line[:at] + byte + line[at:]
    if kind == 2:
        return line[:at] + line[at + 1:]
    if kind == 3:
        return line[:at] + bytes([line[at] ^ 1 << chance.randrange(8)]) + line[at + 1:]
    if kind == 4: # a field is quoted, or has one quote
        parts = line.split(b",")
        i = chance.randrange(len(parts))
        parts[i] = chance.choice((b'"%s"', b'"%s', b'%s"', b'"%s,"')) % parts[i]
        return b",".join(parts)
    if kind == 5: # a number is none
        parts = line.split(b",")
        i = chance.choice([i for i, part in enumerate(parts) if part.lstrip(b"-").isdigit()])
        parts[i] = chance.choice((b"-", b"-0", b"00"))
        return b",".join(parts)
    theirs, ours = other.split(b","), line.split(b",")
    i, j = chance.randrange(len(ours)), chance.randrange(len(theirs))
    ours[i:i + 1] = theirs[j:j + chance.randrange(3)]
    return b",".join(ours)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A session of real programs, with its rows of fs that another process recorded."""
    tmp_path = tmp_path_factory.mktemp("verify")
    tree = tmp_path / "a tree, with \"names\" \u00e9 \\ of all kinds"
    tree.mkdir()
    for i in range(60):
        (tree / f"{i}, {i % 7}").write_text("x" * i)
    with recorder.Recording(tmp_path, "--streams", "fs", *recorder.OWN) as r:
        subprocess.run(f"find '{tree}' -type f -print0 | xargs -0 -n 20 md5sum; cp -a '{tree}' copy; ls -lR .; tar cf - copy | tar tf -; "
                       "sh -c 'echo a,b > file; mv file other; rm other; cat missing'",
                       shell=True, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return r


def test_changed_rows(recording, tmp_path):
    chance = random.Random(SEED)
    session = pathlib.Path(recording.session_directory)
    manifest = json.loads((session / "manifest.json").read_text())
    columns = manifest["streams"]["fs"]["columns"]
    assert len(manifest["clock"]["offsets"]) == 1
    clock = manifest["clock"]["offsets"][0]
    sign, hours, minutes = re.fullmatch(r"([+-])(\d\d):(\d\d)", clock["utc_offset"]).groups()
    offset_ns = clock["mono_to_real_offset_ns"] + int(sign + "1") * (int(hours) * 60 + int(minutes)) * 60 * 10**9
    packed = next((session / "fs").iterdir()).read_bytes()
    header, *rows = subprocess.run(["zstd", "-dcq"], input=packed, capture_output=True, check=True).stdout.split(b"\n")[:-1]
    assert len(rows) > 2 * ROWS and all(is_sound(row, columns, offset_ns) for row in rows)

    other = tmp_path / session.name
    shutil.copytree(session, other)
    counts = collections.Counter()
    for number in range(FILES):
        begin = chance.randrange(len(rows) - ROWS)
        lines = rows[begin:begin + ROWS]
        expected = set()
        for i in chance.sample(range(ROWS), CHANGED):
            lines[i] = changed(lines[i], chance.choice(rows), chance)
            if b"\n" in lines[i]: # two rows
                lines[i] = lines[i].replace(b"\n", b"\0")
            if not is_sound(lines[i], columns, offset_ns):
                expected.add(i + 1)
            counts["invalid" if i + 1 in expected else "valid"] += 1
        content = b"\n".join([header, *lines]) + b"\n"
        path = "fs/fs_20000101_000000_000_0001.csv.zst"
        shutil.rmtree(other / "fs")
        (other / "fs").mkdir()
        data = subprocess.run(["zstd", "-qc", "-1", "--check"], input=content, capture_output=True, check=True).stdout
        (other / path).write_bytes(data)
        times = [int(lines[i].rsplit(b",", 1)[1]) for i in range(ROWS) if i + 1 not in expected]
        manifest["files"] = [{"path": path, "stream": "fs", "rows": ROWS, "raw_bytes": len(content),
                              "compressed_bytes": len(data), "first_mono_ns": min(times), "last_mono_ns": max(times),
                              "sha256": hashlib.sha256(data).hexdigest()}]
        (other / "manifest.json").write_text(json.dumps(manifest))
        done = recorder.run("verify", str(other))
        reported = {int(n) for n in re.findall(rf"^\S+/{re.escape(path)}: row (\d+): ", done.stdout, re.M)}
        assert reported == expected, (number, [(i, lines[i - 1]) for i in reported ^ expected], done.stdout)
    assert counts["invalid"] > FILES * CHANGED / 2 and counts["valid"] > FILES, counts
