/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a workspace's own nx says that a target reads and writes. It is asked by a script of ours
 * (nx.js) that node runs as the invoking user: how nx finds targets can't be known from files. */
#ifndef IOTRC_CHECK_NX_H
#define IOTRC_CHECK_NX_H

#include <jansson.h>

#define CHECK_NX_WHY_MAX 2048

/* Before the command runs: the declaration of TARGET, PROJECT:TARGET[:CONFIGURATION] of the
 * workspace in directory ROOT, in *RET. 0, or a negative errno, and WHY says what is wrong. */
int check_nx__resolve(const char *root, const char *target, json_t **ret,
		      char why[CHECK_NX_WHY_MAX]);

/* After it: adds to DECLARATION those files of REPORT's reads and writes that nx takes for inputs
 * and outputs though it didn't list them. Returns as check_nx__resolve() does. */
int check_nx__judge(const char *root, const char *target, const json_t *report, json_t *declaration,
		    char why[CHECK_NX_WHY_MAX]);

#endif
