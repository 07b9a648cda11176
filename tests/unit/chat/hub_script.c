/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_script - see hub_script.h.
 */
#include "hub_script.h"

#include <string.h>

#include "base/compiler.h"

#define TEN       "0123456789"
#define X16       "xxxxxxxxxxxxxxxx"
#define E_NFC     "\xC3\xA9"
#define E_NFD     "e\xCC\x81"
#define E_NFD_BIG "E\xCC\x81"

static const char *const nicks[] = {
    "anna",    "Anna",    "ANNA",      "berta",     "carl",          "Straße",
    "STRASSE", "strasse", "Ren" E_NFC, "ren" E_NFD, "REN" E_NFD_BIG, "小明",
    "dora",    "emil",    "[f]",       "_g_",
};

static const char *const bad_nicks[] = {
    "Server", "KLATCHD", "",           "1anna",    "-anna",
    "an na",  "#anna",   "an\x1B[mna", "an\xFFna", X16 X16 "x",
};

static const char *const rooms[] = {
    "#lobby",  "#LOBBY",   "#tea", "#Tea", "#caf" E_NFC, "#CAF" E_NFD_BIG,
    "#straße", "#STRASSE", "#茶",  "##",   "#a",         "#b",
};

static const char *const bad_rooms[] = {
    "",
    "#",
    "tea",
    "#a b",
    "#a,b",
    "#\xC3",
    "#a\xE2\x80\x8B",
    "#" X16 X16 X16 X16,
};

static const char *const texts[] = {
    "hello",
    "how are you?",
    "小明, 你好",
    "x",
    "",
    TEN TEN TEN TEN TEN TEN,
    TEN TEN TEN "1234567小明", /* cut in the middle of one */
};

struct weight {
    enum command_kind kind;
    uint32_t parts;
};

/* More coming than going, and much talk. */
static const struct weight weights[] = {
    {COMMAND_ATTACH,   10},
    {COMMAND_DETACH,   7 },
    {COMMAND_NICK,     6 },
    {COMMAND_JOIN,     20},
    {COMMAND_PART,     6 },
    {COMMAND_SAY,      22},
    {COMMAND_TELL,     8 },
    {COMMAND_TOPIC,    6 },
    {COMMAND_AWAY,     6 },
    {COMMAND_WHO,      4 },
    {COMMAND_ROOMS,    2 },
    {COMMAND_HISTORY,  4 },
    {COMMAND_PING,     2 },
    {COMMAND_RESUME,   8 },
    {COMMAND_CATCH_UP, 7 },
    {COMMAND_ACKS,     2 },
    {COMMAND_ACK,      2 },
    {COMMAND_OPER_SAY, 3 },
    {COMMAND_ANNOUNCE, 2 },
    {COMMAND_KICK,     1 },
};

static uint32_t
draw(struct script *s, uint32_t n)
{
    return s->draw(s->arg, n);
}

static struct slice
pick(struct script *s, const char *const *from, size_t count)
{
    return slice_of(from[draw(s, (uint32_t)count)]);
}

#define PICK(s, from) pick((s), (from), ARRAY_LEN(from))

static enum command_kind
draw_kind(struct script *s)
{
    uint32_t sum = 0;
    uint32_t at;

    for (size_t i = 0; i < ARRAY_LEN(weights); i++)
        sum += weights[i].parts;
    at = draw(s, sum);
    for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
        if (at < weights[i].parts)
            return weights[i].kind;
        at -= weights[i].parts;
    }
    return COMMAND_PING;
}

static uint64_t
conn_of(uint32_t number)
{
    return (uint64_t)(number % SCRIPT_WORKERS) << 56 | (number + 1);
}

static bool
names_a_person(enum command_kind kind)
{
    return kind == COMMAND_ATTACH || kind == COMMAND_NICK ||
           kind == COMMAND_TELL || kind == COMMAND_KICK;
}

/* Mostly one that has a session, or for ATTACH and RESUME one that has none. */
static uint64_t
draw_conn(struct script *s, enum command_kind kind)
{
    const bool wants_none = kind == COMMAND_ATTACH || kind == COMMAND_RESUME;
    const uint32_t first = draw(s, SCRIPT_CONNS);

    if (draw(s, 16) == 0)
        return conn_of(first);
    for (uint32_t i = 0; i < SCRIPT_CONNS; i++) {
        const uint64_t conn = conn_of((first + i) % SCRIPT_CONNS);

        if ((model_session(s->model, conn) == 0) == wants_none)
            return conn;
    }
    return conn_of(first);
}

static struct slice
draw_name(struct script *s, enum command_kind kind)
{
    const bool good = draw(s, 12) > 0;

    if (names_a_person(kind))
        return good ? PICK(s, nicks) : PICK(s, bad_nicks);
    return good ? PICK(s, rooms) : PICK(s, bad_rooms);
}

/* A copy, because the model changes while it is used. */
static struct slice
copy_name(struct script *s, struct slice name)
{
    memcpy(s->name, name.data, name.len);
    return slice_make(s->name, name.len);
}

/* Mostly a room that the asker is in, where the command is about such; often
 * one who waits, to be told something. */
static struct slice
draw_fitting_name(struct script *s, enum command_kind kind, uint64_t conn)
{
    struct slice name;

    if (kind == COMMAND_TELL && draw(s, 2) == 0) {
        name = model_waiting_nick(s->model, draw(s, 8));
        return name.len > 0 ? copy_name(s, name) : draw_name(s, kind);
    }
    if (kind == COMMAND_JOIN || names_a_person(kind) || draw(s, 4) == 0)
        return draw_name(s, kind);
    name = model_room_of(s->model, conn, draw(s, 8));
    return name.len > 0 ? copy_name(s, name) : draw_name(s, kind);
}

static session_id
draw_session(struct script *s, uint64_t conn)
{
    const uint32_t kind = draw(s, 64);

    if (kind == 0)
        return s->stale[draw(s, SCRIPT_STALE)];
    if (kind == 1)
        return model_session(s->model, conn_of(draw(s, SCRIPT_CONNS)));
    if (kind == 2)
        return 0;
    return model_session(s->model, conn);
}

/* Mostly one of a session that waits; else of one that does not, an old one, or
 * none that ever was. */
static struct token
draw_token(struct script *s)
{
    struct token token = {.bytes = {(unsigned char)draw(s, 256)}};
    const uint32_t kind = draw(s, 8);

    if (kind == 0)
        return token;
    if (kind == 1)
        return s->tokens[draw(s, SCRIPT_STALE)];
    (void)model_token(s->model, kind > 2, draw(s, 16), &token);
    s->tokens[s->token_next++ % SCRIPT_STALE] = token;
    return token;
}

/* No two are the same. */
static struct token_secret
next_secret(struct script *s)
{
    struct token_secret secret = {.bytes = {0}};

    s->secrets++;
    memcpy(secret.bytes, &s->secrets, sizeof(s->secrets));
    return secret;
}

/* Ids that the model has seen: see hub_model.h. */
static uint64_t
draw_cursor(struct script *s, uint64_t conn)
{
    const uint32_t kind = draw(s, 16);

    if (kind == 0)
        return 0;
    if (kind == 1)
        return UINT64_MAX - draw(s, 2);
    return model_cursor(s->model, conn, draw(s, kind < 4 ? 300 : 20));
}

static bool
is_operators(enum command_kind kind)
{
    return kind >= COMMAND_OPER_SAY;
}

/* The wall clock is set back now and then. */
static void
pass_time(struct script *s, struct hub_now *now)
{
    const uint32_t ms = draw(s, 1000);

    s->mono_ms += ms;
    s->wall_ms += ms > 0 ? ms : (uint64_t)-5000;
    *now = (struct hub_now){.wall_ms = s->wall_ms, .mono_ms = s->mono_ms};
}

void
script_next(struct script *s, struct command *c, struct hub_now *now)
{
    const enum command_kind kind = draw_kind(s);
    const uint64_t conn = is_operators(kind)
                              ? (uint64_t)SCRIPT_WORKERS << 56 | 1
                              : draw_conn(s, kind);

    *c = (struct command){
        .kind = kind,
        .style = (enum say_style)draw(s, 3),
        .how = (enum detach_how)draw(s, 3),
        .resumable = draw(s, 6) > 0,
        .cursor = draw_cursor(s, conn),
        .upto = draw_cursor(s, conn),
        .secret = next_secret(s),
        .set = draw(s, 2) == 1,
        .count = draw(s, 8) == 0 ? UINT32_MAX : draw(s, 12),
        .from = {.conn = conn, .request = ++s->request},
        .session = is_operators(kind) ? 0 : draw_session(s, conn),
        .name = draw_fitting_name(s, kind, conn),
        .nick = draw(s, 2) == 0 ? slice_of("") : draw_name(s, COMMAND_NICK),
        .text = PICK(s, texts),
    };
    if (kind == COMMAND_RESUME)
        c->token = draw_token(s);
    s->stale[s->stale_next++ % SCRIPT_STALE] = c->session;
    pass_time(s, now);
}

bool
script_tick(struct script *s, struct hub_now *now)
{
    if (draw(s, 8) != 0)
        return false;
    pass_time(s, now);
    return true;
}

bool
script_reload(struct script *s, struct chat_conf *conf)
{
    if (draw(s, 500) != 0)
        return false;
    conf->limits_rooms = 1 + draw(s, 12);
    conf->limits_rooms_per_user = 1 + draw(s, 8);
    conf->limits_topic_length = 1 + draw(s, 80);
    conf->history_room_events = draw(s, 10);
    conf->history_keep_events = 1 + draw(s, 40);
    conf->history_keep_bytes = 4096 + draw(s, 8192);
    conf->session_linger = draw(s, 4) == 0 ? 0 : 1000 * draw(s, 60);
    conf->session_waiting = 1 + draw(s, 8);
    conf->session_direct_events = draw(s, 4) == 0 ? 40 : 1 + draw(s, 3);
    conf->session_direct_bytes = 4096;
    return true;
}

void
script_conf(struct hub_conf *conf)
{
    *conf = (struct hub_conf){
        .key = {"a key for tests"},
        .workers = SCRIPT_WORKERS,
        .counted_per_ms = 4,
    };
    chat_conf_init(&conf->chat);
    conf->chat.limits_rooms = 6;
    conf->chat.limits_rooms_per_user = 4;
    conf->chat.limits_topic_length = 20;
    conf->chat.history_room_events = 5;
    conf->chat.history_keep_events = 30;
    conf->chat.session_linger = 40000;
    conf->chat.session_waiting = 6;
    conf->chat.session_direct_events = 3;
    conf->chat.session_direct_bytes = 4096;
}

void
script_init(struct script *s, uint32_t (*draw_fn)(void *arg, uint32_t n),
            void *arg, const struct model *model)
{
    *s = (struct script){
        .draw = draw_fn,
        .arg = arg,
        .model = model,
        .wall_ms = UINT64_C(1700000000000),
        .mono_ms = 1000,
    };
}
