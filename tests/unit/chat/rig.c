/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rig - see rig.h.
 */
#include "rig.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static const char *
route_name(enum route route)
{
    switch (route) {
    case ROUTE_CONN:
        return "conn";
    case ROUTE_ROOM:
        return "room";
    case ROUTE_PEERS:
        return "peers";
    case ROUTE_ALL:
        return "all";
    }
    return "?";
}

static const char *
style_name(enum say_style style)
{
    switch (style) {
    case SAY_TEXT:
        return "text";
    case SAY_ACTION:
        return "action";
    case SAY_NOTICE:
        return "notice";
    }
    return "?";
}

static void
put_slice(struct buf *line, const char *field, struct slice value)
{
    if (value.len > 0)
        buf_printf(line, " %s=%.*s", field, SLICE_ARG(value));
}

static void
put_number(struct buf *line, const char *field, uint64_t value)
{
    if (value != 0)
        buf_printf(line, " %s=%llu", field, (unsigned long long)value);
}

static bool
has_places(const struct event *e)
{
    return e->kind >= EVENT_RENAMED && e->kind <= EVENT_RETURNED;
}

/* " seq=3,1": one for each place; " items=anna,bob(lunch)3". */
static void
put_list(struct buf *line, const struct event *e)
{
    for (uint32_t i = 0; i < e->count; i++) {
        const char *const before = i > 0           ? ","
                                   : has_places(e) ? " seq="
                                                   : " items=";

        if (has_places(e)) {
            buf_printf(line, "%s%llu", before,
                       (unsigned long long)e->u.places[i].seq);
            continue;
        }
        buf_printf(line, "%s%.*s", before, SLICE_ARG(e->u.items[i].name));
        if (e->u.items[i].text.len > 0)
            buf_printf(line, "(%.*s)", SLICE_ARG(e->u.items[i].text));
        if (e->u.items[i].number > 0)
            buf_printf(line, "%llu", (unsigned long long)e->u.items[i].number);
    }
}

static bool
has_token(const struct event *e)
{
    return e->kind == EVENT_ATTACHED || e->kind == EVENT_RESUMED;
}

static bool
is_list(const struct event *e)
{
    return e->kind == EVENT_MEMBERS || e->kind == EVENT_ROOMS ||
           e->kind == EVENT_CAUGHT_UP;
}

static void
put_event(struct buf *line, const struct event *e, uint64_t now_ms)
{
    buf_printf(line, " %s", event_name((enum event_kind)e->kind));
    if (e->who.nick.len > 0)
        buf_printf(line, " %.*s", SLICE_ARG(e->who.nick));
    put_slice(line, "name", e->name);
    if (!has_token(e))
        put_slice(line, "text", e->text);
    put_list(line, e);
    if (e->kind != EVENT_CAUGHT_UP)
        put_number(line, "number", e->number);
    put_number(line, "seq", e->seq);
    if (e->kind == EVENT_TOPIC_IS || e->kind == EVENT_RESUMED)
        put_number(line, "at", e->wall_ms);
    if (e->kind == EVENT_RESUMED && e->style == 1)
        buf_append_str(line, " echoes");
    else if (e->style != SAY_TEXT)
        buf_printf(line, " style=%s", style_name((enum say_style)e->style));
    if (e->refusal != REFUSAL_NONE)
        buf_printf(line, " why=%s", refusal_name((enum refusal)e->refusal));
    if (is_list(e) && !e->last)
        buf_append_str(line, " more");
    /* Standing events are older than the command; all others are of now. */
    if (e->kind != EVENT_DONE && e->kind != EVENT_TOPIC_IS && e->id != 0)
        ck_assert_uint_le(e->wall_ms, now_ms);
}

/* What no line shows. */
static void
note(struct rig *rig, const struct event *e)
{
    if (e->kind == EVENT_ATTACHED || e->kind == EVENT_RESUMED)
        rig->attached = e->who.session;
    if (has_token(e) && e->text.len > 0)
        ck_assert(token_parse(e->text, &rig->token));
    if (e->kind == EVENT_RESUMED)
        rig->resumed_at = e->id;
    else if (e->id != 0)
        rig->last_id = e->id;
    if (e->kind == EVENT_CAUGHT_UP)
        rig->caught_up = e->number;
}

static void
on_emit(void *arg, unsigned worker, const struct delivery *d)
{
    struct rig *const rig = arg;
    struct buf line;

    ck_assert_uint_lt(rig->count, RIG_LINES_MAX);
    note(rig, d->event);
    buf_init(&line);
    buf_printf(&line, "%u %s", worker, route_name(d->route));
    put_event(&line, d->event, rig->now.wall_ms);
    if (d->replay != REPLAY_NONE)
        buf_append_str(&line,
                       d->replay == REPLAY_HISTORY ? " replay" : " missed");
    if (d->to == rig->asker) {
        ck_assert_uint_eq(d->request, rig->request);
    } else {
        ck_assert_int_eq(d->route, ROUTE_CONN);
        ck_assert_uint_eq(d->request, 0);
        buf_printf(&line, " to=%u", (unsigned)(d->to & 0xFFFF));
    }
    if (d->route == ROUTE_CONN)
        ck_assert_uint_eq(origin_worker(d->to), worker);
    buf_append_char(&line, '\0');
    ck_assert(!line.failed);
    rig->lines[rig->count++] = line.data;
}

static void
forget_lines(struct rig *rig)
{
    while (rig->count > 0)
        free(rig->lines[--rig->count]);
}

void
rig_open_counting(struct rig *rig, const struct chat_conf *chat,
                  uint32_t at_once)
{
    *rig = (struct rig){
        .conf = {.key = {"a key for tests"},
                 .workers = RIG_WORKERS,
                 .counted_per_ms = at_once},
        .now = {.wall_ms = 1000,                          .mono_ms = 1000     },
    };
    if (chat != NULL)
        rig->conf.chat = *chat;
    else
        chat_conf_init(&rig->conf.chat);
    ck_assert_int_eq(hub_create(&rig->conf, &rig->hub), 0);
}

void
rig_open(struct rig *rig, const struct chat_conf *chat)
{
    rig_open_counting(rig, chat, 0);
}

void
rig_close(struct rig *rig)
{
    forget_lines(rig);
    hub_destroy(rig->hub);
    ck_assert_uint_eq(event_live(), 0);
}

void
rig_apply(struct rig *rig, const struct command *c)
{
    const struct hub_out out = {.emit = on_emit, .arg = rig};

    forget_lines(rig);
    rig->asker = c->from.conn;
    hub_apply(rig->hub, c, &rig->now, &out);
    hub_check(rig->hub);
}

static struct command
command_from(struct rig *rig, const struct person *who, enum command_kind kind,
             const char *name, const char *text)
{
    return (struct command){
        .kind = kind,
        .from = {.conn = who != NULL ? who->conn : RIG_OPERATOR,
                 .request = ++rig->request},
        .session = who != NULL ? who->session : 0,
        .name = slice_of(name),
        .text = slice_of(text),
    };
}

void
rig_do(struct rig *rig, const struct person *who, enum command_kind kind,
       const char *name, const char *text)
{
    const struct command c = command_from(rig, who, kind, name, text);

    rig_apply(rig, &c);
}

void
rig_say(struct rig *rig, const struct person *who, enum command_kind kind,
        const char *name, const char *text, enum say_style style)
{
    struct command c = command_from(rig, who, kind, name, text);

    c.style = style;
    rig_apply(rig, &c);
}

void
rig_topic(struct rig *rig, const struct person *who, const char *room,
          const char *topic)
{
    struct command c = command_from(rig, who, COMMAND_TOPIC, room, topic);

    c.set = true;
    rig_apply(rig, &c);
}

void
rig_count(struct rig *rig, const struct person *who, enum command_kind kind,
          const char *room, uint32_t count)
{
    struct command c = command_from(rig, who, kind, room, "");

    c.count = count;
    rig_apply(rig, &c);
}

/* A secret that was not there before. */
static struct token_secret
next_secret(struct rig *rig)
{
    struct token_secret secret = {.bytes = {0}};

    rig->secrets++;
    memcpy(secret.bytes, &rig->secrets, sizeof(rig->secrets));
    return secret;
}

static struct person
attach(struct rig *rig, uint64_t conn, const char *nick, bool resumable)
{
    struct person who = {.conn = conn};
    struct command c = command_from(rig, &who, COMMAND_ATTACH, nick, "");

    c.resumable = resumable;
    c.secret = next_secret(rig);
    rig->attached = 0;
    rig_apply(rig, &c);
    ck_assert_msg(rig->attached != 0, "%s", rig->lines[0]);
    who.session = rig->attached;
    who.token = rig->token;
    return who;
}

struct person
rig_attach(struct rig *rig, uint64_t conn, const char *nick)
{
    return attach(rig, conn, nick, false);
}

struct person
rig_attach_resumable(struct rig *rig, uint64_t conn, const char *nick)
{
    return attach(rig, conn, nick, true);
}

void
rig_lose(struct rig *rig, const struct person *who, const char *why)
{
    struct command c = command_from(rig, who, COMMAND_DETACH, "", why);

    c.how = DETACH_LOST;
    c.cursor = c.upto = rig->last_id;
    rig_apply(rig, &c);
}

void
rig_end(struct rig *rig, const struct person *who, struct rig_end end)
{
    struct command c = command_from(rig, who, COMMAND_DETACH, "", "lost");

    c.how = end.how;
    c.cursor = end.cursor;
    c.upto = end.upto;
    c.count = end.count;
    rig_apply(rig, &c);
}

void
rig_ask_resume(struct rig *rig, uint64_t conn, const struct token *token)
{
    const struct person nobody = {.conn = conn};
    struct command c = command_from(rig, &nobody, COMMAND_RESUME, "", "");

    c.token = *token;
    c.secret = next_secret(rig);
    rig_apply(rig, &c);
}

void
rig_resume(struct rig *rig, struct person *who, uint64_t conn)
{
    rig->attached = 0;
    rig_ask_resume(rig, conn, &who->token);
    ck_assert_msg(rig->attached == who->session, "%s", rig->lines[0]);
    who->conn = conn;
    who->token = rig->token;
}

void
rig_catch_up(struct rig *rig, const struct person *who, uint64_t cursor,
             uint32_t count)
{
    struct command c = command_from(rig, who, COMMAND_CATCH_UP, "", "");

    c.cursor = cursor;
    c.count = count;
    rig_apply(rig, &c);
}

void
rig_ack(struct rig *rig, const struct person *who, uint64_t cursor)
{
    struct command c = command_from(rig, who, COMMAND_ACK, "", "");

    c.cursor = cursor;
    rig_apply(rig, &c);
}

void
rig_echo(struct rig *rig, const struct person *who, bool on)
{
    struct command c = command_from(rig, who, COMMAND_ACKS, "", "");

    c.set = on;
    rig_apply(rig, &c);
}

void
rig_tick(struct rig *rig, uint64_t mono_ms)
{
    const struct hub_out out = {.emit = on_emit, .arg = rig};
    const uint32_t request = rig->request;

    forget_lines(rig);
    rig->now.mono_ms = mono_ms;
    rig->asker = 0;
    rig->request = 0; /* nobody asks */
    hub_tick(rig->hub, &rig->now, &out);
    hub_check(rig->hub);
    rig->request = request;
}

void
rig_join(struct rig *rig, const struct person *who, const char *room)
{
    rig_do(rig, who, COMMAND_JOIN, room, "");
    ck_assert_uint_gt(rig->count, 2);
}

void
rig_expect(const struct rig *rig, const char *line, ...)
{
    size_t at = 0;
    va_list lines;

    va_start(lines, line);
    for (; line != NULL; line = va_arg(lines, const char *)) {
        ck_assert_msg(at < rig->count, "nothing came where \"%s\" should",
                      line);
        ck_assert_str_eq(rig->lines[at], line);
        at++;
    }
    va_end(lines);
    ck_assert_msg(at == rig->count, "unexpected: %s", rig->lines[at]);
}

void
rig_expect_refusal(const struct rig *rig, enum refusal why)
{
    char end[64];
    size_t len;

    snprintf(end, sizeof(end), " why=%s", refusal_name(why));
    ck_assert_uint_eq(rig->count, 2);
    len = strlen(rig->lines[0]);
    ck_assert_msg(len > strlen(end), "%s", rig->lines[0]);
    ck_assert_str_eq(rig->lines[0] + len - strlen(end), end);
    ck_assert_ptr_nonnull(strstr(rig->lines[0], " conn refused "));
    ck_assert_ptr_nonnull(strstr(rig->lines[1], " conn done"));
}
