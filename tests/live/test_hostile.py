# SPDX-License-Identifier: GPL-2.0-or-later
"""Harmful files, read by each command that reads files: the command says in a line or so what is wrong, with bounded
memory (RLIMIT_AS) and time, and never crashes. The test makes the files and knows what is in them."""
import copy
import datetime
import hashlib
import io
import json
import pathlib
import random
import shutil
import subprocess

import pytest
import recorder
import zstandard

pytestmark = pytest.mark.calm

MIB = 1 << 20
JSON_MEMORY = 640 * MIB # the memory that 64 MiB of JSON may take (json_text.h)
MEMORY = 256 * MIB
BOMB = 2 * MEMORY # bytes, decompressed
SECONDS = 120 # for hangs
WORDS = "a-word-that-is-nowhere\n"


@pytest.fixture(scope="module")
def recorded(module_path):
    """A session, recorded once."""
    directory = pathlib.Path(module_path)
    with recorder.Recording(
        directory, "--streams", "fs", "--path", module_path, *recorder.OWN, "-d", "2s", ends=True, output=directory / "out",
    ) as r:
        for i in range(300):
            (directory / f"file{i}").write_text("x" * i)
    return r


class Hostile:
    """A copy of the session that the test may damage."""

    def __init__(self, recorded, tmp_path):
        self.output = tmp_path / "out"
        shutil.copytree(recorded.output, self.output)
        self.session = self.output / recorded.session_directory.relative_to(recorded.output)
        self.manifest = json.loads((self.session / "manifest.json").read_text())
        self.words = tmp_path / "words"
        self.words.write_text(WORDS)
        self.target = tmp_path / "target"
        self.target.mkdir()
        (self.file,) = [f for f in self.manifest["files"] if f["stream"] == "fs"]

    def run(self, *args, memory=MEMORY):
        done = subprocess.run(
            ["prlimit", f"--as={memory}", recorder.IOTRC, *map(str, args)], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=SECONDS,
        )
        text = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode in (0, 1, 2, 3), (done.returncode, text)
        assert "out of memory" not in text and "Cannot allocate" not in text, text
        lines = text.splitlines()
        assert len(lines) <= 24 and all(len(line) < 1000 for line in lines), text[:4000]
        assert all(c.isprintable() or c == "\n" for c in text), repr(text)
        assert done.returncode == 0 or lines
        return done.returncode, text

    def verify(self, **kwargs):
        return self.run("verify", self.session, **kwargs)

    def anonymous(self, **kwargs):
        return self.run("verify", "--anonymous", self.session, "--against", self.words, **kwargs)

    def recover(self, **kwargs):
        return self.run("recover", self.session, **kwargs)

    def upload(self, **kwargs):
        return self.run("upload", self.output, "--upload", f"file://{self.target}", **kwargs)

    def sent(self):
        return [p for p in self.target.rglob("*") if p.is_file()]

    def put_manifest(self, data):
        (self.session / "manifest.json").write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())

    def put_file(self, data):
        """Replaces the rows of fs; the manifest is made to match."""
        (self.session / self.file["path"]).write_bytes(data)
        self.file.update(
            sha256=hashlib.sha256(data).hexdigest(), compressed_bytes=len(data), raw_bytes=1 << 62, rows=1 << 62,
        )
        self.put_manifest(self.manifest)

    def put_part(self, data):
        """As if the recorder had been killed while it wrote the rows of fs."""
        path = self.session / self.file["path"]
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".part").write_bytes(data)
        manifest = copy.deepcopy(self.manifest)
        manifest["files"] = [f for f in manifest["files"] if f["stream"] != "fs"]
        manifest["session"]["state"] = "running"
        self.put_manifest(manifest)


@pytest.fixture
def hostile(recorded, tmp_path):
    return Hostile(recorded, tmp_path)


def sparse(size):
    def make(path):
        with open(path, "wb") as f:
            f.truncate(size)
    return make


def text(data):
    return lambda path: path.write_bytes(data)


MANIFESTS = {
    "a gigabyte": (sparse(1 << 30), "larger than 64 MiB"),
    "64 MiB of zeroes": (sparse(64 << 20), "line 1"),
    "a line of 63 MiB": (text(b'{"session": "' + b"x" * (63 << 20) + b'"}'), "missing"),
    "33 million values": (text(b'{"a": [' + b"1," * (31 << 20) + b"1]}"), "more than 4000000 values"),
    "as many objects as may be": (text(b'{"a": [' + b"{}," * 1999000 + b"1]}"), "missing"),
    "as many members as may be": (
        text(b'{"a": {' + b",".join(b'"%d":1' % i for i in range(999000)) + b"}}"), "missing"),
    "deep arrays": (text(b"[" * 1000000), "line 1"),
    "deep objects": (text(b'{"session":' * 1000000), "line 1"),
    "deep in the right place": (text(b'{"session": ' + b"[" * 2000 + b"]" * 2000 + b"}"), "missing"),
    "NULs": (text(b"\0" * 1000), "line 1"),
    "a NUL in a key": (text(b'{"a\0b": 1}'), "line 1"),
    "an escaped NUL": (text(b'{"session": "\\u0000"}'), "line 1"),
    "a number of 40 digits": (text(b'{"files": ' + b"9" * 40 + b"}"), "line 1"),
    "a number of a million digits": (text(b'{"files": ' + b"9" * 1000000 + b"}"), "line 1"),
    "no UTF-8": (text(b'{"session": "\xff\xfe"}'), "line 1"),
    "nothing": (text(b""), "line 1"),
    "another type": (text(b'"session"'), "line 1"),
    "a list": (text(b'["session"]'), "no object"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_manifests(hostile, case):
    make, why = MANIFESTS[case]
    make(hostile.session / "manifest.json")
    code, said = hostile.verify(memory=JSON_MEMORY)
    assert code == 1 and why in said and said.count("\n") == 2, said
    if case.startswith(("as many", "a line")): # seconds, and the other commands read it with the same function
        return
    code, said = hostile.recover(memory=JSON_MEMORY)
    assert code == 1 and "manifest.json" in said and said.count("\n") == 1, said
    assert hostile.anonymous(memory=JSON_MEMORY)[0] == 1
    code, said = hostile.upload(memory=JSON_MEMORY)
    assert code == 3 and said.count("\n") <= 2, said
    assert not hostile.sent()


def places(value, at=()):
    """Each value of a document, by its place; of columns, files, hooks and streams one each."""
    yield at
    if isinstance(value, dict):
        for key in ["fs"] if at[-1:] == ("streams",) else value:
            yield from places(value[key], (*at, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*at, 0))


def test_wrong_types_and_numbers(hostile):
    """Replaces one value of the manifest after the other."""
    wrong = [None, True, -1, 2**63 - 1, -2**63, 0.5, "", "x" * 100000, "../../../etc/passwd", "\x1b[2J", [], [[]], {}, {"a": 1}]
    found = 0
    for i, at in enumerate(places(hostile.manifest)):
        if not at:
            continue
        manifest = copy.deepcopy(hostile.manifest)
        inner = manifest
        for key in at[:-1]:
            inner = inner[key]
        inner[at[-1]] = wrong[i % len(wrong)]
        if i % 2 and at[0] != "session":
            manifest["session"]["state"] = "running"
        hostile.put_manifest(manifest)
        found += hostile.verify()[0]
        hostile.upload() if i % 5 == 0 else hostile.recover()
    assert found > 30


def compressed(pieces, **kwargs):
    out = io.BytesIO()
    parameters = zstandard.ZstdCompressionParameters(write_checksum=True, **kwargs)
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(out, closefd=False) as z:
        for piece in pieces:
            z.write(piece)
    return out.getvalue()


def repeated(piece, size):
    times = -(-MIB // len(piece))
    return [piece * times] * (size // (times * len(piece)))


def flipped(data, seed):
    data, r = bytearray(data), random.Random(seed)
    for _ in range(1 + seed % 4):
        data[r.randrange(len(data))] ^= 1 << r.randrange(8)
    return bytes(data)


def spoilt(case, good):
    """(bytes, what verify says)"""
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(good).splitlines(True)
    header, row = lines[0], lines[1]
    fields = row.count(b",")
    return {
        "a bomb of one line": lambda: (compressed([header, *repeated(b"a", BOMB)]), "a row of more than a megabyte"),
        "a bomb of empty lines": lambda: (compressed([header, *repeated(b"\n", BOMB)]), "row 1"),
        "a bomb of rows": lambda: (compressed([header, *repeated(row, BOMB)]), "a decompression bomb"),
        "a bomb of commas": lambda: (compressed([header, *repeated(b"," * 65535 + b"\n", BOMB)]), "row 1"),
        "a bomb of quotes": lambda: (compressed([header, *repeated(b'"', BOMB)]), "a row of more than a megabyte"),
        "a window of 2 GiB": lambda: (compressed([header, row], window_log=31), "Frame requires too much memory"),
        "numbers of 1000 digits": lambda: (compressed([header, b",".join([b"9" * 1000] * (fields + 1)) + b"\n"]), "row 1"),
        "NULs in a row": lambda: (compressed([header, row.replace(b",", b"\0,")]), "row 1"),
        "NULs": lambda: (compressed([header, b"\0" * 1000 + b"\n"]), "row 1"),
        "escapes of a terminal": lambda: (compressed([header, b"\x1b]0;x\a" + row]), "row 1"),
        "columns in another order": lambda: (
            compressed([header, b",".join(reversed(row[:-1].split(b","))) + b"\n"]), "row 1"),
        "another header": lambda: (compressed([row, header]), "header"),
        "a torn row": lambda: (compressed([header, row[:-5]]), "torn"),
        "no frame": lambda: (b"plain text\n" * 1000, "no Zstandard frame"),
        "frames that are skipped": lambda: (b"\x50\x2a\x4d\x18\0\0\0\0" * 100000 + good, "no Zstandard frame"),
        "a frame that is skipped, of 4 GiB": lambda: (b"\x50\x2a\x4d\x18\xff\xff\xff\xff" + good, "no Zstandard frame"),
        "empty frames": lambda: (compressed([]) * 10000, ""),
        "nothing": lambda: (b"", ""),
        "two frames": lambda: (good + good, "data after the end of the frame"),
        "cut off": lambda: (good[: len(good) // 2], "truncated"),
        "zeroes behind it": lambda: (good + bytes(100000), "data after the end of the frame"),
        "reserved blocks": lambda: (good[:6] + b"\x06\0\0" * 1000, ""),
    }[case]()


FILES = """a bomb of one line; a bomb of empty lines; a bomb of rows; a bomb of commas; a bomb of quotes; a window of
2 GiB; numbers of 1000 digits; NULs in a row; NULs; escapes of a terminal; columns in another order; another header; a torn
row; no frame; frames that are skipped; a frame that is skipped, of 4 GiB; empty frames; nothing; two frames; cut off; zeroes
behind it; reserved blocks"""


@pytest.mark.parametrize("case", " ".join(FILES.split()).split("; "))
def test_files(hostile, case):
    good = (hostile.session / hostile.file["path"]).read_bytes()
    data, why = spoilt(case, good)
    hostile.put_file(data)
    code, said = hostile.verify()
    assert code == 1 and why in said, said
    hostile.anonymous()
    # A .part that a recorder left behind; its complete rows are valid.
    hostile.put_part(data)
    hostile.recover()
    for f in json.loads((hostile.session / "manifest.json").read_text())["files"]:
        subprocess.run(["zstd", "-tq", hostile.session / f["path"]], check=True)


def alike(row, n):
    """N rows of a call on the same long path, a microsecond after each other. All bytes of a name may be escaped."""
    fields = row.split(b",")
    fields[5] += b"/" + b"\\x01" * 16000
    at, mono = datetime.datetime.fromisoformat(fields[0].decode()), int(fields[-1])
    for i in range(n):
        fields[0] = (at + datetime.timedelta(microseconds=i)).isoformat(" ", "microseconds").encode()
        fields[-1] = b"%d\n" % (mono + 1000 * i)
        yield b",".join(fields)


def test_rows_that_are_long_and_alike_are_no_bomb(hostile):
    """They compress to less than a thousandth. recover keeps them, and verify calls them sound."""
    header, row = zstandard.ZstdDecompressor().decompressobj().decompress(
        (hostile.session / hostile.file["path"]).read_bytes()).splitlines(True)[:2]
    out, n = io.BytesIO(), 2000
    parameters = zstandard.ZstdCompressionParameters(write_checksum=True, window_log=19)
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(out, closefd=False) as z:
        for line in header, *alike(row, n): # each block is whole lines, as the recorder writes it
            z.write(line)
            z.flush(zstandard.FLUSH_BLOCK)
    assert n * 64000 > 1000 * len(out.getvalue())
    hostile.put_part(out.getvalue())
    hostile.recover()
    (file,) = [f for f in json.loads((hostile.session / "manifest.json").read_text())["files"] if f["stream"] == "fs"]
    assert file["rows"] == n
    code, said = hostile.verify()
    assert code == 0 and "sound" in said, said
    assert "bomb" not in hostile.anonymous()[1]


def test_flipped_bits(hostile):
    good = (hostile.session / hostile.file["path"]).read_bytes()
    before = hostile.manifest
    for seed in range(20):
        data = flipped(good, seed)
        (hostile.session / hostile.file["path"]).write_bytes(data)
        hostile.put_manifest(before)
        assert hostile.verify()[0] == 1
        hostile.anonymous()
        hostile.put_part(data)
        hostile.recover()
        hostile.verify()
        shutil.rmtree(hostile.session / "fs", ignore_errors=True)
        (hostile.session / "fs").mkdir()


JOURNALS = {
    "a gigabyte": sparse(1 << 30),
    "60 MiB of zeroes": sparse(60 << 20),
    "deep arrays": text(b"[" * 1000000 + b"\n"),
    "deep objects": text(b'{"target":' * 1000000 + b"\n"),
    "a million NULs": text(b"\0\n" * 1000000),
    "a line of 50 MiB": text(b'{"target": "' + b"x" * (50 << 20) + b'"}\n'),
    "wrong types": text(b'{"target": 1, "file": [], "sha256": {}}\n' * 1000),
    "a million empty objects": text(b"{}\n" * 1000000),
}


@pytest.mark.parametrize("case", JOURNALS)
def test_journals(hostile, case):
    """An invalid journal of uploads is ignored: the session is sound, and is sent."""
    JOURNALS[case](hostile.session / ".upload.jsonl")
    code, said = hostile.verify()
    assert code == 0 and "sound" in said, said
    code, said = hostile.upload()
    # A journal larger than any real one is not written to: it is not ours.
    assert code == (3 if (hostile.session / ".upload.jsonl").stat().st_size > 64 << 20 else 0), said


CONFIGURATIONS = {
    "a gigabyte": sparse(1 << 30),
    "NULs": text(b"\0" * 1000),
    "a line of a megabyte": text(b"x" * 1000000),
    "a value of a megabyte": text(b"path = /" + b"x" * 1000000),
    "a number of 1000 digits": text(b"rotate-rows = " + b"9" * 1000 + b"\n"),
    "no UTF-8": text(b"\xff\xfe = \x1b[2J\n"),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_configurations(hostile, tmp_path, case):
    CONFIGURATIONS[case](tmp_path / "conf")
    code, said = hostile.run("--config", tmp_path / "conf", "--check-config")
    assert code == 2 and said.count("\n") == 1, said


def test_words_without_end(hostile):
    hostile.words = "/dev/zero"
    code, said = hostile.anonymous()
    assert code == 1 and said == "/dev/zero: a line of more than 64 KiB\n"
