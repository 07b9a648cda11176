/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hostile - what the files of the runner of declarative cases share.
 *
 * Shape    case_file.c reads a file into cases of steps of words; nothing of
 *          it is carried out. case_text.c turns what stands in quotes into
 *          bytes. case_run.c carries out the steps of one case, by tables of
 *          verbs: case_client.c (what clients do), case_hear.c (what they
 *          must hear), case_server.c (what is done to the server),
 *          case_config.c (files and `klatchd -t`).
 *          case_judge.c knows what may be on a terminal and in a log.
 * Memory   What a case needs lives until the process of that case ends; see
 *          keep().
 * Errors   Everything that is wrong, in a file or with the server, ends the
 *          case and is told as FILE:LINE: CASE: what.
 */
#ifndef HOSTILE_HOSTILE_H
#define HOSTILE_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/daemon.h"
#include "support/peer.h"

/* -- a file of cases ------------------------------------------------------ */

struct word {
    bool is_text; /* it stood in quotes; `raw` is without them */
    const char *raw;
};

struct step {
    unsigned line;
    size_t count;
    struct word *words;
    const char *block; /* of the lines with a `|`, raw; NULL: there are none */
    size_t end;        /* of `for`: the index of its `end` */
};

struct hostile_case {
    const char *name;
    unsigned line;
    const char *own_daemon; /* config, raw; NULL: the file's */
    struct step *steps;
    size_t count;
};

struct case_file {
    const char *path;
    const char *daemon; /* config, raw; NULL: its cases need none */
    struct hostile_case *cases;
    size_t count;
};

/* Reads it, or says FILE:LINE: what, and ends the program. */
void case_file_read(struct case_file *file, const char *path);

/* -- words and bytes ------------------------------------------------------ */

struct bytes {
    char *data; /* a NUL follows */
    size_t len;
};

/* Memory until the process ends, zeroed. */
void *keep(size_t size);
char *keep_text(const char *text, size_t len);

/* Gives ${NAME} in later text a value, itself raw. */
void text_set(const char *name, const char *raw);

/* What raw text stands for; README.md has its grammar. */
struct bytes text_bytes(const char *raw);
const char *text_string(const char *raw);
uint64_t text_number(const char *raw);

/* -- a running case ------------------------------------------------------- */

#define CLIENTS_MAX 32
#define INNOCENT    0 /* the client that is in every case with a server */

enum client_way {
    WAY_AUTO,
    WAY_LINE,
    WAY_UNIX,
    WAY_CONTROL,
};

struct client {
    const char *name;
    struct peer peer;
    enum client_way way;
    bool is_open;    /* ours is */
    bool has_nick;   /* so it may ask the hub something */
    bool saw_end;    /* of the stream, as was expected */
    bool is_ignored; /* what it has not read at the end is no matter */
};

struct run {
    const struct case_file *file;
    const struct hostile_case *hostile_case;
    struct daemon *daemon; /* NULL: none */
    bool is_own;           /* it is this case's alone */
    uint16_t pinned_port;
    struct client clients[CLIENTS_MAX];
    size_t client_count;
    size_t log_from; /* where its log begins to be this case's */
};

/* Runs one case, to its end; `pinned_port` is of the file's daemon. */
void case_run(const struct case_file *file, const struct hostile_case *c,
              struct daemon *daemon, uint16_t pinned_port);

/* The daemon that cases are run against, with `config` besides. Returns the
 * port of its pinned listener. */
uint16_t case_daemon_start(struct daemon *d, const char *config);

/* As it must be at the end: nothing is left, and its log is clean. */
void case_daemon_stop(struct daemon *d);

/* -- carrying out --------------------------------------------------------- */

typedef void (*step_fn)(struct run *r, const struct step *s);

/* False: no such verb. */
bool server_step(struct run *r, const struct step *s);
bool config_step(struct run *r, const struct step *s);

/* `s->words[0]` names the client. */
void client_step(struct run *r, const struct step *s);

/* The word at `i`, its variables filled in; fails when there is none. */
const char *step_word(const struct step *s, size_t i);
bool step_has(const struct step *s, size_t i, const char *word);

void config_begin(void);
void config_finish(void);

/* -- clients -------------------------------------------------------------- */

struct client *client_named(struct run *r, const char *name);
void client_connect(struct run *r, struct client *c, enum client_way way,
                    const char *from);
void client_enter(struct client *c);

/* Carries out a step whose second word is `hears`. */
void client_hears(struct run *r, struct client *c, const struct step *s);

/* The next line, which must be fit for a terminal; NULL at the end of the
 * stream. It lives until the next call. */
const char *client_line(struct client *c, const char *waiting_for);

/* All it was sent, and all its requests caused, has been read: nothing may be
 * left and it must still be connected. */
void client_expect_nothing(struct run *r, struct client *c);

/* The server has read what the client sent, and has sent what came of it. */
void client_await_read(struct run *r, struct client *c);

/* -- judging -------------------------------------------------------------- */

/* What is wrong with it on somebody's terminal, or NULL. */
const char *fault_of_text(const char *data, size_t len);

/* The log from `from` on: whole lines, each well formed, none of level error.
 * Returns where it ends. */
size_t judge_log(struct daemon *d, size_t from);

/* Text for a message: what cannot be printed is escaped. */
const char *printable(const char *data, size_t len);

#endif
