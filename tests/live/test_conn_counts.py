# SPDX-License-Identifier: GPL-2.0-or-later
"""Ten thousand connections in a network namespace of their own: there are as many rows as the kernel counts."""
import json
import subprocess
import sys

import recorder

# A tenth under emulation.
CONNECTIONS = 1_000 if recorder.EMULATED else 10_000
REFUSED = 97

PROGRAM = """
import json, socket, subprocess, sys, time
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
time.sleep(0.1)
n, refused = int(sys.argv[1]), int(sys.argv[2])
for family, host in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
    listener = socket.create_server((host, 0), family=family, backlog=64)
    to = listener.getsockname()[:2]
    for _ in range(n // 2):
        client = socket.socket(family, socket.SOCK_STREAM)
        client.connect(to)
        server, _ = listener.accept()
        server.close()
        client.close()
    listener.close()
    for _ in range(refused):
        client = socket.socket(family, socket.SOCK_STREAM)
        client.connect_ex(to)
        client.close()
fields = [line.split()[1:] for line in open("/proc/net/snmp") if line.startswith("Tcp:")]
print(json.dumps(dict(zip(*fields))))
"""


def test_ten_thousand_connections(tmp_path):
    with recorder.Recording(tmp_path, "--streams", "nw_conn") as r:
        process = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", PROGRAM, str(CONNECTIONS), str(REFUSED)],
            stdout=subprocess.PIPE, text=True,
        )
        said, _ = process.communicate(timeout=200)
        assert process.returncode == 0
    tcp = {name: int(value) for name, value in json.loads(said).items()}
    rows = r.rows("nw_conn")
    rows = rows[rows["pid"] == str(process.pid)]
    connects = rows[rows["event_type"] == "CONNECT"]
    accepts = rows[rows["event_type"] == "ACCEPT"]
    # A refused connect has sent its SYN: it is an active open that failed.
    assert len(connects) == tcp["ActiveOpens"] == CONNECTIONS + 2 * REFUSED
    assert len(connects[connects["return_value"] == "-111"]) == tcp["AttemptFails"] == 2 * REFUSED
    assert len(accepts) == tcp["PassiveOpens"] == CONNECTIONS
    assert (connects["ipver"] == "4").sum() == (connects["ipver"] == "6").sum()
    assert r.session.lost() == {}
