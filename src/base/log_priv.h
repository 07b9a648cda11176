/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log_priv - the steps of a line: log.c decides whether it is wanted,
 * log_format.c makes it text, log_sink.c takes it to the log thread, and
 * log_fd.c writes it.
 */
#ifndef BASE_LOG_PRIV_H
#define BASE_LOG_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/log.h"

/* A line before it is text. */
struct log_record {
    uint64_t wall_ms;
    enum log_level level;
    enum log_area area;
    const char *event;
    const struct log_field *fields;
    size_t n;
    uint64_t skipped; /* lines of this place left out before this one */
};

/* As log_format(). */
size_t log_format_record(char *out, size_t size, enum log_format format,
                         const struct log_record *r);

/* [any] The form log_set_format() chose. */
enum log_format log_chosen_format(void);

/* [any] Counts one more line on its way; false, and the line counted as
 * dropped, when as many wait as may. */
MUST_CHECK bool log_sink_reserve(void);

/* [any] Hands over a copy of a whole line, newline included, for which
 * log_sink_reserve() said yes. */
void log_sink_put(const char *line, size_t len);

#define LOG_STUCK_MS 2000u
#define LOG_FOREVER  UINT64_MAX

/* How long to wait for an fd that takes nothing. */
struct log_patience {
    int bell; /* interrupts the wait, to look at until_ms again; or -1 */
    _Atomic uint64_t until_ms;
};

/* [main] Once it has returned, nobody writes to the fd of before. */
void log_fd_set(int fd);

/* [any] Writes whole lines; returns how many of them were lost. SIGPIPE must be
 * blocked. */
uint64_t log_fd_write(const char *data, size_t len,
                      const struct log_patience *p);

/* [any] As log_fd_write(), for any thread, and for LOG_STUCK_MS at most. */
uint64_t log_fd_write_by_hand(const char *data, size_t len);

void log_silence_bell(int bell);

#endif
