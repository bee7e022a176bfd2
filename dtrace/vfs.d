/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfs.d PID: file operations of all processes except PID (which reads the output) and its
 * descendants, one record per line. README.md describes the lines; src/engine/macos/calls.def has
 * the same names.
 *
 * Calls that only macOS has are listed beside those of Linux: run it with -Z. Each call has a clause
 * of its own, rather than a name in a variable, because a string takes strsize bytes in each record.
 *
 * Paths are read when the call returns: by then the kernel has brought them into memory, which DTrace
 * can't do itself. 14 is EFAULT: nothing can be read there.
 */
#pragma D option quiet
#pragma D option strsize=1025
#pragma D option bufsize=16m
#pragma D option dynvarsize=32m
#pragma D option switchrate=10hz
#pragma D option cleanrate=50hz

BEGIN
{
	printf("begin %d 0 0 %d 0 0 0\n", cpu, timestamp);
}

/* On each CPU: records made before this line are written before it. */
profile-5hz
{
	printf("beat %d 0 0 %d 0 0 0\n", cpu, timestamp);
}

/* ---- the beginning of calls ---- */

syscall::read:entry, syscall::read_nocancel:entry, syscall::readv:entry,
syscall::readv_nocancel:entry, syscall::pread:entry, syscall::pread_nocancel:entry,
syscall::pread64:entry, syscall::preadv:entry, syscall::preadv_nocancel:entry,
syscall::preadv2:entry, syscall::write:entry, syscall::write_nocancel:entry, syscall::writev:entry,
syscall::writev_nocancel:entry, syscall::pwrite:entry, syscall::pwrite_nocancel:entry,
syscall::pwrite64:entry, syscall::pwritev:entry, syscall::pwritev_nocancel:entry,
syscall::pwritev2:entry, syscall::guarded_write_np:entry, syscall::guarded_writev_np:entry,
syscall::close:entry, syscall::close_nocancel:entry, syscall::guarded_close_np:entry,
syscall::fsync:entry, syscall::fsync_nocancel:entry, syscall::fdatasync:entry, syscall::sync:entry,
syscall::syncfs:entry, syscall::fcntl:entry, syscall::fcntl_nocancel:entry, syscall::dup:entry,
syscall::dup2:entry, syscall::dup3:entry, syscall::ftruncate:entry, syscall::fallocate:entry,
syscall::fstat:entry, syscall::fstat64:entry, syscall::newfstat:entry,
syscall::fstat_extended:entry, syscall::fstat64_extended:entry, syscall::getdirentries:entry,
syscall::getdirentries64:entry, syscall::getdents:entry, syscall::getdents64:entry,
syscall::getattrlistbulk:entry, syscall::fgetattrlist:entry, syscall::fsetattrlist:entry,
syscall::fchmod:entry, syscall::fchmod_extended:entry, syscall::fchown:entry,
syscall::futimes:entry, syscall::fchflags:entry, syscall::fgetxattr:entry, syscall::fsetxattr:entry,
syscall::flistxattr:entry, syscall::fremovexattr:entry, syscall::flock:entry, syscall::fchdir:entry,
syscall::__pthread_fchdir:entry,
syscall::munmap:entry, syscall::msync:entry, syscall::msync_nocancel:entry, syscall::open:entry,
syscall::open_nocancel:entry, syscall::open_extended:entry, syscall::open_dprotected_np:entry,
syscall::creat:entry, syscall::guarded_open_np:entry, syscall::guarded_open_dprotected_np:entry,
syscall::stat:entry, syscall::stat64:entry, syscall::stat_extended:entry,
syscall::stat64_extended:entry, syscall::newstat:entry, syscall::lstat:entry,
syscall::lstat64:entry, syscall::lstat_extended:entry, syscall::lstat64_extended:entry,
syscall::newlstat:entry, syscall::getattrlist:entry, syscall::setattrlist:entry,
syscall::access:entry, syscall::access_extended:entry, syscall::readlink:entry,
syscall::truncate:entry, syscall::unlink:entry, syscall::rmdir:entry, syscall::mkdir:entry,
syscall::mkdir_extended:entry, syscall::mknod:entry, syscall::mkfifo:entry,
syscall::mkfifo_extended:entry, syscall::chdir:entry, syscall::__pthread_chdir:entry,
syscall::chroot:entry, syscall::chmod:entry,
syscall::chmod_extended:entry, syscall::chown:entry, syscall::lchown:entry, syscall::utimes:entry,
syscall::chflags:entry, syscall::getxattr:entry, syscall::lgetxattr:entry, syscall::setxattr:entry,
syscall::lsetxattr:entry, syscall::listxattr:entry, syscall::llistxattr:entry,
syscall::removexattr:entry, syscall::lremovexattr:entry, syscall::openat:entry,
syscall::openat_nocancel:entry, syscall::openat_dprotected_np:entry, syscall::openat2:entry,
syscall::fstatat:entry, syscall::fstatat64:entry, syscall::newfstatat:entry, syscall::statx:entry,
syscall::getattrlistat:entry, syscall::setattrlistat:entry, syscall::faccessat:entry,
syscall::faccessat2:entry, syscall::readlinkat:entry, syscall::unlinkat:entry,
syscall::mkdirat:entry, syscall::mknodat:entry, syscall::mkfifoat:entry, syscall::fchmodat:entry,
syscall::fchmodat2:entry, syscall::fchownat:entry, syscall::utimensat:entry, syscall::rename:entry,
syscall::link:entry, syscall::symlink:entry, syscall::exchangedata:entry, syscall::copyfile:entry,
syscall::symlinkat:entry, syscall::fclonefileat:entry, syscall::fork:entry, syscall::vfork:entry,
syscall::clone:entry, syscall::clone3:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	self->ts = timestamp;
	self->a = arg0;
	self->b = arg1;
	self->c = arg2;
	self->d = arg3;
}

syscall::mmap:entry, syscall::guarded_pwrite_np:entry, syscall::sendfile64:entry,
syscall::copy_file_range:entry, syscall::renameat:entry, syscall::renameat2:entry,
syscall::renameatx_np:entry, syscall::linkat:entry, syscall::clonefileat:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	self->ts = timestamp;
	self->a = arg0;
	self->b = arg1;
	self->c = arg2;
	self->d = arg3;
	self->e = arg4;
	self->f = arg5;
}

/* Only on macOS: the number of bytes sent is in memory. */
syscall::sendfile:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	self->ts = timestamp;
	self->a = arg0;
	self->b = arg1;
	self->c = arg2;
	self->d = arg3;
	self->e = arg4;
	self->f = arg5;
}

/* The path of the program is no longer in memory when the call returns. */
syscall::execve:entry, syscall::__mac_execve:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	began[pid] = timestamp;
	program[pid] = copyinstr(arg0);
}

syscall::execveat:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	began[pid] = timestamp;
	program[pid] = copyinstr(arg1);
}

syscall::posix_spawn:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	self->ts = timestamp;
	self->exec = copyinstr(arg1);
}

/* What the call does to the child's descriptors and directory is not seen: there are actions on its
 * files, or 0x4000 (POSIX_SPAWN_CLOEXEC_DEFAULT) closes them. (xnu, bsd/sys/spawn_internal.h) */
syscall::posix_spawn:entry
/self->ts && arg2/
{
	this->desc = (uint64_t *)copyin(arg2, 24);
	this->attr = this->desc[1];
	self->changed = this->desc[2] != 0;
}

syscall::posix_spawn:entry
/self->ts && arg2 && this->attr/
{
	self->changed |= (*(uint16_t *)copyin(this->attr, 2) & 0x4000) != 0;
}

syscall::exit:entry, syscall::exit_group:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	self->status = arg0;
}

/* ---- names, before the first record of a process ---- */

syscall::read:return, syscall::read_nocancel:return, syscall::readv:return,
syscall::readv_nocancel:return, syscall::pread:return, syscall::pread_nocancel:return,
syscall::pread64:return, syscall::preadv:return, syscall::preadv_nocancel:return,
syscall::preadv2:return, syscall::write:return, syscall::write_nocancel:return,
syscall::writev:return, syscall::writev_nocancel:return, syscall::pwrite:return,
syscall::pwrite_nocancel:return, syscall::pwrite64:return, syscall::pwritev:return,
syscall::pwritev_nocancel:return, syscall::pwritev2:return, syscall::guarded_write_np:return,
syscall::guarded_writev_np:return, syscall::guarded_pwrite_np:return, syscall::close:return,
syscall::close_nocancel:return, syscall::guarded_close_np:return, syscall::fsync:return,
syscall::fsync_nocancel:return, syscall::fdatasync:return, syscall::sync:return,
syscall::syncfs:return, syscall::fcntl:return, syscall::fcntl_nocancel:return, syscall::dup:return,
syscall::dup2:return, syscall::dup3:return, syscall::ftruncate:return, syscall::fallocate:return,
syscall::fstat:return, syscall::fstat64:return, syscall::newfstat:return,
syscall::fstat_extended:return, syscall::fstat64_extended:return, syscall::getdirentries:return,
syscall::getdirentries64:return, syscall::getdents:return, syscall::getdents64:return,
syscall::getattrlistbulk:return, syscall::fgetattrlist:return, syscall::fsetattrlist:return,
syscall::fchmod:return, syscall::fchmod_extended:return, syscall::fchown:return,
syscall::futimes:return, syscall::fchflags:return, syscall::fgetxattr:return,
syscall::fsetxattr:return, syscall::flistxattr:return, syscall::fremovexattr:return,
syscall::flock:return, syscall::fchdir:return, syscall::__pthread_fchdir:return,
syscall::munmap:return, syscall::msync:return,
syscall::msync_nocancel:return, syscall::mmap:return, syscall::sendfile64:return,
syscall::copy_file_range:return, syscall::open:return, syscall::open_nocancel:return,
syscall::open_extended:return, syscall::open_dprotected_np:return, syscall::creat:return,
syscall::guarded_open_np:return, syscall::guarded_open_dprotected_np:return, syscall::stat:return,
syscall::stat64:return, syscall::stat_extended:return, syscall::stat64_extended:return,
syscall::newstat:return, syscall::lstat:return, syscall::lstat64:return,
syscall::lstat_extended:return, syscall::lstat64_extended:return, syscall::newlstat:return,
syscall::getattrlist:return, syscall::setattrlist:return, syscall::access:return,
syscall::access_extended:return, syscall::readlink:return, syscall::truncate:return,
syscall::unlink:return, syscall::rmdir:return, syscall::mkdir:return,
syscall::mkdir_extended:return, syscall::mknod:return, syscall::mkfifo:return,
syscall::mkfifo_extended:return, syscall::chdir:return, syscall::__pthread_chdir:return,
syscall::chroot:return,
syscall::chmod:return, syscall::chmod_extended:return, syscall::chown:return,
syscall::lchown:return, syscall::utimes:return, syscall::chflags:return, syscall::getxattr:return,
syscall::lgetxattr:return, syscall::setxattr:return, syscall::lsetxattr:return,
syscall::listxattr:return, syscall::llistxattr:return, syscall::removexattr:return,
syscall::lremovexattr:return, syscall::openat:return, syscall::openat_nocancel:return,
syscall::openat_dprotected_np:return, syscall::openat2:return, syscall::fstatat:return,
syscall::fstatat64:return, syscall::newfstatat:return, syscall::statx:return,
syscall::getattrlistat:return, syscall::setattrlistat:return, syscall::faccessat:return,
syscall::faccessat2:return, syscall::readlinkat:return, syscall::unlinkat:return,
syscall::mkdirat:return, syscall::mknodat:return, syscall::mkfifoat:return,
syscall::fchmodat:return, syscall::fchmodat2:return, syscall::fchownat:return,
syscall::utimensat:return, syscall::rename:return, syscall::link:return, syscall::symlink:return,
syscall::exchangedata:return, syscall::copyfile:return, syscall::renameat:return,
syscall::renameat2:return, syscall::renameatx_np:return, syscall::linkat:return,
syscall::clonefileat:return, syscall::symlinkat:return, syscall::fclonefileat:return,
syscall::sendfile:return, syscall::posix_spawn:return, syscall::fork:return, syscall::vfork:return,
syscall::clone:return, syscall::clone3:return
/self->ts && !named[pid]/
{
	named[pid] = 1;
	printf("task %d %d %d %d 0 %d 0 %d:%S\n", cpu, pid, tid, timestamp, ppid, strlen(execname), execname);
}

/* ---- the end of calls ---- */

syscall::read:return, syscall::read_nocancel:return
/self->ts/
{
	printf("read %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::readv:return, syscall::readv_nocancel:return
/self->ts/
{
	printf("readv %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::pread:return, syscall::pread_nocancel:return, syscall::pread64:return
/self->ts/
{
	printf("pread %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::preadv:return, syscall::preadv_nocancel:return, syscall::preadv2:return
/self->ts/
{
	printf("preadv %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::write:return, syscall::write_nocancel:return
/self->ts/
{
	printf("write %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::writev:return, syscall::writev_nocancel:return
/self->ts/
{
	printf("writev %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::pwrite:return, syscall::pwrite_nocancel:return, syscall::pwrite64:return
/self->ts/
{
	printf("pwrite %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::pwritev:return, syscall::pwritev_nocancel:return, syscall::pwritev2:return
/self->ts/
{
	printf("pwritev %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::guarded_write_np:return
/self->ts/
{
	printf("guarded_write %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::guarded_writev_np:return
/self->ts/
{
	printf("guarded_writev %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::guarded_pwrite_np:return
/self->ts/
{
	printf("guarded_pwrite %d %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d, self->e);
}

syscall::close:return, syscall::close_nocancel:return, syscall::guarded_close_np:return
/self->ts/
{
	printf("close %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fsync:return, syscall::fsync_nocancel:return
/self->ts/
{
	printf("fsync %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fdatasync:return
/self->ts/
{
	printf("fdatasync %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::sync:return
/self->ts/
{
	printf("sync %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::syncfs:return
/self->ts/
{
	printf("syncfs %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fcntl:return, syscall::fcntl_nocancel:return
/self->ts/
{
	printf("fcntl %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::dup:return
/self->ts/
{
	printf("dup %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::dup2:return
/self->ts/
{
	printf("dup2 %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::dup3:return
/self->ts/
{
	printf("dup3 %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::ftruncate:return
/self->ts/
{
	printf("ftruncate %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fallocate:return
/self->ts/
{
	printf("fallocate %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fstat:return, syscall::fstat64:return, syscall::newfstat:return,
syscall::fstat_extended:return, syscall::fstat64_extended:return
/self->ts/
{
	printf("fstat %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::getdirentries:return, syscall::getdirentries64:return, syscall::getdents:return,
syscall::getdents64:return
/self->ts/
{
	printf("getdirentries %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::getattrlistbulk:return
/self->ts/
{
	printf("getattrlistbulk %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fgetattrlist:return
/self->ts/
{
	printf("fgetattrlist %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fsetattrlist:return
/self->ts/
{
	printf("fsetattrlist %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fchmod:return, syscall::fchmod_extended:return
/self->ts/
{
	printf("fchmod %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fchown:return
/self->ts/
{
	printf("fchown %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::futimes:return
/self->ts/
{
	printf("futimes %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fchflags:return
/self->ts/
{
	printf("fchflags %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fgetxattr:return
/self->ts/
{
	printf("fgetxattr %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fsetxattr:return
/self->ts/
{
	printf("fsetxattr %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::flistxattr:return
/self->ts/
{
	printf("flistxattr %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fremovexattr:return
/self->ts/
{
	printf("fremovexattr %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::flock:return
/self->ts/
{
	printf("flock %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::fchdir:return
/self->ts/
{
	printf("fchdir %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::__pthread_fchdir:return
/self->ts/
{
	printf("pthread_fchdir %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::munmap:return
/self->ts/
{
	printf("munmap %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::msync:return, syscall::msync_nocancel:return
/self->ts/
{
	printf("msync %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, self->b, self->c, self->d);
}

syscall::mmap:return
/self->ts/
{
	printf("mmap %d %d %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    self->a, self->b, self->c, self->d, self->e, self->f);
}

syscall::sendfile64:return
/self->ts/
{
	printf("sendfile64 %d %d %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    self->a, self->b, self->c, self->d, self->e, self->f);
}

syscall::copy_file_range:return
/self->ts/
{
	printf("copy_file_range %d %d %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    self->a, self->b, self->c, self->d, self->e, self->f);
}

syscall::open:return, syscall::open_nocancel:return, syscall::open_extended:return,
syscall::open_dprotected_np:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("open %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::creat:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("creat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::guarded_open_np:return, syscall::guarded_open_dprotected_np:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("guarded_open %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::stat:return, syscall::stat64:return, syscall::stat_extended:return,
syscall::stat64_extended:return, syscall::newstat:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("stat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::lstat:return, syscall::lstat64:return, syscall::lstat_extended:return,
syscall::lstat64_extended:return, syscall::newlstat:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("lstat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::getattrlist:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("getattrlist %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::setattrlist:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("setattrlist %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::access:return, syscall::access_extended:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("access %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::readlink:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("readlink %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::truncate:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("truncate %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::unlink:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("unlink %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::rmdir:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("rmdir %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::mkdir:return, syscall::mkdir_extended:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("mkdir %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::mknod:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("mknod %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::mkfifo:return, syscall::mkfifo_extended:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("mkfifo %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::chdir:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("chdir %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::__pthread_chdir:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("pthread_chdir %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::chroot:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("chroot %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::chmod:return, syscall::chmod_extended:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("chmod %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::chown:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("chown %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::lchown:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("lchown %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::utimes:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("utimes %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::chflags:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("chflags %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::getxattr:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("getxattr %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::lgetxattr:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("lgetxattr %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::setxattr:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("setxattr %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::lsetxattr:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("lsetxattr %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::listxattr:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("listxattr %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::llistxattr:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("llistxattr %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::removexattr:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("removexattr %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::lremovexattr:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	printf("lremovexattr %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, self->b, self->c, self->d, strlen(this->p), this->p);
}

syscall::openat:return, syscall::openat_nocancel:return, syscall::openat_dprotected_np:return,
syscall::openat2:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("openat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::fstatat:return, syscall::fstatat64:return, syscall::newfstatat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("fstatat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::statx:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("statx %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::getattrlistat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("getattrlistat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::setattrlistat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("setattrlistat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::faccessat:return, syscall::faccessat2:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("faccessat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::readlinkat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("readlinkat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::unlinkat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("unlinkat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::mkdirat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("mkdirat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::mknodat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("mknodat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::mkfifoat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("mkfifoat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::fchmodat:return, syscall::fchmodat2:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("fchmodat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::fchownat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("fchownat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::utimensat:return
/self->ts/
{
	this->p = self->b == 0 || errno == 14 ? "" : copyinstr(self->b);
	printf("utimensat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, self->c, self->d, strlen(this->p), this->p);
}

syscall::rename:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	this->q = errno == 14 ? "" : copyinstr(self->b);
	printf("rename %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, 0, self->c, self->d, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::link:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	this->q = errno == 14 ? "" : copyinstr(self->b);
	printf("link %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, 0, self->c, self->d, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::symlink:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	this->q = errno == 14 ? "" : copyinstr(self->b);
	printf("symlink %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, 0, self->c, self->d, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::exchangedata:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	this->q = errno == 14 ? "" : copyinstr(self->b);
	printf("exchangedata %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, 0, self->c, self->d, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::copyfile:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	this->q = errno == 14 ? "" : copyinstr(self->b);
	printf("copyfile %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, 0, self->c, self->d, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::renameat:return, syscall::renameat2:return, syscall::renameatx_np:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->b);
	this->q = errno == 14 ? "" : copyinstr(self->d);
	printf("renameat %d %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, (int)self->c, 0, self->e, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::linkat:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->b);
	this->q = errno == 14 ? "" : copyinstr(self->d);
	printf("linkat %d %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, (int)self->c, 0, self->e, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::clonefileat:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->b);
	this->q = errno == 14 ? "" : copyinstr(self->d);
	printf("clonefileat %d %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, 0, (int)self->c, 0, self->e, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::sendfile:return
/self->ts/
{
	this->moved = self->d == 0 || errno == 14 ? 0 : *(int64_t *)copyin(self->d, 8);
	printf("sendfile %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, (int)self->b, self->c, this->moved);
}

syscall::symlinkat:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->a);
	this->q = errno == 14 ? "" : copyinstr(self->c);
	printf("symlinkat %d %d %d %d %d %d %d %d %d %d %d %d:%S %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    0, (int)self->b, 0, 0, strlen(this->p), this->p, strlen(this->q), this->q);
}

syscall::fclonefileat:return
/self->ts/
{
	this->p = errno == 14 ? "" : copyinstr(self->c);
	printf("fclonefileat %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno,
	    (int)self->a, (int)self->b, 0, self->d, strlen(this->p), this->p);
}

/* ---- threads with a directory of their own, on macOS ---- */

syscall::__pthread_chdir:return, syscall::__pthread_fchdir:return
/self->ts && errno == 0/
{
	self->own_cwd = 1;
}

/* Not if its process has ended, too. */
proc:::lwp-exit
/self->own_cwd && named[pid]/
{
	printf("thread_exit %d %d %d %d 0 0 0\n", cpu, pid, tid, timestamp);
	self->own_cwd = 0;
}

/* ---- processes ---- */

proc:::create
/args[0]->pr_pid != pid && pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	self->child = args[0]->pr_pid;
	printf("create %d %d %d %d 0 %d 0 %d\n", cpu, pid, tid, timestamp, args[0]->pr_pid, self->changed);
}

proc:::create
/self->exec != NULL/
{
	program[args[0]->pr_pid] = self->exec;
}

syscall::fork:return, syscall::vfork:return, syscall::clone:return, syscall::clone3:return,
syscall::posix_spawn:return
/self->ts && self->child/
{
	printf("fork %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts, (int64_t)arg1, errno, self->child);
}

proc:::exec-success
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	this->p = program[pid] != NULL ? program[pid] : "";
	named[pid] = 1;
	printf("task %d %d %d %d 0 %d 0 %d:%S\n", cpu, pid, tid, timestamp, ppid, strlen(execname),
	    execname);
	printf("exec %d %d %d %d %d 0 0 %d:%S\n", cpu, pid, tid, timestamp,
	    began[pid] ? timestamp - began[pid] : 0, strlen(this->p), this->p);
	program[pid] = 0;
	began[pid] = 0;
}

syscall::execve:return, syscall::__mac_execve:return, syscall::execveat:return
/began[pid] && errno != 0/
{
	printf("exec %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp, timestamp - began[pid], (int64_t)arg1, errno,
	    strlen(program[pid]), program[pid]);
	program[pid] = 0;
	began[pid] = 0;
}

proc:::exit
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	printf("exit %d %d %d %d 0 %d 0 %d\n", cpu, pid, tid, timestamp, (int64_t)self->status, (int)arg0);
	named[pid] = 0;
	program[pid] = 0;
	began[pid] = 0;
	self->status = 0;
}

/* ---- what was kept between the beginning and the end of a call ---- */

syscall::read:return, syscall::read_nocancel:return, syscall::readv:return,
syscall::readv_nocancel:return, syscall::pread:return, syscall::pread_nocancel:return,
syscall::pread64:return, syscall::preadv:return, syscall::preadv_nocancel:return,
syscall::preadv2:return, syscall::write:return, syscall::write_nocancel:return,
syscall::writev:return, syscall::writev_nocancel:return, syscall::pwrite:return,
syscall::pwrite_nocancel:return, syscall::pwrite64:return, syscall::pwritev:return,
syscall::pwritev_nocancel:return, syscall::pwritev2:return, syscall::guarded_write_np:return,
syscall::guarded_writev_np:return, syscall::guarded_pwrite_np:return, syscall::close:return,
syscall::close_nocancel:return, syscall::guarded_close_np:return, syscall::fsync:return,
syscall::fsync_nocancel:return, syscall::fdatasync:return, syscall::sync:return,
syscall::syncfs:return, syscall::fcntl:return, syscall::fcntl_nocancel:return, syscall::dup:return,
syscall::dup2:return, syscall::dup3:return, syscall::ftruncate:return, syscall::fallocate:return,
syscall::fstat:return, syscall::fstat64:return, syscall::newfstat:return,
syscall::fstat_extended:return, syscall::fstat64_extended:return, syscall::getdirentries:return,
syscall::getdirentries64:return, syscall::getdents:return, syscall::getdents64:return,
syscall::getattrlistbulk:return, syscall::fgetattrlist:return, syscall::fsetattrlist:return,
syscall::fchmod:return, syscall::fchmod_extended:return, syscall::fchown:return,
syscall::futimes:return, syscall::fchflags:return, syscall::fgetxattr:return,
syscall::fsetxattr:return, syscall::flistxattr:return, syscall::fremovexattr:return,
syscall::flock:return, syscall::fchdir:return, syscall::__pthread_fchdir:return,
syscall::munmap:return, syscall::msync:return,
syscall::msync_nocancel:return, syscall::mmap:return, syscall::sendfile64:return,
syscall::copy_file_range:return, syscall::open:return, syscall::open_nocancel:return,
syscall::open_extended:return, syscall::open_dprotected_np:return, syscall::creat:return,
syscall::guarded_open_np:return, syscall::guarded_open_dprotected_np:return, syscall::stat:return,
syscall::stat64:return, syscall::stat_extended:return, syscall::stat64_extended:return,
syscall::newstat:return, syscall::lstat:return, syscall::lstat64:return,
syscall::lstat_extended:return, syscall::lstat64_extended:return, syscall::newlstat:return,
syscall::getattrlist:return, syscall::setattrlist:return, syscall::access:return,
syscall::access_extended:return, syscall::readlink:return, syscall::truncate:return,
syscall::unlink:return, syscall::rmdir:return, syscall::mkdir:return,
syscall::mkdir_extended:return, syscall::mknod:return, syscall::mkfifo:return,
syscall::mkfifo_extended:return, syscall::chdir:return, syscall::__pthread_chdir:return,
syscall::chroot:return,
syscall::chmod:return, syscall::chmod_extended:return, syscall::chown:return,
syscall::lchown:return, syscall::utimes:return, syscall::chflags:return, syscall::getxattr:return,
syscall::lgetxattr:return, syscall::setxattr:return, syscall::lsetxattr:return,
syscall::listxattr:return, syscall::llistxattr:return, syscall::removexattr:return,
syscall::lremovexattr:return, syscall::openat:return, syscall::openat_nocancel:return,
syscall::openat_dprotected_np:return, syscall::openat2:return, syscall::fstatat:return,
syscall::fstatat64:return, syscall::newfstatat:return, syscall::statx:return,
syscall::getattrlistat:return, syscall::setattrlistat:return, syscall::faccessat:return,
syscall::faccessat2:return, syscall::readlinkat:return, syscall::unlinkat:return,
syscall::mkdirat:return, syscall::mknodat:return, syscall::mkfifoat:return,
syscall::fchmodat:return, syscall::fchmodat2:return, syscall::fchownat:return,
syscall::utimensat:return, syscall::rename:return, syscall::link:return, syscall::symlink:return,
syscall::exchangedata:return, syscall::copyfile:return, syscall::renameat:return,
syscall::renameat2:return, syscall::renameatx_np:return, syscall::linkat:return,
syscall::clonefileat:return, syscall::symlinkat:return, syscall::fclonefileat:return,
syscall::sendfile:return, syscall::posix_spawn:return, syscall::fork:return, syscall::vfork:return,
syscall::clone:return, syscall::clone3:return
/self->ts/
{
	self->ts = 0;
	self->a = 0;
	self->b = 0;
	self->c = 0;
	self->d = 0;
	self->child = 0;
	self->exec = 0;
	self->changed = 0;
}

syscall::mmap:return, syscall::guarded_pwrite_np:return, syscall::sendfile64:return,
syscall::copy_file_range:return, syscall::renameat:return, syscall::renameat2:return,
syscall::renameatx_np:return, syscall::linkat:return, syscall::clonefileat:return
{
	self->e = 0;
	self->f = 0;
}

END
{
	printf("end %d 0 0 %d 0 0 0\n", cpu, timestamp);
}
