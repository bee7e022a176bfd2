// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shown.h"
#include "platform/libc.h"

bool out_file__exists(const char *name)
{
	struct stat st;

	return !stat(name, &st) && S_ISREG(st.st_mode);
}

static int open_temporary(struct out_file *o)
{
	int fd, err;

	o->target = out_file__exists(o->name) ? realpath(o->name, NULL) : strdup(o->name);
	if (!o->target || asprintf(&o->temporary, "%s.part-XXXXXX", o->target) < 0)
		return -ENOMEM;
	fd = mkostemp(o->temporary, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		free(o->temporary); /* not made, so nothing to remove */
		o->temporary = NULL;
		return err;
	}
	/* Traces are not for everybody: 0640, and less with a stricter umask. */
	fchmod(fd, 0640);
	o->file = fdopen(fd, "w+");
	if (o->file)
		return 0;
	err = -errno;
	close(fd);
	return err;
}

int out_file__open(struct out_file *o, const char *name)
{
	struct stat st;

	o->name = name;
	if (name && (stat(name, &st) || S_ISREG(st.st_mode)))
		return open_temporary(o);
	o->file = name ? fopen(name, "we") : shown__stream(stdout);
	return o->file ? 0 : -errno;
}

/* Filesystems without RENAME_NOREPLACE (EINVAL) have hard links. */
static int give_name(const struct out_file *o, bool force)
{
	int err = renameat2(AT_FDCWD, o->temporary, AT_FDCWD, o->target,
			    force ? 0 : RENAME_NOREPLACE);

	if (err && errno == EINVAL)
		err = force ? rename(o->temporary, o->target) : link(o->temporary, o->target);
	return err ? -errno : 0;
}

int out_file__close(struct out_file *o, int err, bool force)
{
	if (o->file && (fflush(o->file) || ferror(o->file)) && !err)
		err = errno ? -errno : -EIO;
	if (o->target && !err && fsync(fileno(o->file)))
		err = -errno;
	if (o->name && o->file)
		fclose(o->file);
	if (o->target && !err)
		err = give_name(o, force);
	if (o->temporary)
		unlink(o->temporary);
	free(o->temporary);
	free(o->target);
	*o = (struct out_file){ .name = NULL };
	return err;
}
