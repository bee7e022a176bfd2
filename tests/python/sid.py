# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs commands in a Debian sid, which has packages that this machine's release lacks: pandas 2, pyarrow, Dask."""
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
PANDAS_2 = "python3-pandas", "python3-pytest", "python3-zstandard", "zstd", "+python3-pyarrow"
# Mounts an overlay of this test's own over a Debian, and runs a command in it; everything is removed, and all its processes end, afterwards.
INSIDE = """
set -e
root=$1 top=$2 shared=$3
shift 3
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay none -o lowerdir="$root",upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mkdir -p /mnt/root/top /mnt/root/shared
mount --bind "$top" /mnt/root/top
mount --bind "$shared" /mnt/root/shared
mount -t proc none /mnt/root/proc
# Its ca-certificates is not configured, and s3fs reads them even for http://.
mkdir -p /mnt/root/etc/ssl/certs
cp /etc/ssl/certs/ca-certificates.crt /mnt/root/etc/ssl/certs/
chroot /mnt/root "$@"
"""


def in_sid(shared, *command, packages=(), timeout=3600):
    """The finished COMMAND in a Debian sid with pandas 2 and PACKAGES; SHARED is its /shared, the checkout its /top."""
    root = subprocess.run([TOP / "scripts/vm/fetch-debian.sh", "sid", *PANDAS_2, *packages], stdout=subprocess.PIPE,
                          text=True, check=True).stdout.strip()
    return subprocess.run(["unshare", "-mpf", "--kill-child", "sh", "-c", INSIDE, "sh", root, TOP, shared, *command],
                          capture_output=True, text=True, check=False, timeout=timeout)
