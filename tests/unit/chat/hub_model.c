/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model - see hub_model.h: the life of the model, and the comparison.
 */
#include "hub_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_model_priv.h"

session_id
model_session(const struct model *m, uint64_t conn)
{
    const struct model_user *const user = model_user_on(m, conn);

    return user != NULL ? user->session : 0;
}

struct slice
model_room_of(const struct model *m, uint64_t conn, size_t n)
{
    const struct model_user *const user = model_user_on(m, conn);
    const size_t count = user != NULL ? model_rooms_of(m, user) : 0;
    size_t skip = count > 0 ? n % count : 0;

    for (size_t i = 0; count > 0 && i < m->member_count; i++) {
        if (m->members[i].user == user && skip-- == 0)
            return model_shown(&m->members[i].room->name);
    }
    return slice_of("");
}

static enum refusal
model_of_session(struct model *m)
{
    struct model_user *const user = model_user_on(m, m->c->from.conn);

    if (user == NULL || user->session != m->c->session)
        return REFUSAL_NO_SESSION;
    switch (m->c->kind) {
    case COMMAND_NICK:
        return model_nick(m, user);
    case COMMAND_JOIN:
        return model_join(m, user);
    case COMMAND_PART:
        return model_part(m, user);
    case COMMAND_SAY:
        return model_say(m, user);
    case COMMAND_TELL:
        return model_tell(m, user);
    case COMMAND_TOPIC:
        return model_topic(m, user);
    case COMMAND_AWAY:
        return model_away(m, user);
    case COMMAND_WHO:
        return model_who(m);
    case COMMAND_ROOMS:
        return model_rooms(m);
    case COMMAND_HISTORY:
        return model_history(m, user);
    case COMMAND_PING:
        return model_ping(m);
    case COMMAND_CATCH_UP:
        return model_catch_up(m, user);
    case COMMAND_ACKS:
        user->echoes = m->c->set;
        return REFUSAL_NONE;
    case COMMAND_ACK:
        user->has_before = false;
        model_forget_mail(user, m->c->cursor);
        return REFUSAL_NONE;
    case COMMAND_ATTACH:
    case COMMAND_DETACH:
    case COMMAND_RESUME:
    case COMMAND_OPER_SAY:
    case COMMAND_ANNOUNCE:
    case COMMAND_KICK:
        break;
    }
    abort(); /* model_command() has those */
}

static enum refusal
model_command(struct model *m, struct slice *what)
{
    *what = m->c->name;
    if (m->c->kind == COMMAND_ATTACH)
        return model_attach(m);
    if (m->c->kind == COMMAND_DETACH)
        return model_detach(m);
    if (m->c->kind == COMMAND_RESUME)
        return model_resume(m);
    if (m->c->kind == COMMAND_OPER_SAY)
        return model_oper_say(m, what);
    if (m->c->kind == COMMAND_ANNOUNCE)
        return model_announce(m);
    if (m->c->kind == COMMAND_KICK)
        return model_kick(m);
    return model_of_session(m);
}

static void
print_delivery(const char *label, unsigned worker, const struct delivery *d)
{
    const struct event *const e = d->event;

    fprintf(stderr,
            "  %s: worker %u route %d to %llx request %u replay %d: %s id %llu "
            "who %llu/%llx/%llx \"%.*s\" name \"%.*s\" text \"%.*s\" room %llx "
            "seq %llu number %llu count %u last %d style %u refusal %s at "
            "%llu\n",
            label, worker, (int)d->route, (unsigned long long)d->to, d->request,
            d->replay, event_name((enum event_kind)e->kind),
            (unsigned long long)e->id, (unsigned long long)e->who.user,
            (unsigned long long)e->who.session, (unsigned long long)e->who.conn,
            SLICE_ARG(e->who.nick), SLICE_ARG(e->name), SLICE_ARG(e->text),
            (unsigned long long)e->room, (unsigned long long)e->seq,
            (unsigned long long)e->number, e->count, e->last, e->style,
            refusal_name((enum refusal)e->refusal),
            (unsigned long long)e->wall_ms);
}

_Noreturn static void
differ(const struct model *m, const char *what, const struct expected *x,
       const struct recorded *r)
{
    fprintf(stderr,
            "hub and model differ in %s after %s conn %llx session %llx name "
            "\"%.*s\" text \"%.*s\"\n",
            what, command_name(m->c->kind), (unsigned long long)m->c->from.conn,
            (unsigned long long)m->c->session, SLICE_ARG(m->c->name),
            SLICE_ARG(m->c->text));
    if (x != NULL)
        print_delivery("model", x->worker, &x->d);
    if (r != NULL)
        print_delivery("hub", r->worker, &r->d);
    abort();
}

#define SAME(what, is_same)          \
    do {                             \
        if (!(is_same))              \
            differ(m, (what), x, r); \
    } while (0)

/* What the model cannot know beforehand it takes over here, once. */
static void
learn_ids(struct model *m, struct expected *x, const struct recorded *r)
{
    const struct event *const e = r->d.event;
    struct event *const own = x->d.event;

    if (x->user != NULL) {
        SAME("a user id that is new", e->who.user > m->last_user);
        SAME("a session id that is new", e->who.session != 0);
        for (size_t i = 0; i < m->user_count; i++)
            SAME("a session id that nobody else has",
                 m->users[i]->session != e->who.session);
        m->last_user = x->user->id = own->who.user = e->who.user;
        x->user->session = own->who.session = e->who.session;
    }
    /* What has its room's id already may have outlived the room. */
    if (x->room == NULL || own->room != 0)
        return;
    if (x->room->id == 0) {
        SAME("a room id", e->room != 0);
        for (size_t i = 0; i < m->room_count; i++)
            SAME("a room id that no other room has",
                 m->rooms[i]->id != e->room);
        x->room->id = e->room;
    }
    own->room = x->room->id;
}

static bool
has_id(const struct event *e)
{
    return e->kind <= EVENT_REPLACED;
}

static void
compare_event_id(struct model *m, struct expected *x, const struct recorded *r)
{
    struct event *const own = x->d.event;

    if (!has_id(own)) {
        SAME("the id of an answer", r->d.event->id == own->id);
        return;
    }
    if (own->id == 0 && x->d.replay != REPLAY_NONE) {
        /* Said to nobody at the time. */
        SAME("an id", r->d.event->id != 0);
        own->id = r->d.event->id;
        model_learn_id(m, own);
    }
    if (own->id == 0) {
        SAME("an id above all before", r->d.event->id > m->last_id);
        m->last_id = own->id = r->d.event->id;
    }
    SAME("the id", own->id == r->d.event->id);
    if (x->d.replay == REPLAY_MISSED) {
        SAME("the order of ids", own->id > m->last_missed);
        m->last_missed = own->id;
    }
}

/* A token is new, can be read, and nobody else has it. */
static void
learn_token(struct model *m, const struct expected *x, const struct recorded *r)
{
    const struct slice text = r->d.event->text;
    struct token token;

    if (!x->holder->is_resumable) {
        SAME("no token", text.len == 0);
        return;
    }
    SAME("a token", token_parse(text, &token));
    if (x->holder->is_retold) {
        SAME("the same token again",
             memcmp(&x->holder->token, &token, sizeof(token)) == 0);
        return;
    }
    for (size_t i = 0; i < m->user_count; i++)
        SAME("a token that nobody had",
             memcmp(&m->users[i]->token, &token, sizeof(token)) != 0);
    x->holder->token = token;
}

/* A chunk ends with what was given last, the last one behind all there is. */
static void
compare_caught_up(struct model *m, const struct expected *x,
                  const struct recorded *r)
{
    const uint64_t number = r->d.event->number;

    if (!x->d.event->last) {
        SAME("number",
             number == (x->upto != NULL ? x->upto->id : x->d.event->number));
        return;
    }
    SAME("a number not below any id", number >= m->last_id);
    m->last_id = number;
}

static void
compare_lists(struct model *m, const struct expected *x,
              const struct recorded *r)
{
    const struct event *const own = x->d.event;
    const struct event *const e = r->d.event;

    SAME("count", own->count == e->count);
    SAME("last", own->last == e->last);
    for (uint32_t i = 0; i < own->count; i++) {
        if (own->kind == EVENT_MEMBERS || own->kind == EVENT_ROOMS) {
            SAME("an item's name",
                 slice_equal(own->u.items[i].name, e->u.items[i].name));
            SAME("an item's text",
                 slice_equal(own->u.items[i].text, e->u.items[i].text));
            SAME("an item's number",
                 own->u.items[i].number == e->u.items[i].number);
        } else {
            SAME("a place's room",
                 own->u.places[i].room == e->u.places[i].room);
            SAME("a place's seq", own->u.places[i].seq == e->u.places[i].seq);
        }
    }
}

static void
compare_event(struct model *m, struct expected *x, const struct recorded *r)
{
    const struct event *const own = x->d.event;
    const struct event *const e = r->d.event;

    SAME("kind", own->kind == e->kind);
    learn_ids(m, x, r);
    compare_event_id(m, x, r);
    SAME("style", own->style == e->style);
    SAME("refusal", own->refusal == e->refusal);
    SAME("wall_ms", own->wall_ms == e->wall_ms);
    SAME("room", own->room == e->room);
    SAME("seq", own->seq <= e->seq && e->seq - own->seq <= x->unsure);
    SAME("who.user", own->who.user == e->who.user);
    SAME("who.session", own->who.session == e->who.session);
    SAME("who.conn", own->who.conn == e->who.conn);
    SAME("who.nick", slice_equal(own->who.nick, e->who.nick));
    SAME("name", slice_equal(own->name, e->name));
    if (own->kind == EVENT_CAUGHT_UP)
        compare_caught_up(m, x, r);
    else
        SAME("number", own->number == e->number);
    if (x->holder != NULL)
        learn_token(m, x, r);
    else
        SAME("text", slice_equal(own->text, e->text));
    compare_lists(m, x, r);
}

static void
compare(struct model *m, struct expected *x, const struct recorded *r)
{
    SAME("worker", x->worker == r->worker);
    SAME("route", x->d.route == r->d.route);
    SAME("replay", x->d.replay == r->d.replay);
    SAME("to", x->d.to == r->d.to);
    SAME("request", x->d.request == r->d.request);
    compare_event(m, x, r);
}

static void
begin(struct model *m, const struct command *c, const struct hub_now *now)
{
    m->c = c;
    m->wall_ms = now->wall_ms;
    m->mono_ms = now->mono_ms;
    m->last_missed = 0;
    m->expected_count = 0;
}

static void
compare_all(struct model *m, const struct recorder *rec)
{
    for (size_t i = 0; i < m->expected_count; i++) {
        if (i == rec->count)
            differ(m, "what is missing", &m->expected[i], NULL);
        compare(m, &m->expected[i], &rec->items[i]);
    }
    if (m->expected_count < rec->count)
        differ(m, "what is too much", NULL, &rec->items[m->expected_count]);
    while (m->expected_count > 0)
        event_unref(m->expected[--m->expected_count].d.event);
}

void
model_follow(struct model *m, const struct command *c,
             const struct hub_now *now, const struct recorder *rec)
{
    const struct event done = {.kind = EVENT_DONE};
    enum refusal refusal;
    struct slice what;

    begin(m, c, now);
    refusal = model_command(m, &what);
    if (refusal != REFUSAL_NONE)
        expect_refusal(m, refusal, what);
    (void)expect_only_answer(m, model_make(&done));
    compare_all(m, rec);
}

void
model_follow_tick(struct model *m, const struct hub_now *now,
                  const struct recorder *rec)
{
    static const struct command nobodys = {.kind = COMMAND_DETACH};

    begin(m, &nobodys, now);
    while (model_next_tick_ms(m) <= now->mono_ms) {
        struct model_user *const user = model_longest_waiting(m);

        model_quit(m, user, slice_of(user->why));
    }
    compare_all(m, rec);
}

void
model_check_census(const struct model *m, const struct hub_census *census)
{
    uint64_t kept_events, kept_bytes;
    uint64_t events = 0;
    uint64_t bytes = 0;

    model_count_kept(m, &kept_events, &kept_bytes);
    for (size_t i = 0; i < m->room_count; i++) {
        events += m->rooms[i]->log_count;
        bytes += model_log_bytes(m->rooms[i]);
    }
    if (census->users == m->user_count && census->sessions == m->user_count &&
        census->rooms == m->room_count && census->members == m->member_count &&
        census->log_events == events && census->log_bytes == bytes &&
        census->waiting == model_waiting(m) &&
        census->kept_events == kept_events && census->kept_bytes == kept_bytes)
        return;
    fprintf(
        stderr,
        "hub and model differ in the census: users %llu sessions %llu "
        "rooms %llu members %llu events %llu bytes %llu waiting %llu kept %llu "
        "kept bytes %llu\n",
        (unsigned long long)census->users, (unsigned long long)census->sessions,
        (unsigned long long)census->rooms, (unsigned long long)census->members,
        (unsigned long long)census->log_events,
        (unsigned long long)census->log_bytes,
        (unsigned long long)census->waiting,
        (unsigned long long)census->kept_events,
        (unsigned long long)census->kept_bytes);
    abort();
}

struct model *
model_create(const struct hub_conf *conf)
{
    struct model *const m = model_must(calloc(1, sizeof(*m)));
    struct name lobby;

    m->conf = *conf;
    if (name_check_room(slice_of(HUB_LOBBY), &lobby) != NAME_OK)
        abort();
    (void)model_add_room(m, &lobby);
    return m;
}

void
model_destroy(struct model *m)
{
    while (m->user_count > 0)
        model_remove_user(m, m->users[0]);
    model_forget_announced(m);
    while (m->room_count > 0)
        model_remove_room(m, m->room_count - 1);
    free(m->members);
    free(m->expected);
    free(m);
}

void
model_reload(struct model *m, const struct chat_conf *conf)
{
    m->conf.chat = *conf;
}
