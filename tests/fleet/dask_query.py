# SPDX-License-Identifier: GPL-2.0-or-later
"""In a Debian that has dask, distributed and pyarrow: prints as JSON what a lake holds. WHAT: totals, dtypes, day."""
import json
import sys

sys.path.insert(0, "/top/python")
import iotrc # noqa: E402


def main(what, lake):
    iotrc.PARTITION_BYTES = 1 # each file is a partition
    if what == "totals":
        sessions = iotrc.dask(lake, "sessions", ["stream_name", "rows", "lost"]).compute()
        stated = sessions.groupby("stream_name", observed=True)[["rows", "lost"]].sum()
        found = {stream: len(iotrc.dask(lake, stream, ["mono_ns"])) for stream in stated.index[stated["rows"] > 0]}
        print(json.dumps({s: [n, int(stated.loc[s, "rows"]), int(stated.loc[s, "lost"])] for s, n in found.items()}))
    elif what == "dtypes":
        fs = iotrc.dask(lake, "fs")
        part = fs.compute()
        print(json.dumps([{n: str(t) for n, t in x.dtypes.items()} for x in (fs._meta, part)]))
    else:
        day = iotrc.dask(lake, "fs", ["operation", "mono_ns"], filters=[("date", "==", "2026-11-03"), ("operation", "==", "read")])
        print(json.dumps(len(day)))


if __name__ == "__main__":
    main(*sys.argv[1:])
