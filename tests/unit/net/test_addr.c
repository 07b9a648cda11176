/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "support/unit.h"

static int
parse(const char *text, struct listen_addr *out)
{
    return listen_addr_parse(slice_of(text), out);
}

/* The address `text` as accept4() would give it. */
static struct addr
peer_of(const char *text)
{
    struct listen_addr a;
    struct addr peer;

    ck_assert_int_eq(parse(text, &a), 0);
    addr_from_sockaddr(&a.u.any, &peer);
    return peer;
}

START_TEST(an_address_comes_out_as_it_was_written)
{
    static const char *const texts[] = {
        "127.0.0.1:7000",   "0.0.0.0:0", "255.255.255.255:65535",
        "[::1]:7000",       "*:7000",    "[2001:db8::1]:1",
        "unix:/run/k.sock",
    };
    char out[128];

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct listen_addr a;

        ck_assert_int_eq(parse(texts[i], &a), 0);
        ck_assert_str_eq(listen_addr_format(&a, out, sizeof(out)), texts[i]);
    }
}
END_TEST

START_TEST(other_ways_to_write_mean_the_same)
{
    static const char *const pairs[][2] = {
        {"localhost:7000",          "127.0.0.1:7000"    },
        {"[::]:7000",               "*:7000"            },
        {"[::ffff:192.0.2.1]:7000", "192.0.2.1:7000"    },
        {"[2001:DB8:0:0::1]:07000", "[2001:db8::1]:7000"},
    };
    char out[128];

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct listen_addr a;

        ck_assert_int_eq(parse(pairs[i][0], &a), 0);
        ck_assert_str_eq(listen_addr_format(&a, out, sizeof(out)), pairs[i][1]);
    }
}
END_TEST

START_TEST(what_is_no_address_is_refused_and_changes_nothing)
{
    static const char *const texts[] = {
        "",
        ":",
        ":7000",
        "7000",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.0.0.1:1 ",
        "127.0.0.1:000001",
        "127.0.0.1:99999999999999999999",
        "127.1:7000",
        "256.0.0.1:7000",
        "::1:7000",
        "[::1]",
        "[::1]7000",
        "[::1:7000",
        "[]:7000",
        "[:7000",
        "]:7000",
        "[127.0.0.1]:7000",
        "[fe80::1%lo]:7000",
        "example.org:7000",
        "**:7000",
        "unix:",
        "unix:k.sock",
        "Unix:/k.sock",
        "0000000000000000000000000000000000000000000000127.0.0.1:1",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct listen_addr a = {.len = 7};

        ck_assert_msg(parse(texts[i], &a) == -EINVAL, "\"%s\"", texts[i]);
        ck_assert_uint_eq(a.len, 7);
    }
}
END_TEST

START_TEST(a_nul_byte_is_no_end)
{
    struct listen_addr a;

    ck_assert_int_eq(listen_addr_parse(slice_make("127.0.0.1\0:1", 12), &a),
                     -EINVAL);
    ck_assert_int_eq(listen_addr_parse(slice_make("127.0.0.1:1\0", 12), &a),
                     -EINVAL);
    ck_assert_int_eq(listen_addr_parse(slice_make("unix:/a\0b", 9), &a),
                     -EINVAL);
    ck_assert_int_eq(listen_addr_parse(slice_make(NULL, 0), &a), -EINVAL);
}
END_TEST

START_TEST(a_unix_path_may_fill_what_the_kernel_takes_but_no_more)
{
    struct listen_addr a;
    char text[128] = "unix:/";

    memset(text + 6, 'x', 106); /* 107 with the slash: sun_path and its NUL */
    ck_assert_int_eq(parse(text, &a), 0);
    ck_assert_uint_eq(a.len, offsetof(struct sockaddr_un, sun_path) + 108);
    ck_assert_uint_eq(strlen(a.u.un.sun_path), 107);

    text[112] = 'x';
    ck_assert_int_eq(parse(text, &a), -ENAMETOOLONG);
}
END_TEST

START_TEST(a_text_longer_than_its_buffer_is_cut)
{
    struct listen_addr a;
    char out[8];

    ck_assert_int_eq(parse("unix:/run/klatch.sock", &a), 0);

    ck_assert_str_eq(listen_addr_format(&a, out, sizeof(out)), "unix:/r");
}
END_TEST

START_TEST(a_peer_has_a_text_with_and_without_its_port)
{
    static const char *const rows[][3] = {
        {"203.0.113.9:51312",                               "203.0.113.9:51312",   "203.0.113.9"                            },
        {"[2001:db8::1]:51312",                             "[2001:db8::1]:51312", "2001:db8::1"                            },
        {"[::ffff:203.0.113.9]:1",                          "203.0.113.9:1",       "203.0.113.9"                            },
        {"[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
         "[1111:2222:3333:4444:5555:6666:7777:8888]:65535",                        "1111:2222:3333:4444:5555:6666:7777:8888"},
        {"unix:/k",                                         "unix",                "unix"                                   },
    };
    char out[ADDR_TEXT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct addr peer = peer_of(rows[i][0]);

        ck_assert_str_eq(addr_format(&peer, out), rows[i][1]);
        ck_assert_str_eq(addr_format_host(&peer, out), rows[i][2]);
    }
}
END_TEST

START_TEST(ipv4_inside_ipv6_is_taken_out)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(7)};
    const uint8_t expected[16] = {192, 0, 2, 1};
    struct addr a;

    ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr),
                     1);
    addr_from_sockaddr((const struct sockaddr *)(const void *)&in6, &a);

    ck_assert_uint_eq(a.family, AF_INET);
    ck_assert_uint_eq(a.port, 7);
    ck_assert_mem_eq(a.ip, expected, sizeof(expected));
}
END_TEST

START_TEST(a_family_we_do_not_know_is_unknown)
{
    const struct sockaddr sa = {.sa_family = AF_PACKET};
    char out[ADDR_TEXT_MAX];
    uint8_t key[17];
    struct addr a;

    addr_from_sockaddr(&sa, &a);

    ck_assert_uint_eq(a.family, AF_UNSPEC);
    ck_assert_str_eq(addr_format(&a, out), "unknown");
    ck_assert(!addr_limit_key(&a, key));
}
END_TEST

static bool
same_key(const char *a, const char *b)
{
    const struct addr pa = peer_of(a);
    const struct addr pb = peer_of(b);
    uint8_t ka[17], kb[17];

    ck_assert(addr_limit_key(&pa, ka));
    ck_assert(addr_limit_key(&pb, kb));
    return memcmp(ka, kb, sizeof(ka)) == 0;
}

START_TEST(limits_see_an_ipv4_address_and_an_ipv6_network)
{
    const struct addr local = peer_of("unix:/k");
    uint8_t key[17];

    ck_assert(same_key("192.0.2.1:1", "192.0.2.1:2"));
    ck_assert(same_key("192.0.2.1:1", "[::ffff:192.0.2.1]:1"));
    ck_assert(!same_key("192.0.2.1:1", "192.0.2.2:1"));
    ck_assert(same_key("[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff::]:1"));
    ck_assert(!same_key("[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1"));
    ck_assert(!same_key("32.1.13.184:1", "[2001:0db8::]:1"));
    ck_assert(!addr_limit_key(&local, key));
}
END_TEST

UNIT_MAIN("net/addr", an_address_comes_out_as_it_was_written,
          other_ways_to_write_mean_the_same,
          what_is_no_address_is_refused_and_changes_nothing,
          a_nul_byte_is_no_end,
          a_unix_path_may_fill_what_the_kernel_takes_but_no_more,
          a_text_longer_than_its_buffer_is_cut,
          a_peer_has_a_text_with_and_without_its_port,
          ipv4_inside_ipv6_is_taken_out, a_family_we_do_not_know_is_unknown,
          limits_see_an_ipv4_address_and_an_ipv6_network)
