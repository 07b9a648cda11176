/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A conversation: several clients of the line protocol, an operator and the
 * time, all told by the input, against the real front, hub and conns on one
 * worker, with no kernel below (fake_net.h).
 *
 * Input    The first byte is the mode, the second how what is said is cut when
 *          it is said again. The rest goes to the client whose turn it is, up
 *          to a mark, the byte 0xC1, which no UTF-8 and no telnet has:
 *            a … d   that client's turn; it connects when it is not there
 *            f r     it ends: FIN, RST        z  it goes on
 *            s N     so many bytes more does it read; 255: all
 *            t N     N × 100 ms go by         T N  N seconds
 *            n k     the operator: news for all; kick of who is called ada
 *            0xC1    the byte itself
 * Holds    What a client reads is clean UTF-8 in whole lines. A witness that
 *          says nothing is still there at the end and hears what is said then.
 *          No conn is without a deadline, and every count comes back. Cut into
 *          other pieces, what is said makes everybody read the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/msg.h"
#include "base/utf8.h"
#include "base/wheel.h"
#include "chat/hub_thread.h"
#include "fuzz/fake_net.h"
#include "loop/worker.h"
#include "net/conns.h"
#include "proto/front.h"
#include "support/fuzz.h"

#define MARK         '\xC1'
#define CLIENTS      4u
#define LIVES        8u   /* conns, over all clients */
#define TURNS_MAX    4000 /* to calm down */
#define LINES_MAX    2000u
#define PATIENCE_S   5000
#define TELNET_EOF   236
#define TELNET_IP    244
#define TELNET_IAC   255
#define TELNET_REPLY 3u /* bytes */

enum mode {
    MODE_DETECTS = 1,
    MODE_PACED = 2,
    MODE_TIGHT = 4, /* small windows and queues: then cutting may matter */
};

static struct {
    struct worker *worker;
    struct hub *hub;
    struct hub_thread *hub_thread;
    struct conns *conns;
    struct front *front;
    int witness;
    int clients[CLIENTS]; /* 0: not there */
    int all[LIVES];       /* in the order in which they came */
    size_t lives;
} rig;

/* ---- the server ----------------------------------------------------------- */

static void
operator_hears(void *arg, const struct delivery *d, size_t n)
{
}

static void
front_hears(void *arg, const struct delivery *d, size_t n)
{
    front_on_batch(rig.front, d, n);
}

static void
hub_start(const struct chat_conf *chat)
{
    const struct hub_conf conf = {.workers = 1, .chat = *chat};
    const struct hub_sink sinks[] = {
        {rig.worker, front_hears,    NULL},
        {rig.worker, operator_hears, NULL},
    };
    struct hub_thread_env env = {
        .worker = rig.worker,
        .sinks = sinks,
        .sink_count = ARRAY_LEN(sinks),
    };

    ASSERT(hub_create(&conf, &rig.hub) == 0);
    env.hub = rig.hub;
    ASSERT(hub_thread_create(&env, &rig.hub_thread) == 0);
}

static void
front_start(const struct proto_conf *proto, bool detects)
{
    const struct front_listener pin = {.protocol = FRONT_LINE};
    const struct front_env env = {.hub = rig.hub_thread};

    ASSERT(front_create(&env, proto, &rig.front) == 0);
    if (!detects)
        ASSERT(front_set_listener(rig.front, &pin) == 0);
}

static void
server_start(unsigned mode)
{
    const struct worker_conf conf = {.name = "fuzz", .cpu = -1};
    struct conns_env env = {.on_accepted = front_on_accepted};
    struct net_conf net;
    struct proto_conf proto;
    struct chat_conf chat;

    net_conf_init(&net);
    proto_conf_init(&proto);
    chat_conf_init(&chat);
    /* Tokens are random, and two plays of a story are compared; what outlives
     * its conn is the affair of fuzz_hub. */
    proto.session_linger = 0;
    chat.session_linger = 0;
    net.limits_recvq = 4096; /* the least: it is allocated each time */
    if ((mode & MODE_PACED) != 0) {
        proto.limits_message_rate = 2;
        proto.limits_message_burst = 3;
    }
    if ((mode & MODE_TIGHT) != 0) {
        net.limits_sendq = 4096;
        proto.limits_line_length = 64;
        proto.limits_client_window = 1;
        proto.limits_worker_window = 64;
        chat.limits_rooms = 3;
        chat.limits_rooms_per_user = 2;
        chat.history_keep_events = 4;
    }

    ASSERT(worker_create(&conf, &rig.worker) == 0);
    hub_start(&chat);
    front_start(&proto, (mode & MODE_DETECTS) != 0);
    env.worker = rig.worker;
    env.arg = rig.front;
    ASSERT(conns_create(&env, &net, &rig.conns) == 0);
    front_set_conns(rig.front, rig.conns);
}

/* Turns until one had nothing to do. */
static void
settle(void)
{
    unsigned turns = 0;

    (void)fake_net_is_idle();
    do {
        ASSERT(turns++ < TURNS_MAX);
        worker_turn(rig.worker);
    } while (!fake_net_is_idle());
    ASSERT(metric_read(&conns_counters(rig.conns)->without_deadline) == 0);
}

/* The first turn begins in the past. */
static void
pass(uint64_t ms)
{
    fake_net_pass_ms(ms);
    worker_turn(rig.worker);
    settle();
}

static void
check_all_came_back(void)
{
    const struct conns_counters *const counters = conns_counters(rig.conns);
    struct hub_census census;

    hub_check(rig.hub);
    hub_count(rig.hub, &census);
    ASSERT(census.users == 0 && census.sessions == 0 && census.members == 0);
    ASSERT(census.rooms == 1);
    for (size_t i = 0; i < front_metric_count; i++)
        if (front_metrics[i].kind == METRIC_GAUGE)
            ASSERT(metric_read_at(front_counters(rig.front),
                                  &front_metrics[i]) == 0);
    ASSERT(metric_read(&counters->open) == 0);
    ASSERT(metric_read(&counters->paused) == 0);
    ASSERT(metric_read(&counters->kept_bytes) == 0);
    ASSERT(metric_read(&counters->pending_msgs) == 0);
    ASSERT(metric_read(&counters->queued_bytes) ==
           metric_read(&counters->sent_bytes) +
               metric_read(&counters->dropped_bytes));
    ASSERT(worker_wheel(rig.worker)->armed == 0);
    ASSERT(msg_live() == 0);
}

static void
server_stop(void)
{
    conns_destroy(rig.conns);
    front_destroy(rig.front);
    hub_thread_destroy(rig.hub_thread);
    hub_destroy(rig.hub);
    worker_destroy(rig.worker);
    ASSERT(event_live() == 0);
}

/* ---- clients -------------------------------------------------------------- */

static int
enter(void)
{
    struct accepted s = {.peer.family = AF_UNIX};

    s.fd = fake_net_connect();
    conns_adopt(rig.conns, &s);
    settle();
    return s.fd;
}

static void
say(int fd, struct slice bytes, size_t step)
{
    while (bytes.len > 0) {
        const size_t len = bytes.len < step ? bytes.len : step;

        fake_net_say(fd, slice_make(bytes.data, len));
        settle();
        bytes = slice_make(bytes.data + len, bytes.len - len);
    }
}

static void
operator_asks(enum command_kind kind)
{
    const struct command c = {
        .kind = kind,
        .from.conn = UINT64_C(1) << 56 | 1, /* behind the last worker */
        .name = slice_of("ada"),
        .text = slice_of("because"),
    };

    ASSERT(hub_thread_send(rig.hub_thread, &c) == 0);
    settle();
}

/* ---- the story ------------------------------------------------------------ */

struct story {
    struct slice rest;
    size_t step; /* pieces in which it is said */
    int *turn;   /* whose */
};

static unsigned
take_byte(struct story *s)
{
    unsigned byte;

    if (s->rest.len == 0)
        return 0;
    byte = (unsigned char)s->rest.data[0];
    s->rest = slice_make(s->rest.data + 1, s->rest.len - 1);
    return byte;
}

/* False: enough have come. */
static bool
take_turn(struct story *s, unsigned client)
{
    s->turn = &rig.clients[client];
    if (*s->turn != 0)
        return true;
    if (rig.lives == LIVES)
        return false;
    *s->turn = enter();
    rig.all[rig.lives++] = *s->turn;
    return true;
}

static void
give_room(int fd, unsigned bytes)
{
    fake_net_give_room(fd, bytes == 255 ? FAKE_ROOM_ALL : bytes);
    settle();
}

static void
end(struct story *s, void (*how)(int fd))
{
    how(*s->turn);
    *s->turn = 0;
    settle();
    s->turn = NULL;
}

/* A mark was read. False: the story ends. */
static bool
carry_out(struct story *s)
{
    const unsigned what = take_byte(s);

    if (what >= 'a' && what < 'a' + CLIENTS)
        return take_turn(s, what - 'a');
    if (s->turn == NULL && !take_turn(s, 0))
        return false;
    switch (what) {
    case 'f':
        end(s, fake_net_finish);
        break;
    case 'r':
        end(s, fake_net_reset);
        break;
    case 's':
        give_room(*s->turn, take_byte(s));
        break;
    case 't':
        pass(take_byte(s) * 100u);
        break;
    case 'T':
        pass(take_byte(s) * 1000u);
        break;
    case 'n':
        operator_asks(COMMAND_ANNOUNCE);
        break;
    case 'k':
        operator_asks(COMMAND_KICK);
        break;
    case 0xC1:
        say(*s->turn, slice_of("\xC1"), 1);
        break;
    default:
        break;
    }
    return true;
}

static void
tell(struct story *s)
{
    while (s->rest.len > 0) {
        const char *const mark = memchr(s->rest.data, MARK, s->rest.len);
        const size_t len =
            mark != NULL ? (size_t)(mark - s->rest.data) : s->rest.len;

        if (len > 0 && s->turn == NULL && !take_turn(s, 0))
            return;
        if (len > 0)
            say(*s->turn, slice_make(s->rest.data, len), s->step);
        s->rest = slice_make(s->rest.data + len, s->rest.len - len);
        if (mark != NULL) {
            (void)take_byte(s);
            if (!carry_out(s))
                return;
        }
    }
}

/* ---- what came of it ------------------------------------------------------ */

static void
check_line(struct slice line)
{
    struct buf clean;

    buf_init(&clean);
    utf8_clean(line, UTF8_KEEP_FORMATTING | UTF8_KEEP_TABS, &clean);
    ASSERT(slice_equal(line, slice_make(clean.data, clean.len)));
    buf_fini(&clean);
}

/* Without the answers to telnet, which stand between messages, and without the
 * CRs of line ends. */
static void
strip(struct slice from, struct buf *out)
{
    size_t kept = 0; /* all before is in `out`, or left out */

    for (size_t i = 0; i < from.len; i++) {
        const bool is_iac = (unsigned char)from.data[i] == TELNET_IAC;
        const bool is_end = from.data[i] == '\r' && i + 1 < from.len &&
                            from.data[i + 1] == '\n';

        if (!is_iac && !is_end)
            continue;
        buf_append(out, from.data + kept, i - kept);
        kept = i + (is_iac ? TELNET_REPLY : 1);
        if (kept > from.len)
            kept = from.len;
        i = kept - 1;
    }
    if (kept < from.len)
        buf_append(out, from.data + kept, from.len - kept);
}

/* Takes a line off the front, without its end; what follows the last may be
 * a prompt, or cut. */
static bool
take_line(struct slice *rest, struct slice *line)
{
    const char *const lf =
        rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;

    if (lf == NULL)
        return false;
    *line = slice_make(rest->data, (size_t)(lf - rest->data));
    *rest = slice_make(lf + 1, rest->len - line->len - 1);
    return true;
}

static int
by_bytes(const void *a, const void *b)
{
    const struct slice *const x = a;
    const struct slice *const y = b;
    const size_t len = x->len < y->len ? x->len : y->len;
    const int order = len > 0 ? memcmp(x->data, y->data, len) : 0;

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* The rest of a line behind the prompt. */
static struct slice
without_prompt(struct slice line)
{
    const struct slice prompt = slice_of("Nickname: ");

    while (line.len >= prompt.len &&
           memcmp(line.data, prompt.data, prompt.len) == 0)
        line = slice_make(line.data + prompt.len, line.len - prompt.len);
    return line;
}

/* Checks the lines of `heard`, and appends them, sorted. What a client is told
 * at once and what the hub answers may change places when a line comes later,
 * and so may that a peer wants CRs or knows telnet; what is said may not. */
static void
note_heard(struct slice heard, struct buf *out)
{
    static struct slice lines[LINES_MAX];
    struct slice rest;
    struct buf text;
    size_t n = 0;

    buf_init(&text);
    strip(heard, &text);
    rest = slice_make(text.data, text.len);
    while (n < LINES_MAX && take_line(&rest, &lines[n])) {
        check_line(lines[n]);
        lines[n] = without_prompt(lines[n]);
        n += lines[n].len > 0;
    }
    qsort(lines, n, sizeof(*lines), by_bytes);
    for (size_t i = 0; i < n; i++) {
        buf_append(out, lines[i].data, lines[i].len);
        buf_append_char(out, '\n');
    }
    buf_fini(&text);
}

static bool
ends_with(struct slice text, const char *end)
{
    const size_t len = strlen(end);

    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

static bool
are_all_gone(void)
{
    for (size_t i = 0; i < rig.lives; i++)
        if (!fake_net_server_closed(rig.all[i]))
            return false;
    return true;
}

/* All go, at the latest when each line has had its time. Then somebody comes,
 * speaks, and is heard. */
static void
check_witness(void)
{
    unsigned seconds = 0;
    int canary;

    for (size_t i = 0; i < rig.lives; i++)
        fake_net_finish(rig.all[i]);
    settle();
    for (; !are_all_gone(); seconds++) {
        ASSERT(seconds < PATIENCE_S);
        pass(1000);
    }

    canary = enter();
    say(canary, slice_of("canary\nstill there?\n"), SIZE_MAX);
    ASSERT(!fake_net_server_finished(rig.witness));
    ASSERT(ends_with(fake_net_heard(rig.witness),
                     "* canary joined #lobby.\n<canary> still there?\n"));
    fake_net_reset(canary);
    fake_net_reset(rig.witness);
    settle();
}

/* Plays it, and appends what each client heard, and how it ended. */
static void
play(unsigned mode, struct slice story, size_t step, struct buf *heard)
{
    struct story s = {.rest = story, .step = step};

    fake_net_start(1000000);
    memset(rig.clients, 0, sizeof(rig.clients));
    rig.lives = 0;
    server_start(mode);
    rig.witness = enter();
    say(rig.witness, slice_of("witness\n"), SIZE_MAX);

    tell(&s);
    for (size_t i = 0; i < rig.lives; i++) {
        buf_printf(heard, "client %zu, %d%d:\n", i,
                   fake_net_server_finished(rig.all[i]),
                   fake_net_server_closed(rig.all[i]));
        note_heard(fake_net_heard(rig.all[i]), heard);
    }
    check_witness();
    note_heard(fake_net_heard(rig.witness), heard);
    check_all_came_back();
    server_stop();
}

/* Does a client read only so many bytes, at least for a while? */
static bool
reads_in_part(struct slice story)
{
    for (size_t i = 0; i + 2 < story.len; i++)
        if (story.data[i] == MARK && story.data[i + 1] == 's' &&
            (unsigned char)story.data[i + 2] != 255)
            return true;
    return false;
}

/* Telnet's interrupt is obeyed at once, past what still waits for the hub; so it
 * matters when it comes. And who reads in part has read something else when the
 * hub's answers and the worker's have changed places. */
static bool
may_be_cut(unsigned mode, struct slice story)
{
    const bool interrupts = memchr(story.data, TELNET_IAC, story.len) != NULL &&
                            (memchr(story.data, TELNET_IP, story.len) != NULL ||
                             memchr(story.data, TELNET_EOF, story.len) != NULL);

    return (mode & MODE_TIGHT) == 0 && !interrupts && !reads_in_part(story);
}

/* Both are shown, for whoever has to find out why they differ. */
static void
check_same(const struct buf *whole, const struct buf *cut)
{
    const bool is_same = slice_equal(slice_make(whole->data, whole->len),
                                     slice_make(cut->data, cut->len));

    if (!is_same)
        fprintf(stderr, "---- whole\n%.*s\n---- cut\n%.*s\n", (int)whole->len,
                whole->data, (int)cut->len, cut->data);
    ASSERT(is_same);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, cut;
    struct slice story;
    unsigned mode;
    size_t step;

    if (size < 3)
        return 0;
    log_set_level(LOG_LEVEL_ERROR);
    mode = data[0];
    step = data[1] % 64u + 1;
    story = slice_make(data + 2, size - 2);

    buf_init(&whole);
    buf_init(&cut);
    play(mode, story, SIZE_MAX, &whole);
    if (may_be_cut(mode, story)) {
        play(mode, story, step, &cut);
        check_same(&whole, &cut);
    }
    buf_fini(&whole);
    buf_fini(&cut);
    fake_net_start(0);
    return 0;
}
