/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn - one client connection, from accept to free.
 *
 * Threads  A conn lives and dies on one worker and never moves. All calls are
 *          [owner]. Other threads know a conn only by its conn_id and reach it
 *          by a post to its worker; the id may be stale by then and is simply
 *          not found.
 * Memory   Made by conns_adopt() from an accepted socket. conn_close() ends it
 *          at once for the world (fd closed, queue dropped, timers off, id
 *          stale); on_closed is called and the memory given back at the end of
 *          the turn, after the last callback. So no callback ever returns into
 *          a freed conn.
 *
 *            conn_enter()      conn_enter()       conn_enter()
 *  ACCEPTED -----------> DETECT -----------> OPENING -----------> OPEN
 *     |                    |                    |                   |
 *     |  a pinned protocol may pass over DETECT, OPENING or both    |
 *     |                    |                    |                   |
 *     +--------------------+---------+----------+-------------------+
 *                                    |
 *                                    | conn_drain()
 *                                    v
 *      conn_close()              DRAINING
 *      from any state                | flushed and acknowledged,
 *            |                       | or deadline
 *            |                       v
 *            +-------------------> CLOSED
 *
 *  ACCEPTED  Adopted this turn, not yet read. Deadline: timeouts.detect.
 *  DETECT    Which protocol? Bytes are offered but stay. timeouts.detect.
 *  OPENING   A protocol is chosen; who is it? timeouts.opening.
 *  OPEN      Attached to the hub, or about to be. Heartbeat: timeouts.idle_ping.
 *  DRAINING  Input is read and thrown away; the queue only shrinks, then our
 *            side is shut down and we wait for the peer's FIN or its last
 *            acknowledgement, so that no RST of ours overtakes what we said.
 *            timeouts.drain.
 *  CLOSED    fd is -1, queue empty, timers off. on_closed is due or done.
 *
 * Reading  Edge-triggered, conf recvq bytes a turn at most, then the conn goes
 *          to the back of the worker's ready list. Bytes go through one buffer
 *          a worker; only what on_bytes did not consume is kept by the conn.
 *          Reading pauses while any of enum conn_pause is set; TCP then slows
 *          the peer. Data before EOF or RST is always offered first.
 * Writing  conn_queue() in any number and from any callback; everything goes
 *          out in order with writev at the end of the turn. Short writes,
 *          EAGAIN and EINTR are normal; EPOLLOUT is watched only while
 *          something is left.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id.h"
#include "base/metric.h"
#include "net/addr.h"
#include "net/net_conf.h"

struct conn;
struct conns;
struct msg;
struct worker;

/* Unconsumed input that a conn may keep while its protocol reads on. */
#define CONN_KEPT_MAX 131072u

/* {worker:8, generation:28, slot:28}; 0 is nobody. Everyone may hold one. */
typedef uint64_t conn_id;

#define CONN_NONE        0u
#define CONN_WORKERS_MAX 255

static inline unsigned
conn_id_worker(conn_id id)
{
    return (unsigned)(id >> 56);
}

enum conn_state {
    CONN_ACCEPTED,
    CONN_DETECT,
    CONN_OPENING,
    CONN_OPEN,
    CONN_DRAINING,
    CONN_CLOSED,
};

#define CONN_STATE_COUNT 6

const char *conn_state_name(enum conn_state state);

/* Why a conn ended; logged as reason=, counted, told to nobody's terminal. */
/* clang-format off */
#define CONN_ENDS(X)                                                          \
    X(EOF,       "eof",        "the peer closed")                             \
    X(RESET,     "reset",      "the peer reset the connection")               \
    X(TIMEOUT,   "timeout",    "the peer stopped answering (kernel)")         \
    X(IDLE,      "idle",       "no sign of life in time")                     \
    X(OPENING,   "opening",    "gave no nickname in time")                    \
    X(QUIT,      "quit",       "asked to leave")                              \
    X(KICKED,    "kicked",     "an operator ended it")                        \
    X(REPLACED,  "replaced",   "its session went on in another connection")   \
    X(SENDQ,     "sendq",      "read too slowly")                             \
    X(PROTOCOL,  "protocol",   "spoke a protocol that is not served")         \
    X(DRAIN,     "drain",      "did not take its last bytes in time")         \
    X(SHUTDOWN,  "shutdown",   "the server stopped")                          \
    X(NOMEM,     "nomem",      "memory was short")                            \
    X(ERROR,     "error",      "the socket failed")
/* clang-format on */

#define CONN_END_ENUM(id, name, help) CONN_END_##id,
enum conn_end {
    CONN_ENDS(CONN_END_ENUM) CONN_END_COUNT,
};

const char *conn_end_name(enum conn_end end);

/* Reasons not to read; reading goes on when none is left. */
enum conn_pause {
    CONN_PAUSE_QUEUE = BIT(0),  /* its own: the write queue is high */
    CONN_PAUSE_WINDOW = BIT(1), /* too many unanswered commands */
    CONN_PAUSE_RATE = BIT(2),   /* talks too fast */
    CONN_PAUSE_ANSWER = BIT(3), /* what comes next depends on an answer */
    CONN_PAUSE_STOP = BIT(4),   /* the server is about to stop */
    CONN_PAUSE_BEHIND = BIT(5), /* it is to read first what it has missed */
};

/* What a protocol is to a conn. All are called on the conn's worker. */
struct conn_ops {
    const char *name; /* "detect", "line" … */

    /* `len` > 0 bytes wait. Returns how many it consumed; the rest is offered
     * again, with what came after it, when more has come or reading resumes;
     * leaving more than CONN_KEPT_MAX and reading on ends the conn.
     * May pause, queue, change ops, drain or close; once the conn is paused,
     * draining or closed it should return. After a change of ops the new
     * protocol is offered the rest at once. */
    size_t (*on_bytes)(struct conn *c, const char *data, size_t len);

    /* The peer closed its side; everything before was offered. `rest` bytes
     * were never consumed. Must end in conn_drain() or conn_close(), at once
     * or, by timeouts.drain at the latest, when answers have come. */
    void (*on_eof)(struct conn *c, size_t rest);

    /* The deadline of ACCEPTED, DETECT, OPENING or the heartbeat of OPEN. The
     * heartbeat comes when nothing was heard for timeouts.idle_ping, then every
     * timeouts.pong until something is; not while reading is paused, but a peer
     * that we wait for (CONN_PAUSE_QUEUE, _BEHIND) and that takes nothing of its
     * queue for timeouts.slow ends (CONN_END_SENDQ).
     * In the other states the conn is closed (CONN_END_OPENING) unless the
     * callback called conn_enter() or conn_put_off(), or ended it. NULL: nothing
     * to do. */
    void (*on_deadline)(struct conn *c);

    /* What conn_await_drained() asked for, once. NULL if it is never asked. */
    void (*on_drained)(struct conn *c);

    /* Inside conn_close(), wherever that is: from now on nothing is taken for
     * the peer. Only to be noted. NULL: nothing to note. */
    void (*on_closing)(struct conn *c);

    /* Last call; `c` is CLOSED and freed afterwards. */
    void (*on_closed)(struct conn *c, enum conn_end end);
};

/* Queues one reference to `m`; the caller keeps its own. 0, -ENOBUFS when the
 * queue would pass conf sendq (the conn is then closing: CONN_END_SENDQ),
 * -ENOMEM (likewise: CONN_END_NOMEM), -ESHUTDOWN when it takes no output. */
int conn_queue(struct conn *c, struct msg *m);

/* As conn_queue(), but takes over the caller's reference, also on failure.
 * A NULL `m` counts as -ENOMEM, so a builder's result can be passed on. */
int conn_queue_take(struct conn *c, struct msg *m);

/* False: it is draining or closed, or its socket failed, and what is queued
 * (-ESHUTDOWN) or was is not sent. Once it is false it stays so. */
bool conn_takes_output(const struct conn *c);

/* Would conn_queue() of `len` bytes fit into conf sendq? When it seems not, what
 * can be written now is, so that a burst does not count against a peer that
 * reads. May end the conn; true, when it takes no output any more. */
MUST_CHECK bool conn_has_room(struct conn *c, size_t len);

/* Who is not OPEN yet is asked for that in so many ms from now: on_deadline. */
void conn_put_off(struct conn *c, uint64_t delay_ms);

/* Drops what waits but for the rest of a msg that is half written. */
void conn_drop_unsent(struct conn *c);

/* on_drained is called, once, at the end of a turn in which no more than a
 * little (CONN_DRAINED_BYTES, or an eighth of sendq) waits to be written; of
 * this one, perhaps. */
#define CONN_DRAINED_BYTES 32768u
void conn_await_drained(struct conn *c);
bool conn_is_drained(const struct conn *c); /* no more than that waits now */

/* Bytes ever queued, less those dropped: the place of the end of the queue in
 * the stream. */
uint64_t conn_queued_upto(const struct conn *c);

/* Bytes of the stream that the peer's TCP has acknowledged (SIOCOUTQ, tcp(7));
 * of a Unix socket, that its peer has read, as far as is known. Also in
 * on_closed. */
uint64_t conn_acked_upto(const struct conn *c);

/* Moves on to DETECT, OPENING or OPEN and arms its deadline. Does nothing when
 * the conn is draining or closed, nor to the deadline of one that is at EOF. */
void conn_enter(struct conn *c, enum conn_state to);

/* Says goodbye: no more input, flush, then close as `end`; as CONN_END_DRAIN
 * when timeouts.drain was not enough. Harmless when draining or closed. */
void conn_drain(struct conn *c, enum conn_end end);

/* Ends it now; what is queued is dropped. Harmless when closed. A peer that is
 * given up (CONN_END_SENDQ, _TIMEOUT) is sent a RST, and nothing that it has not
 * acknowledged. */
void conn_close(struct conn *c, enum conn_end end);

void conn_pause(struct conn *c, enum conn_pause why);
void conn_resume(struct conn *c, enum conn_pause why);

/* Not at its end, and nothing pauses it: on_bytes may go on. */
bool conn_is_reading(const struct conn *c);

/* Pauses, and resumes `why` after `delay_ms`. There is one timer: the last
 * delay asked for counts, for all that was paused so. */
void conn_pause_for(struct conn *c, enum conn_pause why, uint64_t delay_ms);

/* Replaces the protocol. `data` is the new one's own. Bytes that the old one
 * left are offered to the new one: inside on_bytes when that returns, else in
 * the next turn. */
void conn_set_ops(struct conn *c, const struct conn_ops *ops, void *data);
void *conn_data(const struct conn *c);

conn_id conn_get_id(const struct conn *c);
enum conn_state conn_get_state(const struct conn *c);
enum conn_end conn_get_end(const struct conn *c);
bool conn_at_eof(const struct conn *c); /* the peer's FIN was read */
const struct conn_ops *conn_get_ops(const struct conn *c);
const struct addr *conn_peer(const struct conn *c);
unsigned conn_listener(const struct conn *c); /* index given at hand-over */
struct conns *conn_conns(const struct conn *c);
size_t conn_queued_bytes(const struct conn *c);
uint64_t conn_opened_ms(const struct conn *c); /* monotonic */
uint64_t conn_heard_ms(const struct conn *c);  /* last byte in */
uint64_t conn_bytes_in(const struct conn *c);
uint64_t conn_bytes_out(const struct conn *c);

#endif
