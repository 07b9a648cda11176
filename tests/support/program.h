/* SPDX-License-Identifier: BSD-2-Clause
 *
 * program - another program, run to its end: what it said and how it ended.
 */
#ifndef SUPPORT_PROGRAM_H
#define SUPPORT_PROGRAM_H

#define PROGRAM_ARGS_MAX 16

struct program {
    int code;  /* its exit code, or -1 when a signal ended it */
    char *out; /* strings */
    char *err;
};

/* Runs `argv` (NULL ends it; argv[0] is a path) with `input` (may be NULL) as
 * its standard input. Fails the case when it has not ended after 20 s. */
void program_run(struct program *p, const char *const argv[],
                 const char *input);

void program_fini(struct program *p);

#endif
