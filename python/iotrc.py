# SPDX-License-Identifier: GPL-2.0-or-later
"""Loads sessions of iotrc into pandas, with the types that their manifests state.

    import iotrc
    fs = iotrc.load("iotrc-traces", "fs", columns=["operation", "filename", "bytes_completed"])
    fs.groupby("operation", observed=True).bytes_completed.agg(["count", "sum"])

pandas.read_csv() alone guesses types: a column with an empty field becomes floats, which hold whole
numbers up to 2**53 only, so that large inode numbers become equal. Here every value is exact:

    type in the manifest   dtype                 an empty field is
    timestamp              datetime64[ns, UTC]   NaT
    uint64                 UInt64                <NA>; mono_ns is never empty: uint64
    int64                  Int64                 <NA>
    float                  float64               NaN
    address                UInt64                <NA>
    text, word, flags,     category of str       NaN
    device

The first column is computed from mono_ns and the clock offsets of the manifest: it has nanoseconds, and
is right across clock steps, suspends and changes of daylight saving time. Streams with a device_id
have a column `device` as well, as the other streams write it (MAJOR:MINOR). `machine`, `session` and
`boot` are categories: mono_ns of two sessions are comparable if their boot is the same.

Rows of different CPUs are not in the order of time: sort by mono_ns if order matters.

This needs pandas (1.5 or later), and the package zstandard or the program zstd.
"""
from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import warnings
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence, Union

import numpy as np
import pandas as pd

try:
    import zstandard
except ImportError: # then the program zstd has to be there
    zstandard = None

__all__ = ["LostRows", "Session", "Unsound", "chunks", "dask", "load", "sessions", "split_paths", "sql", "unescape"]
__version__ = "0.1.0"

SCHEMA_VERSION = "1"
# Text of a file that is parsed at once: what a load needs beside its result is about ten times this.
BLOCK_BYTES = 3 << 20
# Blocks that are parsed, or wait for it, while others are read and added.
AHEAD = 2
# What a block needed is kept for the next one: see _keep_memory().
KEPT_BYTES = 16 << 20
# No row is longer (the recorder's own bound).
ROW_MAX = 1 << 20
# Below this, a float64 holds each whole number exactly.
EXACT = 2.0**53
PROGRESS_SECONDS = 0.2
# Of a column: texts that are remembered as right.
KNOWN_MAX = 10_000

# The columns that may hold 2**63 and more. In sessions of old, so could a size.
UNSIGNED = ("inode", "size")
ORIGIN = ("machine", "session", "boot")
Source = Union[str, "os.PathLike[str]", "Session", Iterable[Union[str, "os.PathLike[str]", "Session"]]]
Where = Union[str, Callable[[pd.DataFrame], Any]]
Moment = Union[int, str, pd.Timestamp]


class Unsound(ValueError):
    """A session that `iotrc verify` would refuse, or not a session. The text says which file, and why."""


class LostRows(UserWarning):
    """Rows of the loaded stream were lost while it was recorded; the stream `lost` has the times."""


# ---- sessions ----

@dataclasses.dataclass(frozen=True)
class _File:
    """A trace file. Members that are not None are from the manifest."""

    path: pathlib.Path
    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    first_ns: int = 0
    last_ns: int = 2**64 - 1


class Session:
    """One recording: a directory with a manifest.json.

    directory   its path
    manifest    the content of manifest.json
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Reads the manifest. Raises Unsound if there is none, or if it cannot be used."""
        self.directory = pathlib.Path(directory)
        try:
            text = (self.directory / "manifest.json").read_bytes()
            self.manifest: dict[str, Any] = json.loads(text)
        except (OSError, ValueError) as why:
            raise Unsound(f"{self.directory}/manifest.json: {why}") from None
        faults = list(_manifest_faults(self.manifest))
        if faults:
            raise Unsound(f"{self.directory}/manifest.json: " + "; ".join(faults))
        offsets = self.manifest["clock"]["offsets"]
        default = self.manifest["clock"].get("utc_offset", "+00:00")
        self._from = np.array([o["from_mono_ns"] for o in offsets], dtype="uint64")
        self._offset = np.array([o["mono_to_real_offset_ns"] for o in offsets], dtype="int64")
        self._utc_offset = np.array([_seconds(o.get("utc_offset", default)) for o in offsets], dtype="int64")

    def __repr__(self) -> str:
        rows = {s: sum(f["rows"] for f in self.manifest["files"] if f["stream"] == s) for s in self.streams}
        counts = ", ".join(f"{stream} {n}" for stream, n in rows.items() if n)
        return f"<iotrc session {self.directory}: {self.state}; rows: {counts or 'none'}>"

    @property
    def machine(self) -> str:
        """The id of the machine that was recorded: 16 hexadecimal digits."""
        return self.manifest["machine_id"]

    @property
    def name(self) -> str:
        """When it began: YYYYMMDD_HHMMSS_mmm, local time."""
        return self.manifest.get("session_id", str(self.directory.resolve())).rstrip("/").split("/")[-1]

    @property
    def boot(self) -> str | None:
        """The boot from which its mono_ns count; None if unknown to the recorder."""
        return self.manifest.get("boot_id")

    @property
    def state(self) -> str:
        """running, complete or recovered."""
        return self.manifest["session"]["state"]

    @property
    def streams(self) -> list[str]:
        """The streams of its schema, including those without rows."""
        return list(self.manifest["streams"])

    def dtypes(self, stream: str) -> dict[str, str]:
        """The dtype of each column of load() for STREAM, by name. KeyError: no such stream."""
        layout = _Layout(self, stream)
        return {name: layout.dtype(name) for name in layout.names}

    def lost(self, stream: str) -> int:
        """How many rows of STREAM were lost, at least."""
        counts = self.manifest["diagnostics"]["streams"].get(stream, {})
        return sum(counts.get("lost", counts.get("lost_at_least", {})).values())

    def faults(self) -> list[str]:
        """Lists the faults of the session, a line each: files that are missing, changed or not listed, and
        accounts that do not add up. Reads every file once, but does not check rows: load() checks the rows
        that it reads, and `iotrc verify` everything."""
        return [*_file_faults(self), *_account_faults(self)]

    def _files(self, stream: str) -> list[_File]:
        """The files of STREAM by name; for a running session, also those that are not in the manifest yet."""
        listed = {
            f["path"]: _File(self.directory / f["path"], f["rows"], f["compressed_bytes"], f["sha256"],
                             f["first_mono_ns"], f["last_mono_ns"])
            for f in self.manifest["files"] if f["stream"] == stream
        }
        if self.state == "running":
            schema = self.manifest["streams"][stream]
            for path in (self.directory / schema["subdir"]).glob(schema["filename_prefix"] + "_*.csv.zst*"):
                name = f"{schema['subdir']}/{path.name}"
                if name.endswith((".csv.zst", ".csv.zst.part")):
                    listed.setdefault(name, _File(path))
        return [listed[name] for name in sorted(listed)]

    def _at(self, mono_ns: np.ndarray) -> np.ndarray:
        """The index of the offset in force at each of MONO_NS."""
        return np.maximum(np.searchsorted(self._from, mono_ns, side="right") - 1, 0)

    def _wall_ns(self, mono_ns: np.ndarray) -> np.ndarray:
        """MONO_NS as nanoseconds since 1970, UTC."""
        if len(self._offset) == 1:
            return mono_ns.astype("int64") + self._offset[0]
        return mono_ns.astype("int64") + self._offset[self._at(mono_ns)]

    def _wall_span(self, file: _File) -> tuple[int, int]:
        """The span of wall times (ns, UTC) that contains all rows of FILE."""
        at = self._at(np.array([file.first_ns, file.last_ns], dtype="uint64"))
        offsets = self._offset[at[0]:at[1] + 1]
        return file.first_ns + int(offsets.min()), file.last_ns + int(offsets.max())


def sessions(directory: str | os.PathLike[str]) -> list[Session]:
    """The sessions in DIRECTORY and below it, of all machines, in the order of their names.

    Raises Unsound if there is none, or if a manifest cannot be used.
    """
    found = []
    for path, below, files in os.walk(directory):
        if "manifest.json" in files:
            found.append(path)
            below.clear()
    if not found:
        raise Unsound(f"{directory}: no session (manifest.json) here or below")
    return [Session(path) for path in sorted(found)]


def _all_sessions(source: Source) -> list[Session]:
    if isinstance(source, Session):
        return [source]
    if isinstance(source, (str, os.PathLike)):
        return sessions(source)
    return [session for one in source for session in _all_sessions(one)]


# ---- what `iotrc verify` would refuse ----

def _manifest_faults(m: Any) -> Iterator[str]:
    """The first fault that makes a manifest unusable."""
    try:
        if m["schema_version"] != SCHEMA_VERSION:
            yield f"schema_version {m['schema_version']!r}: only {SCHEMA_VERSION} is known here"
            return
        if m["session"]["state"] not in ("running", "complete", "recovered"):
            yield "session.state: not running, complete or recovered"
        starts = [o["from_mono_ns"] for o in m["clock"]["offsets"]]
        if not starts or starts != sorted(set(starts)) or starts[0] < 0:
            yield "clock.offsets: empty, or not ascending"
        elif m["clock"]["mono_to_real_offset_ns"] != m["clock"]["offsets"][0]["mono_to_real_offset_ns"]:
            yield "clock.mono_to_real_offset_ns: not the first of offsets"
        for o in [m["clock"], *m["clock"]["offsets"]]:
            _seconds(o.get("utc_offset", "+00:00"))
        for key, stream in m["streams"].items():
            names = [c["name"] for c in stream["columns"] if c["type"]]
            if not names or names[-1] != "mono_ns" or len(set(names)) != len(names):
                yield f"streams.{key}.columns: not a stream's"
        paths = set()
        for f in m["files"]:
            stream = m["streams"][f["stream"]]
            start = re.escape(f"{stream['subdir']}/{stream['filename_prefix']}_")
            if not re.fullmatch(start + r"[!-.0-\[\]-~]+\.csv\.zst", f["path"]) or f["path"] in paths:
                yield f"files: {f['path']!r} is no file of {f['stream']}, or there twice"
            if not re.fullmatch("[0-9a-f]{64}", f["sha256"]):
                yield f"files: {f['path']}: sha256 is not 64 hexadecimal digits"
            for key in "rows", "raw_bytes", "compressed_bytes", "first_mono_ns", "last_mono_ns":
                if type(f[key]) is not int or f[key] < 0:
                    yield f"files: {f['path']}: {key} is no count"
            paths.add(f["path"])
        if not re.fullmatch("[A-Za-z0-9]{1,64}", m["machine_id"]):
            yield "machine_id: not letters and digits"
        if not isinstance(m["diagnostics"]["streams"], dict):
            yield "diagnostics.streams: wrong type"
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as why:
        yield f"missing or of a wrong type: {why!r}"


def _file_faults(session: Session) -> Iterator[str]:
    """Files that are missing, differ from the manifest, or are not listed."""
    m = session.manifest
    listed = [(f["path"], f["compressed_bytes"], f["sha256"]) for f in m["files"]]
    listed += [(f["path"], f["bytes"], f["sha256"]) for f in m.get("system_spec", [])]
    for name, size, sha256 in listed:
        path = session.directory / name
        try:
            if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
                yield f"{path}: " + ("no regular file" if path.exists() else "missing")
            elif path.stat().st_size != size:
                yield f"{path}: {path.stat().st_size} bytes, the manifest says {size}"
            elif _sha256(path) != sha256:
                yield f"{path}: sha256 is not the manifest's"
        except OSError as why:
            yield str(why)
    names = {name for name, *_ in listed}
    for path in sorted(session.directory.glob("*/*")) if session.state != "running" else []:
        name = f"{path.parent.name}/{path.name}"
        if name.endswith(".part"):
            yield f"{path}: not finished, but the session is"
        elif name.endswith(".csv.zst") and name not in names:
            yield f"{path}: not in the manifest"


def _account_faults(session: Session) -> Iterator[str]:
    """seen = written + filtered + lost, the files hold what was written, the lost stream what was lost."""
    if session.state == "running": # its counts are from another moment than its files
        return
    all_counts = session.manifest["diagnostics"]["streams"]
    lost_rows = _lost_rows(session) if not session.lost("lost") else None
    for stream in session.streams:
        c = all_counts.get(stream, {"seen": 0, "written": 0, "filtered": 0, "lost": {}})
        rows = sum(f["rows"] for f in session.manifest["files"] if f["stream"] == stream)
        try:
            if c["written"] != rows:
                yield f"{session.directory}: {stream}: {c['written']} rows written, the files hold {rows}"
            if session.state == "recovered" and "seen" not in c:
                continue
            if c["seen"] != c["written"] + c["filtered"] + sum(c["lost"].values()):
                yield f"{session.directory}: {stream}: seen is not written + filtered + lost"
            for cause, lost in c["lost"].items():
                if lost_rows is not None and lost_rows.get((stream, cause), 0) != lost:
                    yield f"{session.directory}: {stream}: lost.{cause} is not what the lost stream says"
        except (KeyError, TypeError, AttributeError) as why:
            yield f"{session.directory}: diagnostics.streams.{stream}: {why!r}"


def _lost_rows(session: Session) -> dict[tuple[str, str], int]:
    """The rows that the lost stream counts, by stream and cause. Empty if it cannot be read, which is reported
    as another fault."""
    if "lost" not in session.streams:
        return {}
    try:
        lost = load(session, "lost", ["stream", "cause", "count"], check=False, progress=False)
    except Unsound:
        return {}
    sums = lost.groupby(["stream", "cause"], observed=True)["count"].sum()
    return {key: int(n) for key, n in sums.items()}


def _sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while data := f.read(1 << 18):
            digest.update(data)
    return digest.hexdigest()


def _seconds(utc_offset: str) -> int:
    """+HH:MM as seconds. ValueError: it is something else."""
    match = re.fullmatch(r"([+-])(\d\d):(\d\d)", utc_offset)
    if not match:
        raise ValueError(f"utc_offset {utc_offset!r} is not +HH:MM")
    return (int(match[2]) * 3600 + int(match[3]) * 60) * (-1 if match[1] == "-" else 1)


# ---- text ----

_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_ESCAPE = re.compile(rb"\\(\\|x[0-9a-f]{2})")
_WORD = r"[A-Za-z0-9_\-+=.:]+"
_SYNTAX = {
    "word": re.compile(_WORD),
    "flags": re.compile(rf"{_WORD}(\|{_WORD})*"),
    "device": re.compile(r"\d+:\d+"),
    "address": re.compile(r"0x[0-9a-f]{1,16}"),
    "text": re.compile(r"([^\\\x00-\x1f\x7f-\x9f]|\\\\|\\x[0-9a-f]{2})+"),
}


def unescape(text: str) -> bytes:
    r"""The bytes that a text column's field stands for: \xHH is a byte, \\ a backslash."""
    return _ESCAPE.sub(lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), text.encode())


def split_paths(filename: pd.Series) -> pd.DataFrame:
    """Splits 'old -> new' (rename, link, symlink) into columns `old` and `new` (object, str).

    FILENAME must still be escaped, which is what tells the arrow from one inside a name. `new` is NaN
    where there is only one path.
    """
    uniques = pd.Series(filename.array.categories if isinstance(filename.dtype, pd.CategoricalDtype)
                        else filename.unique(), dtype=object).dropna()
    parts = {text: (text.split(" -> ", 1) + [np.nan])[:2] for text in uniques}
    nothing = [np.nan, np.nan]
    return pd.DataFrame([parts.get(text, nothing) for text in filename.astype(object)],
                        columns=["old", "new"], index=filename.index, dtype=object)


def _undone(categories: Sequence[str], escapes: str) -> tuple[list[Any], np.ndarray | None]:
    """Unescapes CATEGORIES. Returns the distinct results and, if some have become equal, the new code of each old code."""
    texts = [unescape(c) if "\\" in c else c.encode() for c in categories]
    if escapes == "str":
        texts = [t.decode("utf-8", "surrogateescape") for t in texts]
    known: dict[Any, int] = {}
    codes = np.array([known.setdefault(t, len(known)) for t in texts] + [-1], dtype="int32")
    return list(known), codes if len(known) < len(texts) else None


# ---- reading a file ----

# Whole lines, in pieces: joining them would copy each byte once more.
Lines = Sequence[memoryview]


class _FileLike:
    """Lines as a file that read_csv() takes as it is: pandas decodes the files that it knows to be binary."""

    def __init__(self, lines: Lines) -> None:
        self._pieces = deque(lines)

    def read(self, size: int) -> bytes:
        """The next bytes, at most SIZE; none at the end."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if len(piece) > size:
            self._pieces.appendleft(piece[size:])
        return bytes(piece[:size])

    def __iter__(self) -> Iterator[bytes]: # makes it a file, for pandas
        return iter(())


def _decompressed(path: pathlib.Path) -> Iterator[bytes]:
    """Yields the content of a .zst file's first frame, in pieces of at most BLOCK_BYTES; of a .part file, as much
    as has been written. Raises Unsound if the file is damaged."""
    if zstandard is None:
        yield from _by_program(path)
        return
    try:
        with open(path, "rb") as f, zstandard.ZstdDecompressor().stream_reader(f, read_size=1 << 17) as frame:
            while data := frame.read(BLOCK_BYTES):
                yield data
    except (OSError, zstandard.ZstdError) as why:
        raise Unsound(f"{path}: {why}") from None


def _by_program(path: pathlib.Path) -> Iterator[bytes]:
    try:
        zstd = subprocess.Popen(["zstd", "-dcq", "--", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        raise ImportError("reading .zst files needs the Python package zstandard or the program zstd") from None
    with zstd:
        assert zstd.stdout
        while data := zstd.stdout.read(BLOCK_BYTES):
            yield data
    if zstd.returncode > 0 and not path.name.endswith(".part"):
        raise Unsound(f"{path}: zstd can't read it")


def _blocks(file: _File, header: bytes, check: bool) -> Iterator[Lines]:
    """Yields the lines of FILE after its header row, about BLOCK_BYTES at a time. An incomplete last line is left
    out of an unfinished file; in a finished one it is a fault."""
    rest, seen_header = b"", False
    finished = not file.path.name.endswith(".part")
    for data in _decompressed(file.path):
        end = data.rfind(b"\n") + 1
        start, rest = (rest, data[end:]) if end else (b"", rest + data)
        if len(rest) > ROW_MAX:
            raise Unsound(f"{file.path}: a row of more than a megabyte")
        lines = [memoryview(start), memoryview(data)[:end]]
        if not seen_header and end:
            first = start + data[:end]
            if not first.startswith(header):
                raise Unsound(f"{file.path}: its header row is not the manifest's")
            lines, seen_header = [memoryview(first)[len(header):]], True
        if any(lines):
            yield [piece for piece in lines if piece]
    if check and finished and (rest or not seen_header):
        raise Unsound(f"{file.path}: truncated")


# ---- columns ----

@dataclasses.dataclass
class _Piece:
    """A part of a column: numbers and which of them are missing (None: none), or codes of texts."""

    values: np.ndarray
    missing: np.ndarray | None = None

    def take(self, keep: np.ndarray) -> _Piece:
        return _Piece(self.values[keep], None if self.missing is None else self.missing[keep])


# What read_csv() is asked for: a dtype by its name is looked up each time.
_MONO, _NUMBER, _TEXT = np.dtype("uint64"), np.dtype("float64"), pd.CategoricalDtype()


class _Layout:
    """The columns of a stream: their types in the file and in the DataFrame."""

    NUMBERS = {"uint64": "UInt64", "int64": "Int64", "address": "UInt64"}

    def __init__(self, session: Session, stream: str) -> None:
        if stream not in session.manifest["streams"]:
            raise KeyError(f"{session.directory}: no stream {stream!r}; there are {', '.join(session.streams)}")
        columns = session.manifest["streams"][stream]["columns"]
        self.session = session
        self.in_file = [c["name"] for c in columns]
        self.header = ",".join(self.in_file).encode() + b"\n"
        self.types = {c["name"]: c["type"] for c in columns}
        self.words = {c["name"]: frozenset(c["words"]) for c in columns if c.get("words")}
        self.wall = self.in_file[0]
        # A joint key with the other streams.
        self.device = "device_id" in self.types and "device" not in self.types
        self.names = [*self.in_file[:-1], *(["device"] if self.device else []), "mono_ns", *ORIGIN]
        # Columns that have had a number that no float64 holds: they are read as text from then on.
        self.beyond: set[str] = set()
        # Texts of few that have been looked at, by column.
        self.known: dict[str, set[str]] = {}

    def dtype(self, name: str) -> str:
        type_ = self.types.get(name)
        if name == "mono_ns":
            return "uint64"
        if type_ == "timestamp":
            return "datetime64[ns, UTC]"
        if type_ == "float":
            return "float64"
        return self.NUMBERS.get(type_ or "", "category")

    def needed(self, names: Iterable[str]) -> list[str]:
        """The columns of the file from which the columns NAMES are computed."""
        want = set(names) | {"mono_ns"}
        if self.device and "device" in want:
            want.add("device_id")
        return [n for n in self.in_file if n in want and n != self.wall]

    # -- one block: called by another thread

    def parse(self, lines: Lines, needed: Sequence[str]) -> dict[str, Any]:
        """Parses the columns NEEDED of a block of lines: text into (codes, texts), all others into a _Piece."""
        kinds = {n: self._kind(n) for n in needed}
        frame = self._read(lines, kinds)
        read = dict(frame.items())
        again = {n: _TEXT for n in needed if kinds[n] is _NUMBER and self.types[n] != "float"
                 and _inexact(read[n].to_numpy())}
        if again:
            self.beyond |= again.keys()
            read.update(self._read(lines, again).items())
        return {n: self._column(n, read[n]) for n in needed}

    def _kind(self, name: str) -> Any:
        if name == "mono_ns":
            return _MONO
        if self.types[name] == "float" or (self.types[name] in ("uint64", "int64") and name not in self.beyond):
            return _NUMBER
        return _TEXT

    def _read(self, lines: Lines, kinds: Mapping[str, Any]) -> pd.DataFrame:
        # The default reads some fractions one bit off; it is exact on whole numbers below EXACT.
        precise = "round_trip" if any(self.types[n] == "float" for n in kinds) else None
        return pd.read_csv(_FileLike(lines), header=None, names=self.in_file, usecols=list(kinds), dtype=dict(kinds),
                           na_values=[""], keep_default_na=False, low_memory=False, engine="c",
                           index_col=False, float_precision=precise)

    def _column(self, name: str, column: pd.Series) -> Any:
        type_ = self.types[name]
        if name == "mono_ns" or type_ == "float":
            return _Piece(column.to_numpy())
        if not isinstance(column.dtype, pd.CategoricalDtype):
            return _whole(column.to_numpy(), "uint64" if type_ == "uint64" else "int64")
        codes, texts = column.array.codes, list(column.array.categories)
        if type_ in self.NUMBERS:
            numbers = _numbers(texts, type_)
            if type_ == "uint64" and name not in UNSIGNED and max(numbers, default=0) >= 2**63:
                raise ValueError(f"{name}: {max(numbers)} is not below 2^63")
            return _looked_up(codes, numbers, "int64" if type_ == "int64" else "uint64")
        if type_ == "timestamp":
            return _looked_up(codes, [_civil_ns(t) for t in texts], "int64", _NAT)
        self._check_texts(name, type_, texts)
        return codes, texts

    def _check_texts(self, name: str, type_: str, texts: Sequence[str]) -> None:
        words, syntax = self.words.get(name), _SYNTAX.get(type_)
        if type_ == "text":
            together = "".join(texts)
            new: Iterable[str] = () if together.isprintable() and "\\" not in together else texts # most are
        else:
            known = self.known.setdefault(name, set())
            new = [text for text in texts if text not in known]
            if len(known) < KNOWN_MAX:
                known.update(new) # where one is wrong, nothing is read any more
        for text in new:
            if not (text in words if words else not syntax or syntax.fullmatch(text)):
                raise ValueError(f"{name}: {text!r} is no {type_}")


_NAT = np.iinfo("int64").min


def _inexact(numbers: np.ndarray) -> bool:
    """Whether a number is so large that a float may stand for several whole numbers."""
    return bool(np.fmax.reduce(numbers) >= EXACT or np.fmin.reduce(numbers) <= -EXACT)


def _whole(numbers: np.ndarray, kind: str) -> _Piece:
    """Converts floats that are whole numbers, or NaN for an empty field, to KIND."""
    missing = np.isnan(numbers)
    if missing.any():
        numbers = np.where(missing, 0.0, numbers)
    else:
        missing = None
    values = numbers.astype("int64")
    if (values != numbers).any() or (kind == "uint64" and (values < 0).any()):
        raise ValueError("not a whole number" if kind == "int64" else "not an unsigned number")
    return _Piece(values, missing)


def _looked_up(codes: np.ndarray, numbers: list[int], kind: str, nothing: int = 0) -> _Piece:
    """The number of each code; the code -1 is an empty field."""
    missing = codes < 0
    try:
        table = np.array([*numbers, nothing], dtype=kind)
    except OverflowError:
        raise ValueError(f"a number that no {kind} holds") from None
    return _Piece(table[codes], missing if missing.any() else None)


def _numbers(texts: Sequence[str], type_: str) -> list[int]:
    syntax, base, what = (_SYNTAX["address"], 16, "address") if type_ == "address" else (_WHOLE, 10, "whole number")
    for text in texts:
        if not syntax.fullmatch(text):
            raise ValueError(f"{text!r} is no {what}")
    return [int(text, base) for text in texts]


def _civil_ns(text: str) -> int:
    """Parses YYYY-MM-DD HH:MM:SS.ffffff as nanoseconds since 1970 in the time's own zone; NaT outside the years
    1678 to 2261, the range of datetime64[ns]."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", text):
        raise ValueError(f"{text!r} is no wall time")
    us = int(np.datetime64(text, "us").astype("int64"))
    return us * 1000 if 1678 <= int(text[:4]) <= 2261 else _NAT


# ---- loading ----

def _common(layouts: Sequence[_Layout]) -> dict[str, str]:
    """The dtype of each column that occurs in any of LAYOUTS, in their order. Older sessions may lack columns,
    and may hold a size as an unsigned number."""
    dtypes: dict[str, str] = {}
    for layout in layouts:
        for name in layout.names:
            dtype = layout.dtype(name)
            dtypes[name] = "Int64" if {dtype, dtypes.get(name)} == {"Int64", "UInt64"} else dtype
    last = ("mono_ns", *ORIGIN)
    return {n: dtypes[n] for n in [*(n for n in dtypes if n not in last), *last]}


class _Selection:
    """The requested rows and columns. DTYPES: of all columns."""

    def __init__(self, dtypes: Mapping[str, str], columns: Sequence[str] | None, where: Where | None,
                 start: Moment | None, end: Moment | None) -> None:
        self.names = list(dtypes) if columns is None else list(dict.fromkeys(columns))
        unknown = [n for n in self.names if n not in dtypes]
        if unknown:
            raise KeyError(f"no column {', '.join(map(repr, unknown))}; there are {', '.join(dtypes)}")
        self.where = where
        self.mono = [int(m) if isinstance(m, (int, np.integer)) else None for m in (start, end)]
        self.wall = [None if m is None or isinstance(m, (int, np.integer)) else _utc_ns(m) for m in (start, end)]
        # Those of the result, and what `where` looks at.
        words = set(dtypes) if callable(where) else set(re.findall(r"\w+", where or ""))
        self.looked_at = [n for n in dtypes if n in self.names or n in words]

    def may_be_in(self, session: Session, file: _File) -> bool:
        """Whether FILE may have rows between start and end."""
        low, high = session._wall_span(file) if file.rows is not None else (-2**63, 2**63)
        for (start, end), first, last in ((self.mono, file.first_ns, file.last_ns), (self.wall, low, high)):
            if (start is not None and last < start) or (end is not None and first >= end):
                return False
        return True

    def in_time(self, session: Session, mono_ns: np.ndarray) -> np.ndarray | None:
        """Which rows are between start and end; None: all of them."""
        keep = None
        for bounds, values in ((self.mono, lambda: mono_ns), (self.wall, lambda: session._wall_ns(mono_ns))):
            for bound, test in zip(bounds, (np.greater_equal, np.less)):
                if bound is not None:
                    kept = test(values(), values().dtype.type(bound))
                    keep = kept if keep is None else keep & kept
        return keep


def _utc_ns(moment: str | pd.Timestamp) -> int:
    t = pd.Timestamp(moment)
    return int((t.tz_localize("UTC") if t.tzinfo is None else t.tz_convert("UTC")).value)


Block = dict


class _Column:
    """A column of the DataFrame that is being built, with space for CAPACITY rows. Only filled rows use memory."""

    def __init__(self, dtype: str, capacity: int) -> None:
        kind = {"category": "int8", "datetime64[ns, UTC]": "int64"}.get(dtype, dtype.lower())
        self.dtype, self.rows = dtype, 0
        self.values = np.empty(capacity, dtype=kind)
        self.missing = np.zeros(capacity if dtype in ("Int64", "UInt64") else 0, dtype=bool)

    def add(self, piece: _Piece) -> None:
        end = self.rows + len(piece.values)
        if end > len(self.values):
            self._grow(max(end, 2 * len(self.values)))
        if self.dtype == "category" and piece.values.dtype.itemsize > self.values.dtype.itemsize:
            self.values = self.values.astype(piece.values.dtype)
        self.values[self.rows:end] = piece.values
        if piece.missing is not None and len(self.missing):
            self.missing[self.rows:end] = piece.missing
        self.rows = end

    def _grow(self, capacity: int) -> None:
        for name in ("values", "missing"):
            old = getattr(self, name)
            if name == "values" or len(old):
                new = np.zeros(capacity, dtype=old.dtype)
                new[:self.rows] = old[:self.rows]
                setattr(self, name, new)

    def array(self, texts: Iterable[Any], escapes: str) -> Any:
        """Its content as a pandas array. TEXTS: the text of each code of a category."""
        values = self.values[:self.rows]
        if self.dtype == "category":
            categories = list(texts)
            if escapes != "keep":
                categories, new = _undone(categories, escapes)
                values = values if new is None else new[values]
            return pd.Categorical.from_codes(values, categories=pd.Index(categories, dtype=object))
        if self.dtype == "datetime64[ns, UTC]":
            return pd.DatetimeIndex(values.view("datetime64[ns]"), tz="UTC")
        if self.dtype in ("float64", "uint64"):
            return values
        return pd.arrays.IntegerArray(values, self.missing[:self.rows])


class _Table:
    """The rows of the DataFrame that is being built. DTYPES: its columns."""

    def __init__(self, dtypes: Mapping[str, str], capacity: int,
                 texts: dict[str, dict[Any, int]] | None = None) -> None:
        self.columns = {n: _Column(dtype, capacity) for n, dtype in dtypes.items()}
        self.texts: dict[str, dict[Any, int]] = {} if texts is None else texts
        self.rows = 0

    def coded(self, name: str, codes: np.ndarray, texts: Sequence[Any]) -> _Piece:
        """Translates the codes of a block into this table's codes. The code -1, an empty field, stays -1."""
        known = self.texts.setdefault(name, {})
        table = np.array([*(known.setdefault(t, len(known)) for t in texts), -1], dtype="int32")
        kind = "int8" if len(known) < 2**7 else "int16" if len(known) < 2**15 else "int32"
        return _Piece(table.astype(kind)[codes])

    def add(self, block: Mapping[str, _Piece], rows: int) -> None:
        for name, column in self.columns.items():
            column.add(block[name])
        self.rows += rows

    def frame(self, escapes: str = "keep", escaped: Iterable[str] = ()) -> pd.DataFrame:
        """The DataFrame. ESCAPES applies to the columns ESCAPED."""
        if not self.columns:
            return pd.DataFrame(index=pd.RangeIndex(self.rows))
        return pd.DataFrame({n: c.array(self.texts.get(n, ()), escapes if n in escaped else "keep")
                             for n, c in self.columns.items()}, copy=False)


def _columns(parsed: Block, layout: _Layout, names: Sequence[str], dtypes: Mapping[str, str],
             table: _Table) -> dict[str, _Piece]:
    """The columns NAMES of a parsed block, including computed ones and those that its session lacks."""
    session, mono_ns = layout.session, parsed["mono_ns"].values
    origin = {"machine": session.machine, "session": session.name, "boot": session.boot}
    made: dict[str, _Piece] = {}
    for name in names:
        if name == layout.wall:
            made[name] = _Piece(session._wall_ns(mono_ns))
        elif name in origin:
            made[name] = table.coded(name, np.full(len(mono_ns), 0 if origin[name] else -1), [origin[name] or ""])
        elif name == "device" and layout.device:
            made[name] = table.coded(name, *_devices(parsed["device_id"]))
        elif name not in parsed:
            made[name] = _nothing(dtypes[name], len(mono_ns))
        elif layout.types[name] == "timestamp":
            made[name] = _utc(parsed[name], session, mono_ns)
        elif isinstance(parsed[name], tuple):
            made[name] = table.coded(name, *parsed[name])
        else:
            made[name] = parsed[name]
    return made


def _nothing(dtype: str, rows: int) -> _Piece:
    """A column in which every field is empty."""
    if dtype == "category":
        return _Piece(np.full(rows, -1, dtype="int8"))
    if dtype == "float64":
        return _Piece(np.full(rows, np.nan))
    return _Piece(np.full(rows, _NAT if dtype.startswith("datetime") else 0), np.ones(rows, dtype=bool))


def _devices(ids: _Piece) -> tuple[np.ndarray, list[str]]:
    """dev_t (major << 20 | minor) as MAJOR:MINOR."""
    numbers, codes = np.unique(ids.values, return_inverse=True)
    if ids.missing is not None:
        codes = np.where(ids.missing, -1, codes)
    return codes, [f"{int(n) >> 20}:{int(n) & 0xfffff}" for n in numbers]


def _utc(local: _Piece, session: Session, mono_ns: np.ndarray) -> _Piece:
    """Local wall times, written with the UTC offset that held when the row was made."""
    values = local.values.copy()
    known = values != _NAT
    values[known] -= session._utc_offset[session._at(mono_ns)][known] * 1_000_000_000
    return _Piece(values)


def _kept(columns: dict[str, _Piece], rows: int, where: Where, dtypes: Mapping[str, str],
          table: _Table) -> np.ndarray:
    """The rows for which WHERE is true. Rows for which it is <NA> are dropped."""
    look = _Table({n: dtypes[n] for n in columns}, rows, table.texts)
    look.add(columns, rows)
    frame = look.frame()
    keep = where(frame) if callable(where) else frame.eval(where, engine="python")
    return pd.array(keep, dtype="boolean").fillna(False).to_numpy(dtype=bool)


class _Progress:
    """Shows how many of the rows have been read, in one line on stderr. Only on a terminal, or if requested."""

    def __init__(self, wanted: bool | None, total: int) -> None:
        self.shown = sys.stderr.isatty() if wanted is None else wanted
        self.total, self.done, self.next, self.written = total, 0, time.monotonic() + PROGRESS_SECONDS, False

    def add(self, rows: int) -> None:
        self.done += rows
        if self.shown and time.monotonic() >= self.next:
            self.next = time.monotonic() + PROGRESS_SECONDS
            of = f" of {self.total:,} ({100 * self.done // self.total} %)" if self.total else ""
            print(f"\r{self.done:,}{of} rows", end="", file=sys.stderr, flush=True)
            self.written = True

    def end(self) -> None:
        if self.written:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _parsed(layout: _Layout, stream: str, select: _Selection, check: bool, parser: ThreadPoolExecutor) -> Iterator[Block]:
    """The blocks of a stream, parsed by the thread of PARSER, in the order of its files."""
    needed = layout.needed(select.looked_at)
    waiting: deque[tuple[_File, Future[Block]]] = deque()
    rows: dict[_File, int] = {}

    def result() -> Block:
        file, future = waiting.popleft()
        try:
            block = future.result()
        except (ValueError, pd.errors.ParserError) as why:
            raise Unsound(f"{file.path}: {why}") from None
        rows[file] = rows.get(file, 0) + len(block["mono_ns"].values)
        return block

    try:
        for file in layout.session._files(stream):
            if not select.may_be_in(layout.session, file):
                continue
            for lines in _blocks(file, layout.header, check):
                if len(waiting) >= AHEAD:
                    yield result()
                waiting.append((file, parser.submit(layout.parse, lines, needed)))
                del lines
        while waiting:
            yield result()
        for file, n in rows.items() if check else ():
            if file.rows not in (None, n):
                raise Unsound(f"{file.path}: {n} rows, the manifest says {file.rows}")
    finally:
        for _, future in waiting:
            future.cancel()


def _checked(source: Source, stream: str, check: bool) -> list[_Layout]:
    layouts = [_Layout(session, stream) for session in _all_sessions(source)]
    for session in [layout.session for layout in layouts]:
        faults = session.faults() if check else []
        if faults:
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise Unsound(f"{faults[0]}{more}; check=False loads what can be read")
        if session.lost(stream):
            warnings.warn(f"{session.directory}: {session.lost(stream)} rows of {stream} were lost",
                          LostRows, stacklevel=4)
    return layouts


def _keep_memory() -> None:
    """Lets glibc keep the memory that a block frees. How much it keeps depends on the largest piece ever freed,
    and otherwise each block would fault in the same pages again: a fifth of the time of a load. The piece that is
    freed here is never touched. Other C libraries are not affected."""
    np.empty(KEPT_BYTES, dtype="uint8")


def chunks(source: Source, stream: str, columns: Sequence[str] | None = None, where: Where | None = None,
           start: Moment | None = None, end: Moment | None = None, *, rows: int | None = 1_000_000,
           escapes: str = "keep", check: bool = True, progress: bool | None = None) -> Iterator[pd.DataFrame]:
    """Like load(), but yields the rows in several DataFrames, for sessions that do not fit into memory. Each except
    the last has ROWS rows or a few more (None: one DataFrame has all rows), its own index and its own categories."""
    if escapes not in ("keep", "bytes", "str"):
        raise ValueError(f"escapes={escapes!r}: not keep, bytes or str")
    layouts = _checked(source, stream, check)
    dtypes = _common(layouts)
    select = _Selection(dtypes, columns, where, start, end)
    result = {n: dtypes[n] for n in select.names}
    escaped = {n for layout in layouts for n, type_ in layout.types.items() if type_ == "text"}
    total = sum(f.rows or 0 for x in layouts for f in x.session._files(stream) if select.may_be_in(x.session, f))
    # A row takes more than a byte: what a manifest says of rows alone reserves nothing.
    size = sum(f.bytes or 0 for x in layouts for f in x.session._files(stream))
    capacity = min(total, size, total if rows is None else rows)
    shown, table = _Progress(progress, total), _Table(result, capacity)
    _keep_memory()
    # One thread: more of them would take the interpreter from each other, and need memory of their own.
    with ThreadPoolExecutor(1) as parser:
        for layout in layouts:
            for parsed in _parsed(layout, stream, select, check, parser):
                shown.add(len(parsed["mono_ns"].values))
                table.add(*_selected(parsed, layout, select, dtypes, table))
                if rows is not None and table.rows >= rows:
                    yield table.frame(escapes, escaped)
                    table = _Table(result, capacity)
    shown.end()
    if table.rows or rows is None:
        yield table.frame(escapes, escaped)


def _selected(parsed: Block, layout: _Layout, select: _Selection, dtypes: Mapping[str, str],
              table: _Table) -> tuple[dict[str, _Piece], int]:
    """Returns the requested rows and columns of a block, and the number of these rows."""
    mono_ns = parsed["mono_ns"].values
    columns = _columns(parsed, layout, select.looked_at, dtypes, table)
    rows = len(mono_ns)
    keep = select.in_time(layout.session, mono_ns)
    if keep is not None:
        columns, rows = {n: p.take(keep) for n, p in columns.items()}, int(keep.sum())
    if select.where is not None:
        keep = _kept(columns, rows, select.where, dtypes, table)
        columns, rows = {n: p.take(keep) for n, p in columns.items()}, int(keep.sum())
    return {n: columns[n] for n in select.names}, rows


def load(source: Source, stream: str, columns: Sequence[str] | None = None, where: Where | None = None,
         start: Moment | None = None, end: Moment | None = None, *, escapes: str = "keep", check: bool = True,
         progress: bool | None = None) -> pd.DataFrame:
    r"""The rows of STREAM of one session, or of several, as one DataFrame with the dtypes listed above.

    source    a Session, the directory of one, a directory with sessions below it, or a list of those
    stream    fs, block, nw_conn, process, ...
    columns   names, in this order; None: all, followed by machine, session and boot
    where     selects rows: an expression over columns, as in DataFrame.query() ("operation == 'read' and
              size > 4096"), or a function that gets a DataFrame with all columns and returns a mask. Rows
              for which it has no answer (<NA>) are left out. It is applied block by block, to escaped
              text.
    start     the beginning (included) and
    end       the end (excluded) of the time span: a mono_ns (int), or a wall time (str or Timestamp; UTC
              if it has no zone)
    escapes   "keep": text as in the file, with \xHH and \\, so that an arrow between two paths can be
              distinguished from one inside a name (split_paths()). "bytes": bytes, exact. "str": text, in which
              bytes that are not UTF-8 are surrogates (errors="surrogateescape", as of os.fsdecode()).
    check     refuse sessions that `iotrc verify` refuses: see Session.faults(). Each loaded value must also
              fit its type. The wall times written in rows are not checked, because they are not loaded.
    progress  print progress to stderr; None: only if that is a terminal

    Units are those of the manifest, as in the names of columns: ns, bytes, and so on. Times of files
    (modification_time, ...) outside the years 1678 to 2261 are NaT: datetime64[ns] cannot hold them.

    From a session that is still running, or was killed, the rows so far are loaded, also from .part files.
    A column that only some of the sessions have is empty in the rows of the others. A stream without
    rows yields an empty DataFrame with the same dtypes.

    Memory: the result, and some 40 MB. A million rows of fs are about 150 MB.

    Raises Unsound (see check), KeyError for an unknown stream or column, ImportError if nothing can read
    .zst files. Warns with LostRows if rows of the stream were lost.
    """
    return next(chunks(source, stream, columns, where, start, end, rows=None, escapes=escapes, check=check,
                       progress=progress))


# ---- a lake, by Dask ----

# What a partition is made of, unless one file is larger.
PARTITION_BYTES = 64 << 20
Filter = "tuple[str, str, Any]"
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "in": lambda a, b: a.isin(list(b)) if isinstance(a, pd.Series) else a in b,
    "not in": lambda a, b: ~a.isin(list(b)) if isinstance(a, pd.Series) else a not in b,
}
_LAKE_FILE = re.compile(r"/date=(\d{4}-\d\d-\d\d)/machine=([A-Za-z0-9_-]+)/[^/]+\.parquet$")


def dask(lake: str | os.PathLike[str], stream: str, columns: Sequence[str] | None = None, *,
         filters: Sequence[Filter] = (), storage_options: Mapping[str, Any] | None = None) -> Any:
    """The rows of STREAM in a lake of `iotrc export --lake`, as a dask.dataframe with the dtypes of load().

    lake      a directory, or s3://BUCKET/PREFIX; anything that fsspec opens
    stream    fs, block, ...; or sessions: a row about each stream of each session
    columns   names, in this order; None: all, which opens each file to know them
    filters   conditions (column, operator, value), all of which a row must meet; the operators are
              == != < <= > >= in and not in. Conditions on `date` ("YYYY-MM-DD", UTC) and on `machine`
              select files: others are not opened. Conditions on other columns select rows, even if
              these are not among COLUMNS.
    storage_options  for fsspec

    A partition is a file, or several small ones. `date` is not a column; `timestamp` is. This needs dask and
    pyarrow, and s3fs for s3.

    Raises FileNotFoundError if no file is selected, KeyError for an unknown column or operator.
    """
    import fsspec
    from dask import dataframe

    fs, root = fsspec.core.url_to_fs(os.fspath(lake), **(storage_options or {}))
    files = _lake_files(fs, f"{root.rstrip('/')}/v=1/stream={stream}", filters)
    if not files:
        raise FileNotFoundError(f"{lake}: no file of {stream} that fulfils {list(filters)}")
    rows = [f for f in filters if f[0] != "date"]
    needed = None if columns is None else {*columns, *(f[0] for f in rows)}
    dtypes = _lake_dtypes(fs, [path for path, _ in files], needed)
    names = list(dtypes) if columns is None else list(columns)
    unknown = [n for n in [*names, *(f[0] for f in rows)] if n not in dtypes]
    if unknown:
        raise KeyError(f"{stream} has no column {unknown[0]!r}; there are {', '.join(dtypes)}")
    meta = pd.DataFrame({n: pd.Series([], dtype=dtypes[n]) for n in names})
    return dataframe.from_map(_lake_rows, _lake_parts(files), fs=fs, dtypes=dtypes, names=names, filters=rows, meta=meta)


def _opened(fs: Any, paths: Iterable[str]) -> Iterator[Any]:
    for path in sorted(paths):
        with fs.open(path, "rb") as f:
            yield f


def _below(fs: Any, directory: str) -> list[Mapping[str, Any]]:
    """The entries of DIRECTORY; none if it does not exist."""
    try:
        return sorted(fs.ls(directory, detail=True), key=lambda entry: entry["name"])
    except FileNotFoundError:
        return []


def _lake_files(fs: Any, top: str, filters: Sequence[Filter]) -> list[tuple[str, int]]:
    """Path and size of each file whose name matches FILTERS. Only directories of those days are listed."""
    for _, operator, _ in filters:
        if operator not in _COMPARE:
            raise KeyError(f"no operator {operator!r}; there are {' '.join(_COMPARE)}")

    def wanted(key: str, value: str) -> bool:
        return all(_COMPARE[operator](value, other) for name, operator, other in filters if name == key)

    # The lists come first: of a compaction that ends meanwhile, the replaced files are still there.
    fs.invalidate_cache()
    added, replaced = _lake_compactions(fs, top.rpartition("/")[0], wanted)
    files = []
    for day in _below(fs, top):
        # One list for a day: a store answers with a thousand files at a time.
        found = fs.find(day["name"], detail=True) if wanted("date", day["name"].rpartition("date=")[2]) else {}
        for path in sorted(found):
            name = _in_lake(path)
            parts = _LAKE_FILE.search(name)
            if not parts or (parts[2] != "all" and not wanted("machine", parts[2])):
                continue
            if name in added if parts[2] == "all" else name not in replaced:
                files.append((path, int(found[path]["size"])))
    return files


def _in_lake(path: str) -> str:
    return "v=1/" + path.rpartition("/v=1/")[2]


def _lake_compactions(fs: Any, top: str, wanted: Callable[[str, str], bool]) -> tuple[set[str], set[str]]:
    """The files that compactions of those days have added, and those that they have replaced."""
    import pyarrow.parquet

    added: set[str] = set()
    replaced: set[str] = set()
    for day in _below(fs, f"{top}/stream=compacted"):
        if not wanted("date", day["name"].rpartition("date=")[2]):
            continue
        with fs.open(f"{day['name']}/machine=all/files.parquet", "rb") as f:
            for row in pyarrow.parquet.ParquetFile(f).read().to_pylist():
                (added if row["added"] else replaced).add(row["file"])
    return added, replaced


def _lake_parts(files: Sequence[tuple[str, int]]) -> list[list[str]]:
    parts: list[list[str]] = []
    room = 0
    for path, size in files:
        if size > room:
            parts.append([])
            room = PARTITION_BYTES
        parts[-1].append(path)
        room -= size
    return parts


def _lake_name(name: str) -> str:
    """Translates a column's name in the lake's files, where keys of the path have other names."""
    return {"machine_id": "machine"}.get(name, name)


def _lake_dtype(field: Any) -> str:
    kind = str(field.type)
    if kind.startswith("timestamp"):
        return "datetime64[ns, UTC]"
    if field.name == "mono_ns":
        return "uint64"
    return {"uint64": "UInt64", "int64": "Int64", "int32": "Int32", "double": "float64",
            "bool": "boolean"}.get(kind, "category")


def _lake_dtypes(fs: Any, paths: Sequence[str], needed: set[str] | None) -> dict[str, str]:
    """The columns of files of several versions; once all NEEDED ones are known, no more files are opened."""
    import pyarrow.parquet

    def schema(path: str) -> Any:
        with fs.open(path, "rb") as f:
            return pyarrow.parquet.read_schema(f)

    order = list(dict.fromkeys([paths[0], paths[-1], *paths]))
    dtypes: dict[str, str] = {}
    with ThreadPoolExecutor(16) as pool:
        for at in (0, *range(2, len(order), 64)):
            for fields in pool.map(schema, order[at:at + 64] if at else order[:2]):
                dtypes.update({_lake_name(field.name): _lake_dtype(field) for field in fields})
            if needed is not None and needed <= dtypes.keys():
                break
    return dtypes


def _lake_rows(paths: Sequence[str], fs: Any, dtypes: Mapping[str, str], names: Sequence[str],
               filters: Sequence[Filter]) -> pd.DataFrame:
    """Loads one partition: the files PATHS."""
    import pyarrow.parquet

    needed = list(dict.fromkeys([*names, *(f[0] for f in filters)]))
    frames = []
    for file in _opened(fs, paths):
        parquet = pyarrow.parquet.ParquetFile(file)
        there = [n for n in parquet.schema_arrow.names if _lake_name(n) in needed]
        table = parquet.read(columns=there).rename_columns([_lake_name(n) for n in there])
        columns = {n: _lake_column(table, n, dtypes[n]) for n in needed}
        frame = pd.DataFrame(columns, index=range(table.num_rows))
        for name, operator, value in filters:
            frame = frame[pd.array(_COMPARE[operator](frame[name], value), dtype="boolean").fillna(False).astype(bool)]
        frames.append(frame[list(names)])
    texts = [n for n in names if dtypes[n] == "category"]
    for name in texts if len(frames) > 1 else []:
        together = pd.api.types.union_categoricals([f[name] for f in frames]).categories
        frames = [f.assign(**{name: f[name].cat.set_categories(together)}) for f in frames]
    return pd.concat(frames, ignore_index=True)


def _lake_column(table: Any, name: str, dtype: str) -> pd.Series:
    """A column as in load(); empty for a file that is older than the column."""
    import pyarrow as pa

    if name not in table.column_names:
        return pd.Series(pd.array([pd.NaT if dtype.startswith("datetime") else None] * table.num_rows, dtype=dtype))
    column = table.column(name)
    if dtype == "category":
        return pd.Series(column.cast(pa.string()).dictionary_encode().combine_chunks().to_pandas(), dtype="category")
    if dtype.startswith("datetime"):
        numbers = column.cast(pa.timestamp("ns"), safe=False).cast(pa.int64()).to_numpy(zero_copy_only=False)
        values = pd.array(np.where(np.isnan(numbers), _NAT, numbers).astype("int64") if column.null_count else numbers,
                          dtype="int64")
        return pd.Series(pd.to_datetime(values, utc=True))
    if dtype in ("uint64", "float64"):
        return pd.Series(column.to_numpy(zero_copy_only=False), dtype=dtype)
    masks = {"UInt64": pd.UInt64Dtype, "Int64": pd.Int64Dtype, "Int32": pd.Int32Dtype, "boolean": pd.BooleanDtype}
    return column.to_pandas(types_mapper=lambda _: masks[dtype]())


# ---- views for databases ----

class _Dialect:
    """How a database reads the files of a stream, and what it calls types and functions."""

    types: Mapping[str, str]

    def source(self, files: Sequence[pathlib.Path], columns: Mapping[str, str]) -> str:
        """The SQL after FROM."""
        raise NotImplementedError

    def column(self, name: str, type_: str, utc_offset: str) -> str:
        """The SQL expression of a column other than the first."""
        raise NotImplementedError

    first = "" # the first column, of mono_ns and {offset}
    device = "" # MAJOR:MINOR of device_id
    text = "" # the type of texts
    prelude = ""


class _DuckDB(_Dialect):
    types = {"timestamp": "TIMESTAMP", "uint64": "UBIGINT", "int64": "BIGINT", "float": "DOUBLE"}
    text = "VARCHAR"
    first = "make_timestamp_ns(mono_ns::BIGINT + {offset})"
    device = "(device_id >> 20) || ':' || (device_id & 1048575)"
    prelude = """\
-- The bytes that an escaped text stands for.
CREATE OR REPLACE MACRO iotrc_bytes(escaped) AS list_reduce(
    list_transform(regexp_extract_all(escaped, '\\\\\\\\|\\\\x[0-9a-f]{2}|[^\\\\]+'), lambda part:
        CASE WHEN part = '\\\\' THEN encode('\\') WHEN part[1] = '\\' THEN unhex(part[3:4]) ELSE encode(part) END),
    lambda a, b: a || b);
"""

    def source(self, files: Sequence[pathlib.Path], columns: Mapping[str, str]) -> str:
        names = ", ".join(_quoted(str(f)) for f in files)
        types = ", ".join(f"{_quoted(n)}: {_quoted(t)}" for n, t in columns.items())
        return (f"read_csv([{names}], columns={{{types}}}, auto_detect=false, header=true, delim=',', quote='\"', "
                "escape='\"', nullstr='', compression='zstd', max_line_size=4194304)")

    def column(self, name: str, type_: str, utc_offset: str) -> str:
        if type_ == "timestamp":
            return f'"{name}" - to_seconds({utc_offset})'
        return f'CAST("{name}" AS UBIGINT)' if type_ == "address" else f'"{name}"'


class _ClickHouse(_Dialect):
    types = {"timestamp": "Nullable(String)", "uint64": "Nullable(UInt64)", "int64": "Nullable(Int64)",
             "float": "Nullable(Float64)"}
    text = "Nullable(String)"
    first = "fromUnixTimestamp64Nano(toInt64(assumeNotNull(mono_ns)) + {offset}, 'UTC')"
    device = "concat(toString(intDiv(device_id, 1048576)), ':', toString(device_id % 1048576))"

    def source(self, files: Sequence[pathlib.Path], columns: Mapping[str, str]) -> str:
        # Braces choose among names; the names of trace files have none of what globs mean.
        names = f"{files[0].parent}/" + "{" + ",".join(f.name for f in files) + "}"
        types = ", ".join(f"`{n}` {t}" for n, t in columns.items())
        return f"file({_quoted(names)}, 'CSVWithNames', {_quoted(types)}, 'zstd')"

    def column(self, name: str, type_: str, utc_offset: str) -> str:
        if type_ == "timestamp":
            return f"toDateTime64OrNull(`{name}`, 6, 'UTC') - toIntervalSecond({utc_offset})"
        if type_ == "address":
            return f"reinterpretAsUInt64(reverse(unhex(substring(`{name}`, 3))))"
        return f"`{name}`"


_DIALECTS: Mapping[str, _Dialect] = {"duckdb": _DuckDB(), "clickhouse": _ClickHouse()}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _by_moment(session: Session, values: np.ndarray) -> str:
    """An SQL expression that selects from VALUES the one whose offset is in force at mono_ns."""
    if (values == values[0]).all():
        return str(int(values[0]))
    later = sorted(zip(session._from[1:], values[1:]), reverse=True)
    cases = " ".join(f"WHEN mono_ns >= {int(start)} THEN {int(value)}" for start, value in later)
    return f"CASE {cases} ELSE {int(values[0])} END"


def _select(layout: _Layout, stream: str, names: Iterable[str], dialect: _Dialect) -> str:
    session = layout.session
    types = {n: dialect.types.get(t, dialect.text) for n, t in layout.types.items()}
    types[layout.wall] = dialect.text
    offset, utc_offset = _by_moment(session, session._offset), _by_moment(session, session._utc_offset)
    origin = {"machine": session.machine, "session": session.name, "boot": session.boot}
    made = []
    for name in names:
        if name == layout.wall:
            expression = dialect.first.format(offset=offset)
        elif name in origin:
            expression = "NULL" if origin[name] is None else _quoted(origin[name] or "")
        elif name == "device" and layout.device:
            expression = dialect.device
        else:
            expression = dialect.column(name, layout.types[name], utc_offset) if name in layout.types else "NULL"
        made.append(f"{expression} AS {name}")
    files = [f.path.absolute() for f in session._files(stream) if f.rows is not None]
    if not files:
        nothing = ", ".join(f"CAST(NULL AS {types.get(n, dialect.text)}) AS {n}" for n in layout.in_file)
        return f"SELECT {', '.join(made)} FROM (SELECT {nothing}) AS nothing WHERE false"
    return f"SELECT {', '.join(made)}\nFROM {dialect.source(files, types)}"


def sql(source: Source, dialect: str = "duckdb") -> str:
    r"""Returns SQL for views of all streams, with the same names, types and values as load().

    source   as for load()
    dialect  "duckdb", or "clickhouse" (clickhouse-local and chdb)

    The first column is a timestamp in UTC with nanoseconds, and an address is a number. Inode numbers, the
    only ones beyond 2**63, are unsigned. Text is escaped; in DuckDB the macro iotrc_bytes(column) undoes
    that. The views list the files that are finished now, by absolute paths. Nothing is checked: use
    `iotrc verify` for that.

    Raises Unsound if there is no session, KeyError for an unknown dialect.
    """
    found, target = _all_sessions(source), _DIALECTS[dialect]
    views = [target.prelude] if target.prelude else []
    for stream in dict.fromkeys(s for session in found for s in session.streams):
        layouts = [_Layout(session, stream) for session in found if stream in session.streams]
        names = list(_common(layouts))
        selects = "\nUNION ALL\n".join(_select(x, stream, names, target) for x in layouts)
        views.append(f"CREATE OR REPLACE VIEW {stream} AS\n{selects};\n")
    return "\n".join(views)


def _main(arguments: Sequence[str]) -> int:
    if len(arguments) not in (1, 2) or arguments[0].startswith("-") or arguments[-1] not in (*_DIALECTS, arguments[0]):
        print("Usage: python3 -m iotrc DIR [duckdb|clickhouse]\n\nPrints views, as SQL, of all sessions in DIR "
              "and below.", file=sys.stderr)
        return 2
    try:
        print(sql(*arguments), end="")
    except Unsound as why:
        print(f"iotrc: {why}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
