/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io.d PID: requests to block devices of all processes except PID (which reads the output) and its
 * descendants, one record for each completed request. README.md describes the lines. A request
 * belongs to the thread that was running when it was sent to the device.
 * (macOS and Linux number flags in different ways: B_READ is from the system's own library.)
 */
#pragma D option quiet
#pragma D option argref
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

io:::start
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1) && !named[pid]/
{
	named[pid] = 1;
	printf("task %d %d %d %d 0 %d 0 %d:%S\n", cpu, pid, tid, timestamp, ppid, strlen(execname), execname);
}

proc:::exec-success, proc:::exit
{
	named[pid] = 0;
}

io:::start
/pid != $pid && pid != $1 && ppid != $1 && !progenyof($1)/
{
	started[arg0] = timestamp;
	by_pid[arg0] = pid;
	by_tid[arg0] = tid;
}

io:::done
/started[arg0]/
{
	printf("block %d %d %d %d %d 0 %d %d %d %d %d %d %d\n", cpu, by_pid[arg0], by_tid[arg0], timestamp,
	    timestamp - started[arg0], args[0]->b_error, args[0]->b_blkno, (uint64_t)args[0]->b_bcount,
	    args[0]->b_flags & B_READ ? 1 : 0, args[1]->dev_major, args[1]->dev_minor,
	    (uint64_t)args[0]->b_flags);
	started[arg0] = 0;
	by_pid[arg0] = 0;
	by_tid[arg0] = 0;
}

END
{
	printf("end %d 0 0 %d 0 0 0\n", cpu, timestamp);
}
