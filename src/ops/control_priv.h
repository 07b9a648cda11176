/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_priv - the control socket's insides, for src/ops and its unit tests.
 *
 * Shape    A fixed number of connections. Each has at most one request under
 *          way and reads on only when that is answered, and the answer taken;
 *          so what an operator can make the server hold is bounded, and
 *          answers come in the order of the requests.
 *
 *         control_conn_open()        a whole line         control_answer()
 *  FREE ---------------> READING ---------------> WORKING ----------------.
 *    ^                    | ^  ^                                          v
 *    |  the last line was | |  +--------------- all is written ------- WRITING
 *    |  answered; deadline| |                                             |
 *    +--------------------+ +-- or thrown away, if the peer is gone       |
 *    +----------------------- deadline, or the answer was the last -------+
 *
 *  FREE     fd is -1, both buffers hold no memory, no deadline.
 *  READING  Watched for input. A whole request must come by the deadline.
 *  WORKING  A handler has it; control_answer() or control_refuse() comes once,
 *           now or later. At the deadline it is refused and a later answer is
 *           not heard.
 *  WRITING  Watched for room. The answer must be taken by the deadline.
 *
 * A peer that closes is read to its end first: the whole lines it sent are
 * carried out, as they would be in chat.
 */
#ifndef OPS_CONTROL_PRIV_H
#define OPS_CONTROL_PRIV_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "base/wheel.h"
#include "chat/event.h"
#include "loop/reactor.h"
#include "loop/worker.h"
#include "ops/control.h"

#define CONTROL_CONNS_MAX       16u
#define CONTROL_REQUEST_MAX     65536u /* bytes, the newline not counted */
#define CONTROL_ARGS_MAX        8u
#define CONTROL_DEADLINE_MS     10000u
#define CONTROL_ACCEPT_BUDGET   16u
#define CONTROL_ACCEPT_PAUSE_MS 100u /* when accept4() fails */
#define CONTROL_SENTENCE_MAX    4096u

struct survey;

enum control_state {
    CONTROL_FREE,
    CONTROL_READING,
    CONTROL_WORKING,
    CONTROL_WRITING,
};

const char *control_state_name(enum control_state state);

struct control_conn {
    /* set once */
    struct control *control;
    unsigned place; /* in control.conns */
    /* [main] */
    enum control_state state;
    int fd;
    uid_t uid;
    pid_t pid;
    uint32_t watched;      /* events that the reactor watches for */
    bool at_eof;           /* the peer will say no more */
    bool is_deaf;          /* nor listen: answers are thrown away */
    bool is_last;          /* closed once the answer is written */
    uint32_t serial;       /* of its requests, over all who had this place */
    enum refusal refused;  /* what the hub said so far of this one */
    struct survey *survey; /* that the request waits for; or NULL */
    struct buf in;
    struct buf out;
    size_t sent; /* bytes of `out` */
    struct reactor_source source;
    struct wheel_timer deadline;
    struct task step;
};

/* A request, as parsed. */
struct control_request {
    json_t *root; /* holds the bytes of what follows */
    struct slice command;
    struct slice as; /* say: whom it shows as the speaker; or empty */
    size_t argc;
    struct slice args[CONTROL_ARGS_MAX];
};

/* A row of the table of commands. */
struct control_command {
    const char *name;
    void (*run)(struct control_conn *c, const struct control_request *r);
    unsigned min_args;
    unsigned max_args;
    bool takes_as;
    const char *args; /* as in help: "ROOM TEXT" */
    const char *help;
};

struct control {
    /* set once */
    struct control_env env;
    struct worker *worker;
    const struct control_command *commands;
    size_t command_count;
    char *path;
    dev_t dev; /* of the socket at `path` */
    ino_t ino;
    int fd;
    /* [main] */
    struct reactor_source source;
    struct wheel_timer accept_pause;
    struct control_conn conns[CONTROL_CONNS_MAX];
};

/* ---- control.c ----------------------------------------------------------- */

/* control_open() with a table of commands; `commands` outlives it. */
MUST_CHECK int control_open_with(const struct control_env *env,
                                 const char *path,
                                 const struct control_command *commands,
                                 size_t command_count, struct control **out);

/* ---- control_socket.c: the file system's part ---------------------------- */

/* A listening socket at `path`, its directory made if missing. 0 and *fd; or
 * -EADDRINUSE (somebody answers there), -EEXIST (it is no socket), -EPERM
 * (others could replace it), -ENAMETOOLONG, or a system call's error. */
MUST_CHECK int control_socket_open(const char *path, int *fd);

/* ---- control_conn.c ------------------------------------------------------ */

void control_conn_init(struct control_conn *c, struct control *control,
                       unsigned place);

/* Takes over `fd`, a non-blocking socket. 0, or a negative errno with the fd
 * closed. */
MUST_CHECK int control_conn_open(struct control_conn *c, int fd, uid_t uid,
                                 pid_t pid);

/* FREE at once; what waits to be written is tried once. Harmless when FREE. */
void control_conn_close(struct control_conn *c);

/* The answer to the request under way. Takes `fields` over; NULL: memory is
 * short. Begin it with control_ok(). */
void control_answer(struct control_conn *c, json_t *fields);

/* The same, already text: a whole object without a newline. */
void control_answer_text(struct control_conn *c, const struct buf *text);

/* {"ok":false,"error":sentence}; several lines stay several. */
void control_refuse(struct control_conn *c, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* ---- control_json.c ------------------------------------------------------ */

/* {"ok":true}, to be added to; NULL when memory is short. */
json_t *control_ok(void);

/* A string of `text` with all that must not reach a terminal gone (but
 * newlines, if `keep_lines`). */
json_t *control_json_text(struct slice text, bool keep_lines);

/* Appends `value` as compact JSON and gives it back; NULL makes `out` fail. */
void control_json_append(json_t *value, struct buf *out);

/* ---- control_request.c: pure --------------------------------------------- */

/* 0 and *out; or -EINVAL with a sentence in `why`. */
MUST_CHECK int control_request_parse(struct slice line,
                                     struct control_request *out, char *why,
                                     size_t size);
void control_request_fini(struct control_request *r);

/* ---- control_commands.c -------------------------------------------------- */

extern const struct control_command control_commands[];
extern const size_t control_command_count;

/* ---- control_dispatch.c -------------------------------------------------- */

/* Finds the command of a line and runs it; what is wrong is answered. */
void control_dispatch(struct control_conn *c, struct slice line);

void control_on_help(struct control_conn *c, const struct control_request *r);

/* ---- control_status.c, control_lists.c, census.c ------------------------- */

void control_on_status(struct control_conn *c, const struct control_request *r);
void control_on_clients(struct control_conn *c,
                        const struct control_request *r);
void control_on_sessions(struct control_conn *c,
                         const struct control_request *r);
void control_on_rooms(struct control_conn *c, const struct control_request *r);
void control_on_census(struct control_conn *c, const struct control_request *r);

/* ---- control_chat.c ------------------------------------------------------ */

void control_on_say(struct control_conn *c, const struct control_request *r);
void control_on_broadcast(struct control_conn *c,
                          const struct control_request *r);
void control_on_kick(struct control_conn *c, const struct control_request *r);

/* What an operator reads of it. */
const char *control_refusal_sentence(enum refusal refusal);

#endif
