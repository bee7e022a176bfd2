# SPDX-License-Identifier: GPL-2.0-or-later
"""A real S3 store on this machine: Ceph with one monitor, one OSD in memory and radosgw, as packaged by Debian. It
listens on loopback only, needs no authentication between its parts, and is removed with its directory."""
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request
import uuid

KEY, SECRET = "IOTRCTESTKEY", "correct-secret/0123456789+abc"

CONF = """
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{mon},v1:127.0.0.1:{mon1}]
mon_initial_members = a
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
run_dir = {dir}
admin_socket = {dir}/$name.asok
log_file = {dir}/$name.log
crash_dir = {dir}
keyring = {dir}/keyring
pid_file =
ms_mon_client_mode = crc
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_crit = 1
mon_data_avail_warn = 2
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
[mon]
mon_data = {dir}/mon
[osd]
osd_data = {dir}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_class_load_list = *
osd_class_default_list = *
[client]
rgw_frontends = beast endpoint=127.0.0.1:{port}
rgw_data = {dir}/rgw
rgw_dns_name = localhost
rgw_thread_pool_size = 32
rgw_enable_gc_threads = false
# Quotas are looked up when they are needed, not from a cache.
rgw_bucket_quota_ttl = 0
rgw_cache_enabled = false
"""


def free_ports(n):
    """Free ports: the kernel chose them, and they are released together."""
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Ceph:
    """with Ceph(DIRECTORY) as server: …; the directory is made."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir()
        self.processes = {}
        self.port, self.sts_port, mon, mon1 = free_ports(4)
        self.conf = self.dir / "ceph.conf"
        for d in "mon", "osd", "rgw":
            (self.dir / d).mkdir()
        (self.dir / "keyring").touch()
        self.fsid, self.mons = str(uuid.uuid4()), f"[v2:127.0.0.1:{mon},v1:127.0.0.1:{mon1}]"
        self.conf.write_text(CONF.format(fsid=self.fsid, mon=mon, mon1=mon1, port=self.port,
                                         dir=self.dir))

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def run(self, *command):
        p = subprocess.run([*command, "-c", self.conf], text=True, capture_output=True, timeout=60,
                           check=False)
        assert p.returncode == 0, f"{command}: {p.stderr}"
        return p.stdout

    def start_one(self, name, *command):
        with open(self.dir / f"{name}.out", "ab") as out:
            self.processes[name] = subprocess.Popen([*command, "-c", self.conf, "-f"], stdout=out,
                                                    stderr=out, start_new_session=True)

    def start_rgw(self, name="rgw", port=None, *options):
        self.start_one(name, "radosgw", "-n", "client.admin", "--no-mon-config", *options)
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}", timeout=5).close()
                return
            except OSError:
                assert self.processes[name].poll() is None and time.monotonic() < end, \
                    (self.dir / f"{name}.out").read_text()
                time.sleep(0.05)

    def start_sts(self):
        """Starts a second gateway to the same store that supports temporary credentials; with them it distinguishes
        wrong keys less precisely. Returns its endpoint."""
        self.start_rgw("sts", self.sts_port, f"--rgw_frontends=beast endpoint=127.0.0.1:{self.sts_port}",
                       "--rgw_s3_auth_use_sts=true", "--rgw_sts_key=0123456789abcdef")
        return f"http://127.0.0.1:{self.sts_port}"

    def start(self):
        self.run("monmaptool", "--create", "--addv", "a", self.mons, "--fsid", self.fsid,
                 str(self.dir / "monmap"))
        self.run("ceph-mon", "-i", "a", "--mkfs", "--monmap", str(self.dir / "monmap"),
                 "--keyring", str(self.dir / "keyring"))
        self.start_one("mon", "ceph-mon", "-i", "a")
        osd = str(uuid.uuid4())
        self.run("ceph", "osd", "new", osd)
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self.start_one("osd", "ceph-osd", "-i", "0")
        self.start_rgw()
        self.user("iotrc", KEY, SECRET)
        return self

    def stop(self):
        for p in self.processes.values():
            p.send_signal(signal.SIGCONT)
            p.kill()
        for p in self.processes.values():
            p.wait()

    def kill_rgw(self):
        self.processes["rgw"].kill()
        self.processes["rgw"].wait()

    def freeze(self):
        """From now on the store accepts connections and requests, but does not answer."""
        self.processes["osd"].send_signal(signal.SIGSTOP)

    def thaw(self):
        self.processes["osd"].send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def in_the_background(self):
        """Gives it a low priority, so that it does not slow down the tests."""
        tasks = [int(t.name) for p in self.processes.values() for t in pathlib.Path(f"/proc/{p.pid}/task").iterdir()]
        self.schedule(tasks, os.SCHED_IDLE)
        yield
        self.schedule(tasks, os.SCHED_OTHER)

    @staticmethod
    def schedule(tasks, policy):
        for tid in tasks:
            with contextlib.suppress(ProcessLookupError): # it has ended
                os.sched_setscheduler(tid, policy, os.sched_param(0))

    def admin(self, *args):
        return self.run("radosgw-admin", "-n", "client.admin", "--no-mon-config", *args)

    def user(self, uid, key, secret, *options):
        self.admin("user", "create", f"--uid={uid}", "--display-name=x", f"--access-key={key}",
                   f"--secret-key={secret}", *options)


class S3cmd:
    """The other client: s3cmd, which shares no code with iotrc or libcurl."""

    def __init__(self, ceph, directory, key=KEY, secret=SECRET):
        self.conf = pathlib.Path(directory) / f"s3cfg-{uuid.uuid4()}"
        self.conf.write_text(f"[default]\naccess_key = {key}\nsecret_key = {secret}\n"
                             f"host_base = 127.0.0.1:{ceph.port}\n"
                             f"host_bucket = 127.0.0.1:{ceph.port}\nuse_https = False\n")
        self.conf.chmod(0o600)

    def __call__(self, *args):
        p = subprocess.run(["s3cmd", "-c", self.conf, *args], text=True, capture_output=True,
                           timeout=120, check=False)
        assert p.returncode == 0, f"s3cmd {args}: {p.stderr}"
        return p.stdout

    def make_bucket(self):
        """The name of a new bucket."""
        name = f"b{uuid.uuid4()}"
        self("mb", f"s3://{name}")
        return name

    def list(self, bucket, prefix=""):
        """{key: size} of all objects."""
        sizes = {}
        for line in self("ls", "-r", f"s3://{bucket}/{prefix}").splitlines():
            _, _, size, url = line.split(maxsplit=3)
            sizes[url.removeprefix(f"s3://{bucket}/")] = int(size)
        return sizes

    def read(self, bucket, key, directory):
        path = pathlib.Path(directory) / f"got-{uuid.uuid4()}"
        self("get", "--force", f"s3://{bucket}/{key}", str(path))
        data = path.read_bytes()
        path.unlink()
        return data

    def uploads(self, bucket):
        """Multipart uploads in progress, as (key, id)."""
        found = []
        for line in self("multipart", f"s3://{bucket}").splitlines()[2:]:
            _, path, upload_id = line.split("\t")
            found.append((path.removeprefix(f"s3://{bucket}/"), upload_id))
        return found
