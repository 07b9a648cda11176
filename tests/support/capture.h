/* SPDX-License-Identifier: BSD-2-Clause
 *
 * capture - a pipe, and what came out of it as a string.
 */
#ifndef SUPPORT_CAPTURE_H
#define SUPPORT_CAPTURE_H

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define CAPTURE_MAX (1u << 21)

struct capture {
    int out; /* ours: does not block */
    int in;  /* theirs: blocks, as stderr does */
    size_t len;
    size_t lines;
    char text[CAPTURE_MAX]; /* all so far, with a NUL */
};

static inline void
capture_open(struct capture *c)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    c->out = ends[0];
    c->in = ends[1];
    c->len = 0;
    c->lines = 0;
    c->text[0] = '\0';
    ck_assert_int_eq(fcntl(c->out, F_SETFL, O_NONBLOCK), 0);
}

/* The least room that a pipe can have. */
static inline void
capture_make_small(struct capture *c)
{
    ck_assert_int_ge(fcntl(c->in, F_SETPIPE_SZ, 4096), 0);
}

/* Takes what has come; true when there was something. */
static inline bool
capture_take(struct capture *c)
{
    const ssize_t n = read(c->out, c->text + c->len, CAPTURE_MAX - 1 - c->len);

    if (n <= 0)
        return false;
    for (ssize_t i = 0; i < n; i++)
        c->lines += c->text[c->len++] == '\n';
    c->text[c->len] = '\0';
    return true;
}

/* All so far. */
static inline const char *
capture_text(struct capture *c)
{
    while (capture_take(c))
        continue;
    return c->text;
}

static inline unsigned
capture_count(struct capture *c, const char *word)
{
    const char *at = capture_text(c);
    unsigned n = 0;

    while ((at = strstr(at, word)) != NULL) {
        at += strlen(word);
        n++;
    }
    return n;
}

static inline void
capture_close(struct capture *c)
{
    close(c->out);
    close(c->in);
}

#endif
