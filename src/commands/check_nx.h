/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gets the inputs and outputs of a target from the workspace's own nx. Node runs our script nx.js
 * as the invoking user to ask nx, which infers targets by rules that files alone do not show. */
#ifndef IOTRC_CHECK_NX_H
#define IOTRC_CHECK_NX_H

#include <jansson.h>

#define CHECK_NX_WHY_MAX 2048

/* Before the command runs: gets in *RET the declaration of TARGET (PROJECT:TARGET[:CONFIGURATION])
 * of the workspace in directory ROOT. Returns 0, or a negative errno and the reason in WHY. */
int check_nx__resolve(const char *root, const char *target, json_t **ret,
		      char why[CHECK_NX_WHY_MAX]);

/* After the command: adds to DECLARATION those files in REPORT's reads and writes that nx accepts
 * as inputs and outputs although it did not list them. Returns the same as check_nx__resolve(). */
int check_nx__judge(const char *root, const char *target, const json_t *report, json_t *declaration,
		    char why[CHECK_NX_WHY_MAX]);

#endif
