/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network.d PID: calls on sockets by all processes except PID (which reads the output) and its
 * descendants, one record per line. README.md describes the lines. Calls that only macOS has are
 * listed beside those of Linux: run it with -Z.
 *
 * A socket's address is printed as the words of its first 16 bytes and of the next 12, and also as
 * the text that begins where AF_UNIX has its path: the reader of the line knows the family.
 * 14 is EFAULT: nothing can be read there.
 */
#pragma D option quiet
#pragma D option strsize=128
#pragma D option bufsize=4m
#pragma D option dynvarsize=16m
#pragma D option switchrate=10hz
#pragma D option cleanrate=50hz

BEGIN
{
	printf("begin %d 0 0 %d 0 0 0\n", cpu, timestamp);
}

profile-5hz
{
	printf("beat %d 0 0 %d 0 0 0\n", cpu, timestamp);
}

syscall::socket:entry, syscall::socketpair:entry, syscall::bind:entry, syscall::listen:entry,
syscall::accept:entry, syscall::accept_nocancel:entry, syscall::accept4:entry,
syscall::connect:entry, syscall::connect_nocancel:entry, syscall::connectx:entry,
syscall::shutdown:entry, syscall::close:entry, syscall::close_nocancel:entry,
syscall::guarded_close_np:entry, syscall::dup:entry, syscall::dup2:entry, syscall::dup3:entry,
syscall::fcntl:entry, syscall::fcntl_nocancel:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	self->ts = timestamp;
	self->a = arg0;
	self->b = arg1;
	self->c = arg2;
	self->d = arg3;
}

syscall::socket:return, syscall::socketpair:return, syscall::bind:return, syscall::listen:return,
syscall::accept:return, syscall::accept_nocancel:return, syscall::accept4:return,
syscall::connect:return, syscall::connect_nocancel:return, syscall::connectx:return,
syscall::shutdown:return
/self->ts && !named[pid]/
{
	named[pid] = 1;
	printf("task %d %d %d %d 0 %d 0 %d:%S\n", cpu, pid, tid, timestamp, ppid, strlen(execname), execname);
}

syscall::socket:return
/self->ts/
{
	printf("socket %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts,
	    (int64_t)arg1, errno, (int)self->a, (int)self->b, (int)self->c);
}

syscall::socketpair:return
/self->ts && errno == 0/
{
	this->fds = (int *)copyin(self->d, 8);
	printf("socketpair %d %d %d %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp,
	    timestamp - self->ts, (int64_t)arg1, errno, (int)self->a, (int)self->b, (int)self->c,
	    this->fds[0], this->fds[1]);
}

syscall::listen:return
/self->ts/
{
	printf("listen %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts,
	    (int64_t)arg1, errno, (int)self->a, (int)self->b);
}

syscall::shutdown:return
/self->ts/
{
	printf("shutdown %d %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts,
	    (int64_t)arg1, errno, (int)self->a, (int)self->b);
}

syscall::close:return, syscall::close_nocancel:return, syscall::guarded_close_np:return
/self->ts/
{
	printf("close %d %d %d %d %d %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts,
	    (int64_t)arg1, errno, (int)self->a);
}

syscall::dup:return
/self->ts && errno == 0/
{
	printf("dup %d %d %d %d %d %d 0 %d 0 0\n", cpu, pid, tid, timestamp, timestamp - self->ts,
	    (int64_t)arg1, (int)self->a);
}

syscall::dup2:return, syscall::dup3:return
/self->ts && errno == 0/
{
	printf("dup2 %d %d %d %d %d %d 0 %d %d 0\n", cpu, pid, tid, timestamp, timestamp - self->ts,
	    (int64_t)arg1, (int)self->a, (int)self->b);
}

syscall::fcntl:return, syscall::fcntl_nocancel:return
/self->ts && errno == 0/
{
	printf("fcntl %d %d %d %d %d %d 0 %d %d %d\n", cpu, pid, tid, timestamp, timestamp - self->ts,
	    (int64_t)arg1, (int)self->a, (int)self->b, self->c);
}

/* Where the address is, and how long it is: if the kernel writes it, its length is read as well. */
syscall::bind:return, syscall::connect:return, syscall::connect_nocancel:return
/self->ts/
{
	self->at = self->b;
	self->len = self->c < 128 ? self->c : 128;
}

syscall::connectx:return
/self->ts && self->b && errno != 14/
{
	self->at = *(uint64_t *)copyin(self->b + 24, 8);
	self->len = *(uint32_t *)copyin(self->b + 32, 4);
}

syscall::accept:return, syscall::accept_nocancel:return, syscall::accept4:return
/self->ts && self->b && self->c && errno == 0/
{
	self->at = self->b;
	self->len = *(uint32_t *)copyin(self->c, 4);
}

/* Bytes that were not read stay 0. */
syscall::bind:return, syscall::connect:return, syscall::connect_nocancel:return,
syscall::connectx:return, syscall::accept:return, syscall::accept_nocancel:return,
syscall::accept4:return
/self->ts && errno == 14/
{
	self->at = 0;
	self->len = 0;
}

syscall::bind:return, syscall::connect:return, syscall::connect_nocancel:return,
syscall::connectx:return, syscall::accept:return, syscall::accept_nocancel:return,
syscall::accept4:return
/self->ts && self->at && self->len >= 2/
{
	self->family = *(uint16_t *)copyin(self->at, 2);
}

syscall::bind:return, syscall::connect:return, syscall::connect_nocancel:return,
syscall::connectx:return, syscall::accept:return, syscall::accept_nocancel:return,
syscall::accept4:return
/self->ts && self->at && self->len >= 16/
{
	this->a = (uint64_t *)copyin(self->at, 16);
	self->w0 = this->a[0];
	self->w1 = this->a[1];
}

syscall::bind:return, syscall::connect:return, syscall::connect_nocancel:return,
syscall::connectx:return, syscall::accept:return, syscall::accept_nocancel:return,
syscall::accept4:return
/self->ts && self->at && self->len >= 28/
{
	this->b = (uint32_t *)copyin(self->at + 16, 12);
	self->w2 = this->b[0];
	self->w3 = this->b[1];
	self->w4 = this->b[2];
}

syscall::bind:return
/self->ts/
{
	this->s = self->at != 0 && self->len > 2 ? copyinstr(self->at + 2, self->len - 2) : "";
	printf("bind %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp,
	    timestamp - self->ts, (int64_t)arg1, errno, (int)self->a, (int)self->len, (int)self->family,
	    self->w0, self->w1, (int)self->w2, (int)self->w3, (int)self->w4, strlen(this->s), this->s);
}

syscall::connect:return, syscall::connect_nocancel:return, syscall::connectx:return
/self->ts/
{
	this->s = self->at != 0 && self->len > 2 ? copyinstr(self->at + 2, self->len - 2) : "";
	printf("connect %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp,
	    timestamp - self->ts, (int64_t)arg1, errno, (int)self->a, (int)self->len, (int)self->family,
	    self->w0, self->w1, (int)self->w2, (int)self->w3, (int)self->w4, strlen(this->s), this->s);
}

syscall::accept:return, syscall::accept_nocancel:return, syscall::accept4:return
/self->ts/
{
	this->s = self->at != 0 && self->len > 2 ? copyinstr(self->at + 2, self->len - 2) : "";
	printf("accept %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d:%S\n", cpu, pid, tid, timestamp,
	    timestamp - self->ts, (int64_t)arg1, errno, (int)self->a, (int)self->len, (int)self->family,
	    self->w0, self->w1, (int)self->w2, (int)self->w3, (int)self->w4, strlen(this->s), this->s);
}

syscall::socket:return, syscall::socketpair:return, syscall::bind:return, syscall::listen:return,
syscall::accept:return, syscall::accept_nocancel:return, syscall::accept4:return,
syscall::connect:return, syscall::connect_nocancel:return, syscall::connectx:return,
syscall::shutdown:return, syscall::close:return, syscall::close_nocancel:return,
syscall::guarded_close_np:return, syscall::dup:return, syscall::dup2:return, syscall::dup3:return,
syscall::fcntl:return, syscall::fcntl_nocancel:return
/self->ts/
{
	self->ts = 0;
	self->a = 0;
	self->b = 0;
	self->c = 0;
	self->d = 0;
	self->at = 0;
	self->len = 0;
	self->family = 0;
	self->w0 = 0;
	self->w1 = 0;
	self->w2 = 0;
	self->w3 = 0;
	self->w4 = 0;
}

/* A child inherits its parent's sockets, unless posix_spawn() changes its descriptors: vfs.d. */
syscall::posix_spawn:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1) && arg2/
{
	this->desc = (uint64_t *)copyin(arg2, 24);
	this->attr = this->desc[1];
	self->changed = this->desc[2] != 0;
}

syscall::posix_spawn:entry
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1) && arg2 && this->attr/
{
	self->changed |= (*(uint16_t *)copyin(this->attr, 2) & 0x4000) != 0;
}

proc:::create
/args[0]->pr_pid != pid && pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	printf("create %d %d %d %d 0 %d 0 %d\n", cpu, pid, tid, timestamp, args[0]->pr_pid, self->changed);
}

syscall::posix_spawn:return
{
	self->changed = 0;
}

proc:::exec-success
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	named[pid] = 0;
	printf("exec %d %d %d %d 0 0 0 0:\n", cpu, pid, tid, timestamp);
}

proc:::exit
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	named[pid] = 0;
	printf("exit %d %d %d %d 0 0 0 %d\n", cpu, pid, tid, timestamp, (int)arg0);
}

END
{
	printf("end %d 0 0 %d 0 0 0\n", cpu, timestamp);
}
