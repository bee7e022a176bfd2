/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_CONTAINER_H
#define IOTRC_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#define CONTAINER_ID_LEN 64    /* hexadecimal digits */
#define CONTAINER_NAME_MAX 400 /* bytes: of Kubernetes NAMESPACE/POD/CONTAINER */
#define CONTAINER_IMAGE_MAX 512

/* Texts are UTF-8 without control characters; "": unknown. */
struct container {
	uint64_t cgroup; /* id of the topmost one: all others are below it */
	char id[CONTAINER_ID_LEN + 1];
	const char *runtime; /* static: podman, docker, containerd, cri-o */
	char name[CONTAINER_NAME_MAX];
	char image[CONTAINER_IMAGE_MAX];
};

/* Whether TEXT stands for a container with this NAME: it is the name, or the last part of that of a
 * container of a pod, or, if it contains an asterisk, a glob whose asterisks match anything but a
 * slash. */
bool container__is_name(const char *name, const char *text);

/* The same for C, or TEXT is its id, or the first 12 or more digits of its id. */
bool container__is_called(const struct container *c, const char *text);

#endif
