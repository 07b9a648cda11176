/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_text - what a client of the line protocol reads.
 *
 * Shape    Pure. A line_out gathers whole lines; the rendering of an event is a
 *          row of a table by its kind (line_event.c), that of a refusal a
 *          sentence of a table (line_refusal.c). The exact forms are those of
 *          docs/protocol-line.md.
 * Bytes    Names were checked by the hub. Every text is cleaned once more on
 *          its way out: who sent it had to, but a terminal is not the place to
 *          find out that one did not.
 * Memory   Errors stick to the line_out and come out at line_out_to_msg().
 */
#ifndef PROTO_LINE_LINE_TEXT_PRIV_H
#define PROTO_LINE_LINE_TEXT_PRIV_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "chat/event.h"

struct msg;

struct line_out {
    struct buf text;
    bool crlf; /* end lines with CR LF */
};

void line_out_init(struct line_out *o, bool crlf);

/* Frees the text. NULL when memory is or was short. */
MUST_CHECK struct msg *line_out_to_msg(struct line_out *o);

void line_add_str(struct line_out *o, const char *str);
void line_add_name(struct line_out *o, struct slice name);
void line_add_text(struct line_out *o, struct slice text); /* cleans */
void line_add_end(struct line_out *o);

/* " (why)", or nothing when it is empty. */
void line_add_why(struct line_out *o, struct slice why);

/* "1 room", "2 rooms". */
void line_add_count(struct line_out *o, uint64_t n, const char *one,
                    const char *many);

/* "10:04", "2026-11-21 10:04 UTC". */
void line_add_clock(struct line_out *o, uint64_t wall_ms);
void line_add_date(struct line_out *o, uint64_t wall_ms);

/* A whole notice: "* ", what printf makes of it, the ending. Only for what is
 * clean by its making. */
void line_notice(struct line_out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);

void line_vnotice(struct line_out *o, const char *fmt, va_list args)
    PRINTF_LIKE(2, 0);

/* How an event is to be looked at. */
struct line_look {
    struct slice room; /* where it was said or done; empty: in no room */
    bool other;        /* that is not the reader's current room */
    bool own;          /* the reader did it */
    bool replay;       /* it is history */
    bool missed;       /* it happened while the reader was not there */
    bool ids;          /* the reader wants its number */
    uint64_t listed;   /* items of this list in earlier events */
};

/* Appends what the reader is shown of `e`: no line, one or several. Refusals
 * too; of EVENT_ATTACHED, PONG and DONE there is nothing to see. */
void line_render(struct line_out *o, const struct event *e,
                 const struct line_look *look);

/* That so many events cannot be shown; nothing for 0. */
void line_render_missed(struct line_out *o, uint64_t missed);

#define LINE_WRAP_AT 400 /* bytes of one line of a list of names */

/* What somebody who gave no reason is away for; not shown. */
#define LINE_AWAY_PLAIN "away"

/* The notice for a refusal; `what` is what was refused, unchecked. */
void line_render_refusal(struct line_out *o, enum refusal refusal,
                         struct slice what);

#endif
