/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See ctl/show.h.
 */
#include "ctl/show.h"

#include <inttypes.h>
#include <string.h>

#include "base/compiler.h"
#include "ctl/text.h"

static uint64_t
number(const json_t *object, const char *key)
{
    const json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 ? (uint64_t)value : 0;
}

static struct slice
text(const json_t *object, const char *key)
{
    const json_t *const value = json_object_get(object, key);

    return json_is_string(value)
               ? slice_make(json_string_value(value), json_string_length(value))
               : slice_of("");
}

static const char *
plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

void
show_nothing(const json_t *answer, struct buf *out)
{
}

void
show_version(const json_t *answer, struct buf *out)
{
    buf_append_str(out, "klatchd ");
    text_append(out, text(answer, "version"));
    buf_append_char(out, '\n');
}

/* ---- status --------------------------------------------------------------- */

static void
append_label(struct buf *out, const char *label)
{
    buf_printf(out, "%-13s", label);
}

static void
append_count(struct buf *out, const char *label, uint64_t n)
{
    append_label(out, label);
    buf_printf(out, "%" PRIu64 "\n", n);
}

static void
append_config(const json_t *answer, struct buf *out)
{
    const struct slice path = text(answer, "config");

    append_label(out, "config");
    text_append(out, path.len > 0 ? path : slice_of("(no file)"));
    buf_append_char(out, '\n');
}

static void
append_listeners(const json_t *list, struct buf *out)
{
    const json_t *l;
    size_t i;

    json_array_foreach(list, i, l)
    {
        append_label(out, i == 0 ? "listening" : "");
        text_append(out, text(l, "address"));
        buf_append_str(out, " (");
        text_append(out, text(l, "name"));
        buf_append_str(out, ", ");
        text_append(out, text(l, "protocol"));
        buf_append_str(out, ")\n");
    }
}

static void
append_worker(const json_t *w, uint64_t uptime_us, struct buf *out)
{
    const uint64_t conns = number(w, "connections");
    const uint64_t longest_us = number(w, "longest_turn_us");
    const uint64_t permille =
        uptime_us > 0 ? number(w, "busy_us") * 1000 / uptime_us : 0;

    buf_printf(out,
               "%" PRIu64 ": %" PRIu64 " connection%s, busy %" PRIu64
               ".%" PRIu64 " %%, longest turn %" PRIu64 ".%" PRIu64 " ms\n",
               number(w, "index"), conns, plural(conns), permille / 10,
               permille % 10, longest_us / 1000, longest_us / 100 % 10);
}

static void
append_workers(const json_t *answer, struct buf *out)
{
    const json_t *const list = json_object_get(answer, "workers");
    const json_t *w;
    size_t i;

    json_array_foreach(list, i, w)
    {
        append_label(out, i == 0 ? "workers" : "");
        append_worker(w, number(answer, "uptime_ms") * 1000, out);
    }
}

/* Those that were stuck once, or are. */
static void
append_stalls(const json_t *list, struct buf *out)
{
    const json_t *t;
    size_t i;

    json_array_foreach(list, i, t)
    {
        const uint64_t stalls = number(t, "stalls");
        const uint64_t now_ms = number(t, "stalled_ms");

        if (stalls == 0)
            continue;
        append_label(out, "stalled");
        text_append(out, text(t, "name"));
        buf_printf(out, " %" PRIu64 ": %" PRIu64 " time%s, at most ",
                   number(t, "index"), stalls, plural(stalls));
        text_append_duration(out, number(t, "longest_stall_ms"));
        if (now_ms > 0) {
            buf_append_str(out, "; now for ");
            text_append_duration(out, now_ms);
            buf_append_str(out, " in ");
            text_append(out, text(t, "where"));
        }
        buf_append_char(out, '\n');
    }
}

static void
append_messages(const json_t *m, struct buf *out)
{
    append_label(out, "messages");
    buf_printf(out,
               "%" PRIu64 " asked, %" PRIu64 " refused, %" PRIu64
               " sent to clients; bytes in ",
               number(m, "commands"), number(m, "refused"), number(m, "sent"));
    text_append_bytes(out, number(m, "bytes_in"));
    buf_append_str(out, ", out ");
    text_append_bytes(out, number(m, "bytes_out"));
    buf_append_char(out, '\n');
}

void
show_status(const json_t *answer, struct buf *out)
{
    append_label(out, "klatchd");
    text_append(out, text(answer, "version"));
    buf_printf(out, ", pid %" PRIu64 ", up ", number(answer, "pid"));
    text_append_duration(out, number(answer, "uptime_ms"));
    buf_append_char(out, '\n');

    append_config(answer, out);
    append_listeners(json_object_get(answer, "listeners"), out);
    append_workers(answer, out);
    append_stalls(json_object_get(answer, "threads"), out);
    append_count(out, "connections", number(answer, "connections"));
    append_count(out, "users", number(answer, "users"));
    append_count(out, "rooms", number(answer, "rooms"));
    append_messages(json_object_get(answer, "messages"), out);
}

/* ---- lists ---------------------------------------------------------------- */

static void
cell_text(struct text_table *t, const json_t *row, const char *key)
{
    text_append(&t->text, text(row, key));
    text_table_end_cell(t);
}

static void
cell_number(struct text_table *t, const json_t *row, const char *key)
{
    buf_printf(&t->text, "%" PRIu64, number(row, key));
    text_table_end_cell(t);
}

static void
cell_bytes(struct text_table *t, const json_t *row, const char *key)
{
    text_append_bytes(&t->text, number(row, key));
    text_table_end_cell(t);
}

static void
cell_duration(struct text_table *t, const json_t *row, const char *key)
{
    text_append_duration(&t->text, number(row, key));
    text_table_end_cell(t);
}

static void
end_table(struct text_table *t, struct buf *out, size_t rows, const char *what)
{
    if (rows > 0)
        text_table_append(t, out);
    text_table_fini(t);
    buf_printf(out, "%zu %s%s\n", rows, what, plural(rows));
}

void
show_clients(const json_t *answer, struct buf *out)
{
    static const struct text_column columns[] = {
        {"NICK",    false},
        {"ADDRESS", false},
        {"PROTO",   false},
        {"STATE",   false},
        {"ROOM",    false},
        {"ROOMS",   true },
        {"HERE",    true },
        {"IDLE",    true },
        {"IN",      true },
        {"OUT",     true },
        {"QUEUED",  true },
        {"ID",      true },
    };
    const json_t *const list = json_object_get(answer, "clients");
    struct text_table t;
    const json_t *row;
    size_t i;

    text_table_init(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(list, i, row)
    {
        cell_text(&t, row, "nick");
        cell_text(&t, row, "address");
        cell_text(&t, row, "protocol");
        cell_text(&t, row, "state");
        cell_text(&t, row, "room");
        cell_number(&t, row, "rooms");
        cell_duration(&t, row, "age_ms");
        cell_duration(&t, row, "idle_ms");
        cell_bytes(&t, row, "bytes_in");
        cell_bytes(&t, row, "bytes_out");
        cell_bytes(&t, row, "queued_bytes");
        cell_text(&t, row, "id");
    }
    end_table(&t, out, json_array_size(list), "connection");
}

static void
cell_acks(struct text_table *t, const json_t *row)
{
    buf_append_str(&t->text, json_is_true(json_object_get(row, "acks"))
                                 ? "itself"
                                 : "TCP");
    text_table_end_cell(t);
}

void
show_sessions(const json_t *answer, struct buf *out)
{
    static const struct text_column columns[] = {
        {"NICK",    false},
        {"STATE",   false},
        {"WAITED",  true },
        {"LEFT",    true },
        {"ROOMS",   true },
        {"KEPT",    true },
        {"RESUMED", true },
        {"ACKS",    false},
        {"CONN",    true },
    };
    const json_t *const list = json_object_get(answer, "sessions");
    struct text_table t;
    const json_t *row;
    size_t i;

    text_table_init(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(list, i, row)
    {
        cell_text(&t, row, "nick");
        cell_text(&t, row, "state");
        cell_duration(&t, row, "waited_ms");
        cell_duration(&t, row, "ends_in_ms");
        cell_number(&t, row, "rooms");
        cell_number(&t, row, "kept_events");
        cell_number(&t, row, "resumed");
        cell_acks(&t, row);
        cell_text(&t, row, "conn");
    }
    end_table(&t, out, json_array_size(list), "session");
}

void
show_rooms(const json_t *answer, struct buf *out)
{
    static const struct text_column columns[] = {
        {"ROOM",    false},
        {"MEMBERS", true },
        {"EVENTS",  true },
        {"TOPIC",   false},
    };
    const json_t *const list = json_object_get(answer, "rooms");
    struct text_table t;
    const json_t *row;
    size_t i;

    text_table_init(&t, columns, ARRAY_LEN(columns));
    json_array_foreach(list, i, row)
    {
        cell_text(&t, row, "name");
        cell_number(&t, row, "members");
        cell_number(&t, row, "events");
        cell_text(&t, row, "topic");
    }
    end_table(&t, out, json_array_size(list), "room");
}

/* ---- census --------------------------------------------------------------- */

static void
append_value(const json_t *value, struct buf *out)
{
    if (json_is_boolean(value))
        buf_append_str(out, json_is_true(value) ? "balanced" : "NOT BALANCED");
    else
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

static void
append_group(const json_t *answer, const char *group, struct buf *out)
{
    json_t *const values = json_object_get(answer, group);
    const char *key;
    json_t *value;

    buf_printf(out, "%s\n", group);
    json_object_foreach(values, key, value)
    {
        buf_append_str(out, "  ");
        text_append(out, slice_of(key));
        for (size_t n = strlen(key); n < 24; n++)
            buf_append_char(out, ' ');
        append_value(value, out);
        buf_append_char(out, '\n');
    }
}

void
show_census(const json_t *answer, struct buf *out)
{
    append_group(answer, "now", out);
    append_group(answer, "total", out);
    append_group(answer, "memory", out);
    append_group(answer, "balances", out);
}
