/* SPDX-License-Identifier: BSD-2-Clause
 *
 * daemon - a real klatchd for a test: started in a directory of its own, on a
 * port of its own, and held to the rules of every test when it ends.
 *
 * Anything that is not as it must be fails the running Check case. A case that
 * fails leaves the directory, with the log, behind.
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
    unsigned workers;
    bool lingers;     /* sessions wait for who lost them; set between
                     daemon_prepare() and daemon_configure() */
    char address[64]; /* of listener "main", as it is configured */
    char *at_rest;    /* the census before anybody came */
    char dir[DAEMON_PATH_MAX / 2];
    char config[DAEMON_PATH_MAX];
    char control[DAEMON_PATH_MAX];
    char socket[DAEMON_PATH_MAX]; /* a Unix listener, line protocol */
    char log[DAEMON_PATH_MAX];
};

/* Starts klatchd ($KLATCHD) with e2e_workers() workers and `config` (lines of a
 * config file; may be NULL) and waits until it is ready. It listens on
 * 127.0.0.1, an ephemeral port, protocol auto, and on `socket`. */
void daemon_start(struct daemon *d, const char *config);

/* The same, and sessions outlive their conns. */
void daemon_start_lingering(struct daemon *d, const char *config);

/* Waits until everything is as it was before anybody came (all counts of the
 * census, and its balances), sends TERM, and then it must exit with 0 in 10 s,
 * with no sanitizer report and no line of level error in its log. All clients
 * must have gone or be about to. */
void daemon_stop(struct daemon *d);

/* The same with clients still there, who make it end later or otherwise; it
 * has `limit_ms` from TERM on. */
void daemon_stop_within(struct daemon *d, uint64_t limit_ms);

/* The same for one that was sent its signal already. */
void daemon_reap(struct daemon *d, uint64_t limit_ms);

/* -- in single steps ------------------------------------------------------ */

/* Its directory, nothing in it. */
void daemon_prepare(struct daemon *d);

/* (Re)writes the config file; `text` are the lines after those of our own. */
void daemon_configure(struct daemon *d, const char *text);

/* Runs it, without waiting; `config` empty: without -c. */
void daemon_launch(struct daemon *d);
void daemon_await_ready(struct daemon *d);

void daemon_signal(struct daemon *d, int signal);

/* SIGSTOP, until all its threads have stopped; SIGCONT. */
void daemon_freeze(struct daemon *d);
void daemon_thaw(struct daemon *d);

/* How many descriptors it may have from now on; 0: as many as ever. */
void daemon_limit_fds(struct daemon *d, uint64_t n);

/* Waits for its end; as waitpid(2) gives it. */
int daemon_await_exit(struct daemon *d, uint64_t limit_ms);

/* The rules for what an ended one leaves behind; takes that away. */
void daemon_check_remains(struct daemon *d);

/* -- what it says of itself ----------------------------------------------- */

/* Asks the control socket, one line of JSON each way; the answer is the
 * caller's to free. */
char *daemon_ask(struct daemon *d, const char *request);

/* The same for the census, again and again where a thread is too busy for it. */
char *daemon_ask_census(struct daemon *d);

/* The number behind "key": in such an answer. */
uint64_t daemon_number_in(const char *answer, const char *key);

/* The same in the answer to census. */
uint64_t daemon_census(struct daemon *d, const char *key);

/* Waits until the census says `key` is `value`, and fails after 10 s. */
void daemon_await_census(struct daemon *d, const char *key, uint64_t value);

/* All of the census's "now", as text, for comparing. The caller's to free. */
char *daemon_census_now(struct daemon *d);

/* Waits until that is `now`, that the balances hold and nothing was lost. */
void daemon_await_census_now(struct daemon *d, const char *now);

/* Its log so far, as a string; the caller's to free. */
char *daemon_log_text(struct daemon *d);

/* Does its log contain that? */
bool daemon_logged(struct daemon *d, const char *text);

/* Waits until it does, and fails after 10 s. */
void daemon_await_log(struct daemon *d, const char *text);

/* -- what the kernel says of it ------------------------------------------- */

/* Processor time used. */
uint64_t daemon_cpu_us(const struct daemon *d);
uint64_t daemon_cpu_ms(const struct daemon *d);

/* Its threads, without those that malloc has for itself. */
unsigned daemon_threads(struct daemon *d);

/* Connections that wait to be accepted on its port. */
unsigned daemon_listen_queue(struct daemon *d);

#endif
