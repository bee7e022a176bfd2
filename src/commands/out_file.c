// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shown.h"
#include "platform/libc.h"

int out_file__open(struct out_file *o, const char *name)
{
	int fd;

	o->name = name;
	if (!name) {
		o->file = shown__stream(stdout);
		return o->file ? 0 : -ENOMEM;
	}
	if (asprintf(&o->temporary, "%s.part-XXXXXX", name) < 0)
		return -ENOMEM;
	fd = mkostemp(o->temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Traces are not for everybody: 0640, and less with a stricter umask. */
	fchmod(fd, 0640);
	o->file = fdopen(fd, "w+");
	return o->file ? 0 : -errno;
}

/* Filesystems without RENAME_NOREPLACE (EINVAL) have hard links. */
static int give_name(const struct out_file *o, bool force)
{
	int err =
		renameat2(AT_FDCWD, o->temporary, AT_FDCWD, o->name, force ? 0 : RENAME_NOREPLACE);

	if (err && errno == EINVAL)
		err = force ? rename(o->temporary, o->name) : link(o->temporary, o->name);
	return err ? -errno : 0;
}

int out_file__close(struct out_file *o, int err, bool force)
{
	if (!o->file)
		return err;
	if ((fflush(o->file) || ferror(o->file)) && !err)
		err = errno ? -errno : -EIO;
	if (!o->name)
		return err;
	if (!err && fsync(fileno(o->file)))
		err = -errno;
	fclose(o->file);
	if (!err)
		err = give_name(o, force);
	unlink(o->temporary);
	free(o->temporary);
	o->temporary = NULL;
	o->file = NULL;
	return err;
}
