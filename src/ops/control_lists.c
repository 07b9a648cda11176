/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_lists - every connection, every session, every room.
 *
 * Shape    The thread that owns them copies plain rows, as fast as it can; main
 *          sorts and makes JSON of them, a row at a time, so that what a long
 *          list takes is its text and not a tree of it.
 * Secrets  A session's token is not among its row.
 * Memory   A row's texts are offsets into the answer's own `text`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/hub_thread.h"
#include "net/conn.h"
#include "ops/control_priv.h"
#include "ops/survey.h"
#include "proto/front.h"

/* Bytes in `rows.text`. */
struct span {
    size_t at;
    size_t len;
};

/* Rows of one thread; errors stick, as in a buf. */
struct rows {
    struct buf rows; /* of struct client_row, session_row or room_row */
    struct buf text;
};

static struct span
keep(struct rows *rows, struct slice text)
{
    const struct span span = {.at = rows->text.len, .len = text.len};

    buf_append(&rows->text, text.data, text.len);
    return span;
}

static json_t *
span_json(const struct rows *rows, struct span span)
{
    return control_json_text(
        slice_make(span.len > 0 ? rows->text.data + span.at : "", span.len),
        false);
}

static void
rows_fini(void *answer)
{
    struct rows *const rows = answer;

    buf_fini(&rows->rows);
    buf_fini(&rows->text);
}

static bool
rows_failed(const struct rows *rows)
{
    return rows->rows.failed || rows->text.failed;
}

/* Takes the connection's place as waiting for `kind`, or refuses. */
static void
ask(struct control_conn *c, const struct survey_kind *kind, survey_done_fn done)
{
    if (survey_start(c->control->env.parts, kind, done, c, &c->survey) < 0)
        control_refuse(c, "the server is short of memory");
}

/* {"ok":true,"NAME":[ … ]} */
static void
begin_list(struct buf *out, const char *name)
{
    buf_printf(out, "{\"ok\":true,\"%s\":[", name);
}

static void
append_row(struct buf *out, json_t *row)
{
    if (out->len > 0 && out->data[out->len - 1] != '[')
        buf_append_char(out, ',');
    control_json_append(row, out);
}

static void
end_list(struct control_conn *c, struct buf *out)
{
    buf_append_str(out, "]}");
    if (out->failed)
        control_refuse(c, "the list is too long for the memory there is");
    else
        control_answer_text(c, out);
    buf_fini(out);
}

/* ---- clients -------------------------------------------------------------- */

struct client_row {
    uint64_t id;
    uint64_t opened_ms; /* monotonic, as the next two */
    uint64_t heard_ms;
    uint64_t now_ms;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t queued;
    uint64_t rooms;
    const char *protocol; /* literals */
    const char *state;
    struct addr peer;
    struct span nick;
    struct span room;
};

struct clients_walk {
    struct rows *rows;
    uint64_t now_ms;
};

static void
copy_client(void *arg, const struct client_info *info)
{
    const struct clients_walk *const walk = arg;
    const struct client_row row = {
        .id = info->conn,
        .opened_ms = conn_opened_ms(info->c),
        .heard_ms = conn_heard_ms(info->c),
        .now_ms = walk->now_ms,
        .bytes_in = conn_bytes_in(info->c),
        .bytes_out = conn_bytes_out(info->c),
        .queued = conn_queued_bytes(info->c),
        .rooms = info->rooms,
        .protocol = info->protocol,
        .state = info->state,
        .peer = *conn_peer(info->c),
        .nick = keep(walk->rows, info->nick),
        .room = keep(walk->rows, info->room),
    };

    buf_append(&walk->rows->rows, &row, sizeof(row));
}

static void
ask_clients(const struct parts *parts, enum survey_whom whom, unsigned index,
            void *answer)
{
    struct clients_walk walk = {
        .rows = answer,
        .now_ms = worker_now_ms(parts->workers[index]),
    };

    front_each_client(parts->fronts[index], copy_client, &walk);
}

static const struct survey_kind clients_kind = {
    .name = "clients",
    .whom = BIT(SURVEY_WORKER),
    .answer_size = sizeof(struct rows),
    .ask = ask_clients,
    .fini = rows_fini,
};

/* A row and whose texts it means, for sorting. */
struct client_ref {
    struct client_row row;
    const struct rows *rows;
};

static int
compare_clients(const void *a, const void *b)
{
    const struct client_row *const x = &((const struct client_ref *)a)->row;
    const struct client_row *const y = &((const struct client_ref *)b)->row;

    if (x->opened_ms != y->opened_ms)
        return x->opened_ms < y->opened_ms ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The id stands in log lines as conn=; beyond 2^53, hence a string. */
static json_t *
client_json(const struct parts *parts, const struct client_ref *ref)
{
    const struct client_row *const row = &ref->row;
    const uint64_t since_ms =
        parts->started_wall_ms + row->opened_ms - parts->started_mono_ms;
    char peer[ADDR_TEXT_MAX];
    char id[24];

    snprintf(id, sizeof(id), "%" PRIu64, row->id);
    addr_format(&row->peer, peer);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
        "id", id, "address", peer, "protocol", row->protocol, "state",
        row->state, "nick", span_json(ref->rows, row->nick), "room",
        span_json(ref->rows, row->room), "rooms", (json_int_t)row->rooms,
        "since_ms", (json_int_t)since_ms, "age_ms",
        (json_int_t)(row->now_ms - row->opened_ms), "idle_ms",
        (json_int_t)(row->now_ms - row->heard_ms), "bytes_in",
        (json_int_t)row->bytes_in, "bytes_out", (json_int_t)row->bytes_out,
        "queued_bytes", (json_int_t)row->queued);
}

/* All rows of all workers, oldest connection first. */
static void
sort_clients(const struct survey *s, struct buf *out)
{
    for (size_t i = 0; i < survey_count(s); i++) {
        const struct rows *const rows = survey_answer(s, i);
        const size_t n = rows->rows.len / sizeof(struct client_row);

        if (rows_failed(rows))
            out->failed = true;
        for (size_t k = 0; k < n; k++) {
            struct client_ref ref = {.rows = rows};

            memcpy(&ref.row, rows->rows.data + k * sizeof(ref.row),
                   sizeof(ref.row));
            buf_append(out, &ref, sizeof(ref));
        }
    }
    if (out->len > 0)
        qsort(out->data, out->len / sizeof(struct client_ref),
              sizeof(struct client_ref), compare_clients);
}

static void
answer_clients(void *arg, const struct survey *s)
{
    struct control_conn *const c = arg;
    struct buf refs;
    struct buf out;

    buf_init(&refs);
    buf_init(&out);
    sort_clients(s, &refs);
    out.failed = refs.failed;

    begin_list(&out, "clients");
    for (size_t at = 0; at < refs.len; at += sizeof(struct client_ref)) {
        struct client_ref ref;

        memcpy(&ref, refs.data + at, sizeof(ref));
        append_row(&out, client_json(c->control->env.parts, &ref));
    }
    end_list(c, &out);
    buf_fini(&refs);
}

void
control_on_clients(struct control_conn *c, const struct control_request *r)
{
    ask(c, &clients_kind, answer_clients);
}

/* ---- sessions ------------------------------------------------------------- */

struct session_row {
    uint64_t conn;
    uint64_t lost_ms; /* wall; 0: it has a conn */
    uint64_t waited_ms;
    uint64_t rooms;
    uint64_t resumed;
    uint64_t kept_events;
    struct span nick;
    bool is_resumable;
    bool echoes;
};

static void
copy_session(void *arg, const struct hub_session_info *info)
{
    struct rows *const rows = arg;
    const struct session_row row = {
        .conn = info->conn,
        .lost_ms = info->lost_ms,
        .waited_ms = info->waited_ms,
        .rooms = info->rooms,
        .resumed = info->resumed,
        .kept_events = info->kept_events,
        .nick = keep(rows, info->nick),
        .is_resumable = info->is_resumable,
        .echoes = info->echoes,
    };

    buf_append(&rows->rows, &row, sizeof(row));
}

static void
ask_sessions(const struct parts *parts, enum survey_whom whom, unsigned index,
             void *answer)
{
    const struct hub_now now = {.mono_ms = worker_now_ms(parts->hub_worker)};

    hub_each_session(hub_thread_hub(parts->hub), &now, copy_session, answer);
}

static const struct survey_kind sessions_kind = {
    .name = "sessions",
    .whom = BIT(SURVEY_HUB),
    .answer_size = sizeof(struct rows),
    .ask = ask_sessions,
    .fini = rows_fini,
};

static const char *
session_state(const struct session_row *row)
{
    if (row->conn == 0)
        return "reconnecting";
    return row->is_resumable ? "here" : "here, without token";
}

static json_t *
session_json(const struct parts *parts, const struct rows *rows,
             const struct session_row *row)
{
    const bool waits = row->conn == 0;
    const uint64_t linger_ms = parts->config->chat.session_linger;
    char id[24] = "";

    if (!waits)
        snprintf(id, sizeof(id), "%" PRIu64, row->conn);
    return json_pack(
        "{s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "nick",
        span_json(rows, row->nick), "state", session_state(row), "conn", id,
        "rooms", (json_int_t)row->rooms, "resumed", (json_int_t)row->resumed,
        "kept_events", (json_int_t)row->kept_events, "lost_ms",
        (json_int_t)row->lost_ms, "waited_ms", (json_int_t)row->waited_ms,
        "ends_in_ms",
        (json_int_t)(waits && row->waited_ms < linger_ms
                         ? linger_ms - row->waited_ms
                         : 0),
        "acks", row->echoes);
}

static void
answer_sessions(void *arg, const struct survey *s)
{
    struct control_conn *const c = arg;
    const struct rows *const rows = survey_answer(s, 0);
    struct buf out;

    buf_init(&out);
    out.failed = rows_failed(rows);
    begin_list(&out, "sessions");
    for (size_t at = 0; at < rows->rows.len; at += sizeof(struct session_row)) {
        struct session_row row;

        memcpy(&row, rows->rows.data + at, sizeof(row));
        append_row(&out, session_json(c->control->env.parts, rows, &row));
    }
    end_list(c, &out);
}

void
control_on_sessions(struct control_conn *c, const struct control_request *r)
{
    ask(c, &sessions_kind, answer_sessions);
}

/* ---- rooms ---------------------------------------------------------------- */

struct room_row {
    uint64_t members;
    uint64_t events;
    uint64_t created_ms;
    struct span name;
    struct span topic;
};

static void
copy_room(void *arg, const struct hub_room_info *info)
{
    struct rows *const rows = arg;
    const struct room_row row = {
        .members = info->members,
        .events = info->last_seq,
        .created_ms = info->created_ms,
        .name = keep(rows, info->name),
        .topic = keep(rows, info->topic),
    };

    buf_append(&rows->rows, &row, sizeof(row));
}

static void
ask_rooms(const struct parts *parts, enum survey_whom whom, unsigned index,
          void *answer)
{
    hub_each_room(hub_thread_hub(parts->hub), copy_room, answer);
}

static const struct survey_kind rooms_kind = {
    .name = "rooms",
    .whom = BIT(SURVEY_HUB),
    .answer_size = sizeof(struct rows),
    .ask = ask_rooms,
    .fini = rows_fini,
};

static json_t *
room_json(const struct parts *parts, const struct rows *rows,
          const struct room_row *row)
{
    /* The lobby is there before there is a time. */
    const uint64_t created_ms =
        row->created_ms > 0 ? row->created_ms : parts->started_wall_ms;

    return json_pack(
        "{s:o, s:I, s:o, s:I, s:I}", "name", span_json(rows, row->name),
        "members", (json_int_t)row->members, "topic",
        span_json(rows, row->topic), "events", (json_int_t)row->events,
        "created_ms", (json_int_t)created_ms);
}

static void
answer_rooms(void *arg, const struct survey *s)
{
    struct control_conn *const c = arg;
    const struct rows *const rows = survey_answer(s, 0);
    struct buf out;

    buf_init(&out);
    out.failed = rows_failed(rows);
    begin_list(&out, "rooms");
    for (size_t at = 0; at < rows->rows.len; at += sizeof(struct room_row)) {
        struct room_row row;

        memcpy(&row, rows->rows.data + at, sizeof(row));
        append_row(&out, room_json(c->control->env.parts, rows, &row));
    }
    end_list(c, &out);
}

void
control_on_rooms(struct control_conn *c, const struct control_request *r)
{
    ask(c, &rooms_kind, answer_rooms);
}
