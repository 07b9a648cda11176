/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub - the table of commands, and the hub's life.
 *
 * A command goes: row of the table → session, where the row wants one →
 * handler → REFUSED if it said so → DONE. Nothing else in the hub looks at the
 * kind of a command.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "chat/hub_priv.h"

enum command_needs {
    NOBODY,
    SESSION
};

struct command_row {
    enum refusal (*handle)(struct ask *a);
    enum command_needs needs;
};

static const struct command_row command_rows[] = {
    [COMMAND_ATTACH] = {user_on_attach,    NOBODY },
    [COMMAND_DETACH] = {quit_on_detach,    NOBODY },
    [COMMAND_NICK] = {user_on_nick,      SESSION},
    [COMMAND_JOIN] = {room_on_join,      SESSION},
    [COMMAND_PART] = {room_on_part,      SESSION},
    [COMMAND_SAY] = {say_on_say,        SESSION},
    [COMMAND_TELL] = {say_on_tell,       SESSION},
    [COMMAND_TOPIC] = {say_on_topic,      SESSION},
    [COMMAND_AWAY] = {user_on_away,      SESSION},
    [COMMAND_WHO] = {list_on_who,       SESSION},
    [COMMAND_ROOMS] = {list_on_rooms,     SESSION},
    [COMMAND_HISTORY] = {list_on_history,   SESSION},
    [COMMAND_PING] = {say_on_ping,       SESSION},
    [COMMAND_RESUME] = {resume_on_resume,  NOBODY },
    [COMMAND_CATCH_UP] = {catch_on_catch_up, SESSION},
    [COMMAND_ACKS] = {resume_on_acks,    SESSION},
    [COMMAND_ACK] = {mail_on_ack,       SESSION},
    [COMMAND_OPER_SAY] = {say_on_oper_say,   NOBODY },
    [COMMAND_ANNOUNCE] = {say_on_announce,   NOBODY },
    [COMMAND_KICK] = {quit_on_kick,      NOBODY },
};
static_assert(ARRAY_LEN(command_rows) == COMMAND_COUNT, "a row a command");

static enum refusal
run(struct ask *a)
{
    const struct command_row *const row = &command_rows[a->c->kind];

    if (row->needs == SESSION) {
        a->session = session_find(a->hub, a->c->session, a->c->from.conn);
        if (a->session == NULL)
            return REFUSAL_NO_SESSION;
        a->user = a->session->user;
    }
    return row->handle(a);
}

/* What was refused goes back to the asker's terminal, and it may be anything:
 * bad characters are one of the reasons. */
static struct event *
refused_event(const struct ask *a, enum refusal refusal)
{
    struct event draft = ask_draft(a, EVENT_REFUSED);
    struct event *e = NULL;
    struct buf clean;

    buf_init(&clean);
    utf8_clean(slice_make(a->what.data, a->what.len < ROOM_BYTES_MAX
                                            ? a->what.len
                                            : ROOM_BYTES_MAX),
               0, &clean);
    if (!clean.failed) {
        draft.refusal = (uint8_t)refusal;
        draft.name = slice_make(clean.data, clean.len);
        e = event_create(&draft);
    }
    buf_fini(&clean);
    return e;
}

static void
refuse(const struct ask *a, enum refusal refusal)
{
    struct event *const e =
        refusal == REFUSAL_NO_MEMORY ? NULL : refused_event(a, refusal);

    emit_to_asker(a, e != NULL ? e : a->hub->no_memory);
    event_unref(e);
}

void
hub_apply(struct hub *hub, const struct command *c, const struct hub_now *now,
          const struct hub_out *out)
{
    struct ask a = {
        .hub = hub,
        .c = c,
        .now = now,
        .out = out,
        .what = c->name,
    };
    enum refusal refusal;

    ASSERT((size_t)c->kind < ARRAY_LEN(command_rows));
    ASSERT(origin_worker(c->from.conn) < hub_worker_count(hub));

    refusal = run(&a);
    if (refusal != REFUSAL_NONE)
        refuse(&a, refusal);
    emit_to_asker(&a, hub->done);
}

struct label *
label_create(const struct name *name)
{
    struct label *const l = malloc(sizeof(*l) + name->len + name->key_len);

    if (l == NULL)
        return NULL;
    l->len = (uint16_t)name->len;
    l->key_len = (uint16_t)name->key_len;
    memcpy(l->bytes, name->text, name->len);
    memcpy(l->bytes + name->len, name->key, name->key_len);
    return l;
}

/* ---- life ---------------------------------------------------------------- */

static void
init_tables(struct hub *hub)
{
    hash_init(&hub->users_by_key);
    hash_init(&hub->sessions_by_conn);
    hash_init(&hub->rooms_by_key);
    id_table_init(&hub->session_ids, UINT32_MAX);
    id_table_init(&hub->room_ids, UINT32_MAX);
    list_init(&hub->rooms);
    list_init(&hub->waiting);
    slab_init(&hub->users, sizeof(struct user));
    slab_init(&hub->sessions, sizeof(struct session));
    slab_init(&hub->members, sizeof(struct member));
}

static int
make_standing_events(struct hub *hub)
{
    const struct event done = {.kind = EVENT_DONE};
    const struct event ended = {.kind = EVENT_ENDED};
    const struct event no_memory = {
        .kind = EVENT_REFUSED,
        .refusal = REFUSAL_NO_MEMORY,
    };

    hub->done = event_create(&done);
    hub->ended = event_create(&ended);
    hub->no_memory = event_create(&no_memory);
    if (hub->done == NULL || hub->ended == NULL || hub->no_memory == NULL)
        return -ENOMEM;
    return 0;
}

static int
make_lobby(struct hub *hub)
{
    struct room *lobby;
    struct name name;

    if (name_check_room(slice_of(HUB_LOBBY), &name) != NAME_OK)
        return -ENOMEM;
    return room_create(hub, &name, 0, &lobby);
}

int
hub_create(const struct hub_conf *conf, struct hub **out)
{
    struct hub *const hub = calloc(1, sizeof(*hub));
    int rc;

    ASSERT(conf->workers <= HUB_WORKERS_MAX);

    if (hub == NULL)
        return -ENOMEM;
    hub->conf = *conf;
    hub->count_most = conf->counted_per_ms;
    if (conf->counted_per_ms == 0) {
        hub->conf.counted_per_ms = HUB_COUNT_MAX;
        hub->count_most = HUB_COUNT_MAX * HUB_COUNT_SAVED;
    }
    init_tables(hub);
    rc = make_standing_events(hub);
    if (rc < 0)
        goto fail;
    rc = event_log_init(&hub->announced);
    if (rc == 0)
        rc = make_lobby(hub);
    if (rc < 0)
        goto fail;

    *out = hub;
    return 0;

fail:
    hub_destroy(hub);
    return rc;
}

void
hub_destroy(struct hub *hub)
{
    struct list_link *link;

    if (hub == NULL)
        return;

    quit_all(hub);
    while ((link = list_first(&hub->rooms)) != NULL)
        room_destroy(hub, CONTAINER_OF(link, struct room, by_age));
    event_log_fini(&hub->announced, &hub->kept);
    event_unref(hub->done);
    event_unref(hub->ended);
    event_unref(hub->no_memory);
    hash_fini(&hub->users_by_key);
    hash_fini(&hub->sessions_by_conn);
    hash_fini(&hub->rooms_by_key);
    id_table_fini(&hub->session_ids);
    id_table_fini(&hub->room_ids);
    slab_fini(&hub->users);
    slab_fini(&hub->sessions);
    slab_fini(&hub->members);
    free(hub);
}

void
hub_reload(struct hub *hub, const struct chat_conf *conf)
{
    hub->conf.chat = *conf;
}

void
hub_count(const struct hub *hub, struct hub_census *out)
{
    *out = hub->census;
    out->log_events = hub->logged.events;
    out->log_bytes = hub->logged.bytes;
    out->kept_events = hub->kept.events;
    out->kept_bytes = hub->kept.bytes;
}
