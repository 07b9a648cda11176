/* SPDX-License-Identifier: BSD-2-Clause
 *
 * census - exact counts of everything that is alive, and whether they add up.
 *
 * Shape    Each thread copies its own counters and what only it can count; main
 *          adds them up. A counter is listed once, in the table of its own
 *          module, and copied and added by that table.
 * Exact    when the server is at rest. Under load each thread's part is of its
 *          own moment, so balances over several threads may be off by what is
 *          on its way; those of one thread hold always.
 *
 *  now     must come back to where it was once all clients are gone
 *  total   only grows
 *  memory  what rooms remember, and what the kernel and malloc make of it
 *
 * No two numbers in the answer have the same key.
 */
#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "base/slab.h"
#include "chat/hub_thread.h"
#include "loop/watchdog.h"
#include "net/acceptor.h"
#include "net/conns.h"
#include "ops/control_priv.h"
#include "ops/survey.h"
#include "proto/front.h"

#define PLAIN(name, kind, help) uint64_t name;

/* One thread's part, and the sum: numbers and nothing else. */
struct census {
    /* every thread */
    uint64_t timers;
    uint64_t sources;
    uint64_t slab_objects;
    /* workers */
    struct {
        CONNS_COUNTERS(PLAIN)
        uint64_t ended[CONN_END_COUNT];
        uint64_t in_state[CONN_STATE_COUNT];
    } conns;
    struct {
        FRONT_COUNTERS(PLAIN)
    } front;
    /* the acceptor */
    struct {
        ACCEPTOR_COUNTERS(PLAIN)
    } acceptor;
    /* the hub */
    struct hub_census hub;
    uint64_t lost;
    /* the whole process; filled in last, by main */
    uint64_t closed;
    uint64_t live_events;
    uint64_t live_msgs;
    uint64_t live_msg_bytes;
    uint64_t lost_log_lines;
    uint64_t stalls;
    uint64_t longest_stall_ms;
    uint64_t fds;
    uint64_t threads;
    uint64_t rss_bytes;
};

/* ---- each thread's part --------------------------------------------------- */

static void
copy_conns(struct census *to, const struct conns_counters *from)
{
#define COPY(name, kind, help) to->conns.name = metric_read(&from->name);
    CONNS_COUNTERS(COPY)
#undef COPY
    for (size_t i = 0; i < CONN_END_COUNT; i++)
        to->conns.ended[i] = metric_read(&from->ended[i]);
    for (size_t i = 0; i < CONN_STATE_COUNT; i++)
        to->conns.in_state[i] = metric_read(&from->in_state[i]);
}

static void
copy_front(struct census *to, const struct front_counters *from)
{
#define COPY(name, kind, help) to->front.name = metric_read(&from->name);
    FRONT_COUNTERS(COPY)
#undef COPY
}

static void
copy_acceptor(struct census *to, const struct acceptor_counters *from)
{
#define COPY(name, kind, help) to->acceptor.name = metric_read(&from->name);
    ACCEPTOR_COUNTERS(COPY)
#undef COPY
}

static void
copy_worker(struct census *to, struct worker *w)
{
    to->timers = worker_wheel(w)->armed;
    to->sources = reactor_sources(worker_reactor(w));
    to->slab_objects = slab_live();
}

static void
ask_census(const struct parts *parts, enum survey_whom whom, unsigned index,
           void *answer)
{
    struct census *const part = answer;

    switch (whom) {
    case SURVEY_MAIN:
        copy_worker(part, parts->main_worker);
        break;
    case SURVEY_HUB:
        copy_worker(part, parts->hub_worker);
        hub_count(hub_thread_hub(parts->hub), &part->hub);
        part->lost = metric_read(&hub_thread_counters(parts->hub)->lost);
        break;
    case SURVEY_ACCEPTOR:
        copy_worker(part, parts->acceptor_worker);
        copy_acceptor(part, acceptor_counters(parts->acceptor));
        break;
    case SURVEY_WORKER:
        copy_worker(part, parts->workers[index]);
        copy_conns(part, conns_counters(parts->conns[index]));
        copy_front(part, front_counters(parts->fronts[index]));
        break;
    }
}

static const struct survey_kind census_kind = {
    .name = "census",
    .whom = BIT(SURVEY_MAIN) | BIT(SURVEY_HUB) | BIT(SURVEY_ACCEPTOR) |
            BIT(SURVEY_WORKER),
    .answer_size = sizeof(struct census),
    .ask = ask_census,
};

/* ---- the sum -------------------------------------------------------------- */

static_assert(sizeof(struct census) % sizeof(uint64_t) == 0 &&
                  sizeof(struct hub_census) % sizeof(uint64_t) == 0,
              "a census is numbers and nothing else");

/* Modulo 2^64, as slab_live() counts. */
static void
add_part(struct census *sum, const struct census *part)
{
    uint64_t *const to = (uint64_t *)(void *)sum;
    const uint64_t *const from = (const uint64_t *)(const void *)part;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(uint64_t); i++)
        to[i] += from[i];
}

/* ---- the process ---------------------------------------------------------- */

/* Entries that are numbers. */
static uint64_t
count_entries(const char *path)
{
    DIR *const dir = opendir(path);
    const struct dirent *entry;
    uint64_t n = 0;

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL)
        n += isdigit((unsigned char)entry->d_name[0]) != 0;
    closedir(dir);
    return n;
}

static uint64_t
read_rss(void)
{
    FILE *const file = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%*s %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
look_at_stalls(struct census *sum, const struct watchdog *wd)
{
    for (size_t i = 0; i < watchdog_count(wd); i++) {
        const struct watchdog_counters *const n = watchdog_counters(wd, i);
        const uint64_t longest_ms = metric_read(&n->longest_ms);

        sum->stalls += metric_read(&n->stalls);
        if (longest_ms > sum->longest_stall_ms)
            sum->longest_stall_ms = longest_ms;
    }
}

static void
look_at_process(struct census *sum)
{
    const uint64_t fds = count_entries("/proc/self/fd");

    for (size_t i = 0; i < CONN_END_COUNT; i++)
        sum->closed += sum->conns.ended[i];
    sum->live_events = event_live();
    sum->live_msgs = msg_live();
    sum->live_msg_bytes = msg_live_bytes();
    sum->lost_log_lines = log_dropped();
    sum->fds = fds > 0 ? fds - 1 : 0; /* the one that looks */
    sum->threads = count_entries("/proc/self/task");
    sum->rss_bytes = read_rss();
}

/* ---- as JSON -------------------------------------------------------------- */

struct number {
    const char *key;
    size_t offset; /* in struct census */
};

#define AT(field) offsetof(struct census, field)

static const struct number now_numbers[] = {
    {"conns",                  AT(conns.open)            },
    {"conns_without_deadline", AT(conns.without_deadline)},
    {"conns_paused",           AT(conns.paused)          },
    {"pending_msgs",           AT(conns.pending_msgs)    },
    {"pending_bytes",          AT(conns.pending_bytes)   },
    {"kept_bytes",             AT(conns.kept_bytes)      },
    {"clients",                AT(front.clients)         },
    {"unanswered",             AT(front.unanswered)      },
    {"tracked",                AT(front.tracked)         },
    {"unacked",                AT(front.unacked)         },
    {"sessions",               AT(hub.sessions)          },
    {"waiting",                AT(hub.waiting)           },
    {"users",                  AT(hub.users)             },
    {"rooms",                  AT(hub.rooms)             },
    {"members",                AT(hub.members)           },
    {"view_rooms",             AT(front.view_rooms)      },
    {"view_members",           AT(front.view_members)    },
    {"live_msgs",              AT(live_msgs)             },
    {"live_msg_bytes",         AT(live_msg_bytes)        },
    {"timers",                 AT(timers)                },
    {"sources",                AT(sources)               },
    {"slab_objects",           AT(slab_objects)          },
    {"fds",                    AT(fds)                   },
    {"threads",                AT(threads)               },
};

static const struct number total_numbers[] = {
    {"accepted",         AT(conns.accepted)          },
    {"closed",           AT(closed)                  },
    {"queued_msgs",      AT(conns.queued_msgs)       },
    {"sent_msgs",        AT(conns.sent_msgs)         },
    {"dropped_msgs",     AT(conns.dropped_msgs)      },
    {"queued_bytes",     AT(conns.queued_bytes)      },
    {"sent_bytes",       AT(conns.sent_bytes)        },
    {"dropped_bytes",    AT(conns.dropped_bytes)     },
    {"refused_full",     AT(acceptor.refused_full)   },
    {"refused_address",  AT(acceptor.refused_address)},
    {"refused_rate",     AT(acceptor.refused_rate)   },
    {"refused_fds",      AT(acceptor.refused_fds)    },
    {"accept_backoffs",  AT(acceptor.backoffs)       },
    {"behind",           AT(front.behind)            },
    {"resumed",          AT(front.resumed)           },
    {"missed",           AT(front.missed)            },
    {"lost_deliveries",  AT(lost)                    },
    {"lost_log_lines",   AT(lost_log_lines)          },
    {"stalls",           AT(stalls)                  },
    {"longest_stall_ms", AT(longest_stall_ms)        },
};

static const struct number memory_numbers[] = {
    {"log_events",      AT(hub.log_events)    },
    {"log_bytes",       AT(hub.log_bytes)     },
    {"kept_events",     AT(hub.kept_events)   },
    {"kept_mail_bytes", AT(hub.kept_bytes)    },
    {"live_events",     AT(live_events)       },
    {"addresses",       AT(acceptor.addresses)},
    {"rss_bytes",       AT(rss_bytes)         },
};

/* What came in must be the sum of what became of it. */
struct balance {
    const char *key;
    size_t in;
    size_t out[3]; /* 0: none; what stands there is no part of a balance */
};

static const struct balance balances[] = {
    {"connections",   AT(conns.accepted), {AT(conns.open), AT(closed), 0}    },
    {"messages",
     AT(conns.queued_msgs),
     {AT(conns.sent_msgs), AT(conns.dropped_msgs), AT(conns.pending_msgs)}   },
    {"message_bytes",
     AT(conns.queued_bytes),
     {AT(conns.sent_bytes), AT(conns.dropped_bytes), AT(conns.pending_bytes)}},
};

static uint64_t
value_at(const struct census *sum, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)sum + offset);
}

static json_t *
numbers_json(const struct census *sum, const struct number *numbers, size_t n)
{
    json_t *const json = json_object();

    for (size_t i = 0; i < n; i++)
        json_object_set_new(
            json, numbers[i].key,
            json_integer((json_int_t)value_at(sum, numbers[i].offset)));
    return json;
}

static void
add_number(json_t *json, const char *prefix, const char *name, uint64_t value)
{
    char key[64];

    snprintf(key, sizeof(key), "%s_%s", prefix, name);
    json_object_set_new(json, key, json_integer((json_int_t)value));
}

static json_t *
now_json(const struct census *sum)
{
    json_t *const json = numbers_json(sum, now_numbers, ARRAY_LEN(now_numbers));

    for (size_t i = 0; i < CONN_STATE_COUNT; i++)
        if (i != CONN_CLOSED)
            add_number(json, "in", conn_state_name((enum conn_state)i),
                       sum->conns.in_state[i]);
    return json;
}

static json_t *
total_json(const struct census *sum)
{
    json_t *const json =
        numbers_json(sum, total_numbers, ARRAY_LEN(total_numbers));

    for (size_t i = 0; i < CONN_END_COUNT; i++)
        add_number(json, "ended", conn_end_name((enum conn_end)i),
                   sum->conns.ended[i]);
    return json;
}

/* *balanced: all of them. */
static json_t *
balances_json(const struct census *sum, bool *balanced)
{
    json_t *const json = json_object();

    *balanced = true;
    for (size_t i = 0; i < ARRAY_LEN(balances); i++) {
        const struct balance *const b = &balances[i];
        uint64_t rest = value_at(sum, b->in);

        for (size_t k = 0; k < ARRAY_LEN(b->out); k++)
            if (b->out[k] != 0)
                rest -= value_at(sum, b->out[k]);
        *balanced = *balanced && rest == 0;
        json_object_set_new(json, b->key, json_boolean(rest == 0));
    }
    return json;
}

static void
answer_census(void *arg, const struct survey *s)
{
    const struct control_conn *const c = arg;
    struct census sum = {.timers = 0};
    json_t *weighed;
    bool balanced;

    for (size_t i = 0; i < survey_count(s); i++)
        add_part(&sum, survey_answer(s, i));
    look_at_process(&sum);
    look_at_stalls(&sum, c->control->env.parts->watchdog);
    weighed = balances_json(&sum, &balanced);

    control_answer(arg, json_pack("{s:b, s:b, s:o, s:o, s:o, s:o}", "ok", 1,
                                  "balanced", balanced, "balances", weighed,
                                  "now", now_json(&sum), "total",
                                  total_json(&sum), "memory",
                                  numbers_json(&sum, memory_numbers,
                                               ARRAY_LEN(memory_numbers))));
}

void
control_on_census(struct control_conn *c, const struct control_request *r)
{
    if (survey_start(c->control->env.parts, &census_kind, answer_census, c,
                     &c->survey) < 0)
        control_refuse(c, "the server is short of memory");
}
