// SPDX-License-Identifier: GPL-2.0-or-later
#define FUSE_USE_VERSION 312
#include "tests/treefs/treefs.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BUFFER (64 * 1024)

/* The kernel may have the answer before this thread has finished with the tree. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the tree ---- */

static void free_node(struct treefs_node *node)
{
	free(node->name);
	free(node->content);
}

void treefs__clear(struct treefs *t)
{
	pthread_mutex_lock(&lock);
	while (t->n)
		free_node(&t->nodes[--t->n]);
	t->nodes[0] = (struct treefs_node){ .mode = S_IFDIR | 0755 };
	t->n = 1;
	t->generation++;
	pthread_mutex_unlock(&lock);
}

static bool is_name(const char *name, size_t len)
{
	return len && len <= TREEFS_NAME_MAX && !memchr(name, '/', len) && !memchr(name, 0, len) &&
	       (len > 2 || memcmp("..", name, len));
}

size_t treefs__add(struct treefs *t, size_t parent, mode_t mode, const char *name, size_t name_len,
		   const char *content, size_t size)
{
	struct treefs_node node = { .parent = parent, .mode = mode, .size = size };

	if (parent >= t->n || !S_ISDIR(t->nodes[parent].mode) || t->n == TREEFS_NODES_MAX ||
	    !is_name(name, name_len))
		return 0;
	node.name = strndup(name, name_len);
	node.content = malloc(size + 1);
	if (!node.name || !node.content) {
		free_node(&node);
		return 0;
	}
	memcpy(node.content, content, size);
	node.content[size] = 0;
	pthread_mutex_lock(&lock);
	t->nodes[t->n++] = node;
	pthread_mutex_unlock(&lock);
	return t->n - 1;
}

/* ---- requests of the kernel ---- */

/* Inode numbers are indices plus one: FUSE's root is 1. NULL: the tree has changed meanwhile. */
static struct treefs_node *node_of(fuse_req_t request, fuse_ino_t ino)
{
	struct treefs *t = fuse_req_userdata(request);

	return ino - 1 < t->n ? &t->nodes[ino - 1] : NULL;
}

static struct stat attributes(const struct treefs_node *node, fuse_ino_t ino)
{
	return (struct stat){
		.st_ino = ino,
		.st_mode = node->mode,
		.st_nlink = 1,
		.st_size = node->size,
		.st_rdev = makedev(1, 5), /* /dev/zero, if a program opens a device */
	};
}

static void on_init(void *userdata, struct fuse_conn_info *connection)
{
	connection->max_readahead = 0;
}

static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct treefs *t = fuse_req_userdata(request);

	for (size_t i = 1; i < t->n; i++) {
		struct fuse_entry_param entry = { .ino = i + 1, .generation = t->generation };

		if (t->nodes[i].parent + 1 != parent || strcmp(t->nodes[i].name, name))
			continue;
		entry.attr = attributes(&t->nodes[i], i + 1);
		fuse_reply_entry(request, &entry);
		return;
	}
	fuse_reply_err(request, ENOENT);
}

static void on_getattr(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
	struct treefs_node *node = node_of(request, ino);
	struct stat st;

	if (!node) {
		fuse_reply_err(request, ESTALE);
		return;
	}
	st = attributes(node, ino);
	fuse_reply_attr(request, &st, 0);
}

static void on_readlink(fuse_req_t request, fuse_ino_t ino)
{
	struct treefs_node *node = node_of(request, ino);

	if (node)
		fuse_reply_readlink(request, node->content);
	else
		fuse_reply_err(request, ESTALE);
}

static void on_open(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
	if ((file->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(request, EROFS);
		return;
	}
	file->direct_io = 1; /* no cached page of an earlier tree's file with this number */
	fuse_reply_open(request, file);
}

static void on_opendir(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
	fuse_reply_open(request, file);
}

static void on_read(fuse_req_t request, fuse_ino_t ino, size_t size, off_t at,
		    struct fuse_file_info *file)
{
	struct treefs_node *node = node_of(request, ino);
	size_t left = node && (size_t)at < node->size ? node->size - at : 0;

	fuse_reply_buf(request, left ? node->content + at : NULL, left < size ? left : size);
}

/* AT is the index after the last returned entry. */
static void on_readdir(fuse_req_t request, fuse_ino_t ino, size_t size, off_t at,
		       struct fuse_file_info *file)
{
	struct treefs *t = fuse_req_userdata(request);
	char buf[BUFFER];
	size_t used = 0;

	if (size > sizeof(buf))
		size = sizeof(buf);
	for (size_t i = at ? at : 1; i < t->n; i++) {
		struct stat st = attributes(&t->nodes[i], i + 1);
		size_t need;

		if (t->nodes[i].parent + 1 != ino)
			continue;
		need = fuse_add_direntry(request, buf + used, size - used, t->nodes[i].name, &st,
					 i + 1);
		if (need > size - used)
			break;
		used += need;
	}
	fuse_reply_buf(request, buf, used);
}

static void on_statfs(fuse_req_t request, fuse_ino_t ino)
{
	struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = TREEFS_NAME_MAX };

	fuse_reply_statfs(request, &st);
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.lookup = on_lookup,
	.getattr = on_getattr,
	.readlink = on_readlink,
	.open = on_open,
	.opendir = on_opendir,
	.read = on_read,
	.readdir = on_readdir,
	.statfs = on_statfs,
};

static int loop(struct fuse_session *session)
{
	struct fuse_buf buf = { 0 };
	int n = 0;

	while (!fuse_session_exited(session) &&
	       ((n = fuse_session_receive_buf(session, &buf)) > 0 || n == -EINTR)) {
		if (n == -EINTR)
			continue;
		pthread_mutex_lock(&lock);
		fuse_session_process_buf(session, &buf);
		pthread_mutex_unlock(&lock);
	}
	free(buf.mem);
	return n;
}

int treefs__serve(struct treefs *t, const char *dir, const char *subtype, void (*ready)(void *arg),
		  void *arg)
{
	char options[64];
	char *argv[] = { "treefs", "-o", options };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct fuse_session *session;
	int failed;

	/* Devices may be opened by mistake; the tests decide who else may look. */
	snprintf(options, sizeof(options), "dev,allow_other,subtype=%.20s", subtype);
	session = fuse_session_new(&args, &operations, sizeof(operations), t);
	failed = !session || fuse_session_mount(session, dir);
	if (!failed) {
		ready(arg);
		failed = loop(session) < 0;
		fuse_session_unmount(session);
	}
	if (session)
		fuse_session_destroy(session);
	fuse_opt_free_args(&args);
	return failed;
}
