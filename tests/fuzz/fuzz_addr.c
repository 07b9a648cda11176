/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as an address to listen on, and as one that came from a socket:
 * what is taken for an address is written in a way that reads back as the same
 * and then no longer changes; whatever it is, it fits, and is printable.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "net/addr.h"
#include "support/fuzz.h"

static void
check_printable(const char *text)
{
    for (; *text != '\0'; text++)
        ASSERT(*text > ' ' && *text < 0x7F);
}

/* A path may hold what it likes; the rest of an address may not. */
static void
check_round_trip(const struct listen_addr *a)
{
    char once[256], twice[256];
    struct listen_addr again;

    listen_addr_format(a, once, sizeof(once));
    ASSERT(strlen(once) < sizeof(once) - 1);
    if (a->u.any.sa_family != AF_UNIX)
        check_printable(once);

    ASSERT(listen_addr_parse(slice_of(once), &again) == 0);
    ASSERT(again.len == a->len);
    ASSERT(memcmp(&again.u, &a->u, a->len) == 0);
    listen_addr_format(&again, twice, sizeof(twice));
    ASSERT(strcmp(once, twice) == 0);
}

static void
check_typed(struct slice text)
{
    struct listen_addr a;
    const int rc = listen_addr_parse(text, &a);

    ASSERT(rc == 0 || rc == -EINVAL || rc == -ENAMETOOLONG);
    if (rc == 0) {
        ASSERT(a.len > 0 && a.len <= sizeof(a.u));
        check_round_trip(&a);
    }
}

/* The same key for the same peer, which is all of an IPv4 address and the
 * first half of an IPv6 one. */
static void
check_key(struct addr a)
{
    uint8_t key[17], other[17];

    if (!addr_limit_key(&a, key)) {
        ASSERT(a.family != AF_INET && a.family != AF_INET6);
        return;
    }
    a.port ^= 1;
    a.ip[15] ^= 1;
    ASSERT(addr_limit_key(&a, other) && memcmp(key, other, 17) == 0);
    a.ip[3] ^= 1;
    ASSERT(addr_limit_key(&a, other) && memcmp(key, other, 17) != 0);
}

static void
check_peer(const uint8_t *data, size_t size)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
    char text[ADDR_TEXT_MAX];
    struct addr a;

    memcpy(&storage, data, size < sizeof(storage) ? size : sizeof(storage));
    addr_from_sockaddr((const struct sockaddr *)(const void *)&storage, &a);

    check_printable(addr_format(&a, text));
    ASSERT(strlen(text) < ADDR_TEXT_MAX - 1);
    check_printable(addr_format_host(&a, text));
    check_key(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_typed(slice_make(data, size));
    if (size > 0)
        check_peer(data, size);
    return 0;
}
