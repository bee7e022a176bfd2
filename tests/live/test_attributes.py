# SPDX-License-Identifier: GPL-2.0-or-later
"""File attributes set by ioctl, as chattr does, are setattr rows. The kernel says what was set."""
import array
import contextlib
import ctypes
import fcntl
import os

import recorder

FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80086601, 0x40086602
FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR = 0x801C581F, 0x401C5820
FS_NODUMP_FL, FS_NOATIME_FL = 0x40, 0x80
FS_DAX_FL, FS_PROJINHERIT_FL, FS_CASEFOLD_FL = 0x2000000, 0x20000000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def test_attributes_set_by_ioctl(tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    with recorder.Recording(tmp_path, "--streams", "fs", "--ops", "setattr") as r:
        fd = os.open(path, os.O_RDONLY)
        flags = array.array("l", [0])
        fcntl.ioctl(fd, FS_IOC_GETFLAGS, flags)
        flags[0] |= FS_NODUMP_FL | FS_NOATIME_FL
        fcntl.ioctl(fd, FS_IOC_SETFLAGS, flags)
        xattr = bytearray(28)
        with contextlib.suppress(OSError):
            fcntl.ioctl(fd, FS_IOC_FSGETXATTR, xattr)
        done = libc.ioctl(fd, FS_IOC_FSSETXATTR, (ctypes.c_char * 28).from_buffer(xattr))
        error = ctypes.get_errno() if done else 0
        again = array.array("l", [0])
        fcntl.ioctl(fd, FS_IOC_GETFLAGS, again)
        assert again[0] & FS_NODUMP_FL
        assert libc.ioctl(-1, FS_IOC_SETFLAGS, None) == -1
        high = array.array("l", [FS_DAX_FL | FS_PROJINHERIT_FL | FS_CASEFOLD_FL | 0x80000000])
        libc.ioctl(fd, FS_IOC_SETFLAGS, ctypes.c_void_p(high.buffer_info()[0])) # no filesystem has all of them
        os.close(fd)
    rows = r.rows("fs")
    rows = rows[rows["pid"] == str(os.getpid())]
    first, second, third, fourth = rows.to_dict("records")
    assert first["filename"] == second["filename"] == str(path)
    words = first["flags"].split("|")
    assert words[0] == "SETFLAGS" and {"FS_NODUMP_FL", "FS_NOATIME_FL"} <= set(words)
    assert first["inode"] == str(os.stat(path).st_ino) and first["return_value"] == "0"
    assert second["flags"] == "FSSETXATTR" and second["return_value"] == str(-error)
    assert (third["filename"], third["errno"]) == ("", "EBADF")
    assert fourth["flags"] == "SETFLAGS|FS_DAX_FL|FS_PROJINHERIT_FL|FS_CASEFOLD_FL|0x80000000"


FILE_GETATTR, FILE_SETATTR = 468, 469 # on all architectures


def test_attributes_got_and_set_by_path(tmp_path):
    """file_getattr() and file_setattr() (6.17). A kernel without them returns an error, which is in the rows."""
    path = tmp_path / "file"
    path.write_text("x")
    attributes = (ctypes.c_char * 24)() # struct file_attr

    def call(number):
        done = libc.syscall(number, -100, str(path).encode(), attributes, ctypes.c_size_t(24), 0)
        return str(-ctypes.get_errno() if done else 0)

    with recorder.Recording(tmp_path, "--streams", "fs", "--ops", "getattr,setattr", *recorder.OWN) as r:
        got = call(FILE_GETATTR)
        done = call(FILE_SETATTR)
    rows = r.rows("fs")
    rows = rows[rows["filename"] == str(path)][["operation", "flags", "return_value"]].values.tolist()
    assert rows == [["getattr", "", got], ["setattr", "FILE_SETATTR", done]]
    assert got == done == "0" or got == done == "-38" or recorder.RELEASE >= (6, 17)
