/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_DOCTOR_H
#define IOTRC_DOCTOR_H

/* `iotrc doctor`: will recording work here, what will it give, and if not, why. 0: it will; 1: it
 * won't; 2: usage. */
int doctor__main(int argc, char **argv);
extern const char doctor__help[]; /* the text of --help */

#endif
