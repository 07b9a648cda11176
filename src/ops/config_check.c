/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_check - what must hold between settings that are each right.
 */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "ops/config_priv.h"

/* -- pairs ------------------------------------------------------------------ */

enum relation {
    BELOW,
    AT_MOST,
};

static const struct pair {
    const char *section, *key;
    enum relation relation;
    const char *other_section, *other_key;
    const char *reason;
} pairs[] = {
    {"timeouts", "detect",        BELOW,   "timeouts", "opening",
     "or a client is closed before it is known what it speaks"},
    {"limits",   "line_length",   BELOW,   "limits",   "sendq",
     "or one line closes whoever it is sent to"               },
    {"limits",   "line_length",   BELOW,   "history",  "keep_bytes",
     "or a room cannot keep one line"                         },
    {"limits",   "client_window", AT_MOST, "limits",   "worker_window",
     "which all clients of a worker share"                    },
    {"history",  "room_events",   AT_MOST, "history",  "keep_events",
     "which is all there is to show"                          },
};

static const struct option *
row(const char *section, const char *key)
{
    const struct option *const o =
        option_find(slice_of(section), slice_of(key));

    ASSERT(o != NULL);
    return o;
}

static uint64_t
value_of(const struct config *conf, const struct option *o)
{
    uint64_t value;

    memcpy(&value, (const char *)conf + o->offset, sizeof(value));
    return value;
}

/* Either of the two was set, for the defaults agree with each other. */
static const struct config_origin *
where(const struct config_loader *l, const struct option *a,
      const struct option *b)
{
    const struct config_origin *const at = &l->set_at[a - options];

    return at->name != NULL ? at : &l->set_at[b - options];
}

static void
check_pair(struct config_loader *l, const struct pair *p)
{
    const struct option *const a = row(p->section, p->key);
    const struct option *const b = row(p->other_section, p->other_key);
    const uint64_t is = value_of(l->conf, a);
    const uint64_t bound = value_of(l->conf, b);
    char text[OPTION_VALUE_SIZE], other[OPTION_VALUE_SIZE];

    if (p->relation == BELOW ? is < bound : is <= bound)
        return;
    config_error(l, where(l, a, b), "[%s] %s (%s) must be %s [%s] %s (%s), %s",
                 a->section, a->key,
                 option_format(a, l->conf, text, sizeof(text)),
                 p->relation == BELOW ? "below" : "at most", b->section, b->key,
                 option_format(b, l->conf, other, sizeof(other)), p->reason);
}

/* -- listeners -------------------------------------------------------------- */

static size_t
address_row(void)
{
    const struct option *const o = option_find_listen(slice_of("address"));

    ASSERT(o != NULL);
    return (size_t)(o - listen_options);
}

static bool
is_any(const struct listen_addr *a)
{
    if (a->u.any.sa_family == AF_INET)
        return a->u.in.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
}

static bool
is_same_ip(const struct listen_addr *a, const struct listen_addr *b)
{
    if (a->u.any.sa_family == AF_INET)
        return a->u.in.sin_addr.s_addr == b->u.in.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr);
}

static in_port_t
port_of(const struct listen_addr *a)
{
    return a->u.any.sa_family == AF_INET ? a->u.in.sin_port
                                         : a->u.in6.sin6_port;
}

/* Would both be asked to accept the same client? `[::]` takes IPv4 as well;
 * port 0 is a port of one's own. */
static bool
overlap(const struct listen_addr *a, const struct listen_addr *b)
{
    const sa_family_t fa = a->u.any.sa_family;
    const sa_family_t fb = b->u.any.sa_family;

    if (fa == AF_UNIX || fb == AF_UNIX)
        return fa == fb && strcmp(a->u.un.sun_path, b->u.un.sun_path) == 0;
    if (port_of(a) != port_of(b) || port_of(a) == 0)
        return false;
    if (fa == fb)
        return is_any(a) || is_any(b) || is_same_ip(a, b);
    return (fa == AF_INET6 && is_any(a)) || (fb == AF_INET6 && is_any(b));
}

/* Has it an address to compare? One that was wrong was told already. */
static bool
has_address(const struct config_listener *listener)
{
    return listener->addr.len > 0;
}

static void
check_listener(struct config_loader *l, size_t i)
{
    const struct config_listener *const listener = &l->conf->listeners[i];
    const size_t address = address_row();

    if (!has_address(listener)) {
        if (l->listener_set_at[i][address].name == NULL)
            config_error(l, &l->listener_at[i],
                         "[listen \"%s\"] has no address", listener->name);
        return;
    }
    for (size_t j = 0; j < i; j++) {
        const struct config_listener *const other = &l->conf->listeners[j];

        if (has_address(other) && overlap(&other->addr, &listener->addr))
            config_error(l, &l->listener_set_at[i][address],
                         "[listen \"%s\"] address: %s is taken by [listen "
                         "\"%s\"] (%s)",
                         listener->name, listener->address, other->name,
                         other->address);
    }
}

void
config_check(struct config_loader *l)
{
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        check_pair(l, &pairs[i]);
    for (size_t i = 0; i < l->conf->listener_count; i++)
        check_listener(l, i);
}
