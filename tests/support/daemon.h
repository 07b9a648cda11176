/* SPDX-License-Identifier: BSD-2-Clause
 *
 * daemon - a real klatchd for a test: started in a directory of its own, on a
 * port of its own, and held to the rules of every test when it ends.
 *
 * Anything that is not as it must be fails the running Check case.
 */
#ifndef SUPPORT_DAEMON_H
#define SUPPORT_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DAEMON_PATH_MAX 128

struct daemon {
    pid_t pid;
    int out; /* its standard output */
    uint16_t port;
    char dir[DAEMON_PATH_MAX / 2];
    char config[DAEMON_PATH_MAX];
    char control[DAEMON_PATH_MAX];
    char socket[DAEMON_PATH_MAX]; /* a Unix listener, line protocol */
    char log[DAEMON_PATH_MAX];
};

/* Starts klatchd ($KLATCHD) with that many workers and `config` (lines of a
 * config file; may be NULL) and waits until it is ready. It listens on
 * 127.0.0.1, an ephemeral port, protocol auto, and on `socket`. */
void daemon_start(struct daemon *d, unsigned workers, const char *config);

/* Rewrites the config file; `text` are the lines after those of our own. */
void daemon_configure(struct daemon *d, unsigned workers, const char *text);

/* Sends a signal. */
void daemon_signal(struct daemon *d, int signal);

/* TERM; then it must exit with 0 in `limit_ms`, with no sanitizer report and no
 * line of level error in its log. */
void daemon_stop_within(struct daemon *d, uint64_t limit_ms);

/* daemon_stop_within() 10 seconds. */
void daemon_stop(struct daemon *d);

/* Asks the control socket, one line of JSON each way; the answer is the
 * caller's to free. */
char *daemon_ask(struct daemon *d, const char *request);

/* The number behind "key": in the answer to census. */
uint64_t daemon_census(struct daemon *d, const char *key);

/* Waits until the census says `key` is `value`, and fails after 10 s. */
void daemon_await_census(struct daemon *d, const char *key, uint64_t value);

/* Does its log contain that? */
bool daemon_logged(struct daemon *d, const char *text);

/* Waits until it does, and fails after 10 s. */
void daemon_await_log(struct daemon *d, const char *text);

#endif
