/* SPDX-License-Identifier: BSD-2-Clause
 *
 * desk - an operator at work: a struct ctl whose server is a fake one and whose
 * output is kept.
 */
#ifndef UNIT_CTL_DESK_H
#define UNIT_CTL_DESK_H

#include "ctl/ctl.h"
#include "unit/ctl/fake_server.h"

struct desk {
    struct ctl ctl;
    struct fake_server server;
    char *out; /* what was written; valid after desk_done() */
    char *err;
    size_t out_len;
    size_t err_len;
};

extern struct desk desk;

/* A server with these answers (NULL: only fine ones) and, as standard input,
 * `input` (NULL: empty). */
void desk_start(const char *const *answers, const char *input);

/* Hangs up and stops the server; everything may now be looked at. */
void desk_done(void);

/* Runs "NAME" with these words and text. */
enum ctl_exit desk_run(const char *name, const char *word, const char *text);

#endif
