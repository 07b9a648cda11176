/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fault (d), byte by byte: what one event causes, be it a thousand writes, goes
 * out whole and in order, however small the buffers and slow the reader.
 *
 * The server's send buffer and the reader's receive buffer are as small as Linux
 * makes them, and the reader takes 1 to 17 bytes a millisecond. The SHA-256 of
 * what it gets is that of what it must get.
 */
#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/daemon.h"
#include "support/figure.h"
#include "support/peer.h"
#include "support/small_net.h"
#include "support/unit.h"

#define LINES 1000u
#define SMALL 4096 /* less, and TCP itself gets slow */

static struct daemon d;
static struct peer speaker, reader;
static unsigned dice = 5;

/* -- the model ------------------------------------------------------------ */

struct text {
    char *data;
    size_t len, cap;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *fmt, ...)
{
    va_list args;

    if (t->cap - t->len < 1024) {
        t->cap = t->cap * 2 + 4096;
        t->data = realloc(t->data, t->cap);
        ck_assert_ptr_nonnull(t->data);
    }
    va_start(args, fmt);
    t->len += (size_t)vsnprintf(t->data + t->len, t->cap - t->len, fmt, args);
    va_end(args);
}

/* Line `n`, short, but of all lengths. */
static void
add_line(struct text *t, const char *before, unsigned n)
{
    add(t, "%s%u %.*s\n", before, n, (int)(n * 7 % 26),
        "abcdefghijklmnopqrstuvwxyz");
}

/* -- the reader ----------------------------------------------------------- */

struct digest {
    unsigned char bytes[crypto_hash_sha256_BYTES];
};

static struct digest
digest_of(const struct text *t)
{
    struct digest out;

    crypto_hash_sha256(out.bytes, (const unsigned char *)t->data, t->len);
    return out;
}

/* The next `len` bytes, in sips. */
static struct digest
sip(struct peer *p, size_t len)
{
    crypto_hash_sha256_state state;
    struct digest out;

    ck_assert_uint_eq(p->len, 0);
    crypto_hash_sha256_init(&state);
    while (len > 0) {
        const size_t most = 1 + (size_t)rand_r(&dice) % 17;
        const size_t n = peer_receive_some(p, most < len ? most : len);

        if (n == 0)
            e2e_fail("the server closed, %zu bytes too early", len);
        crypto_hash_sha256_update(&state,
                                  (const unsigned char *)p->data + p->head, n);
        p->head += n;
        p->len -= n;
        len -= n;
        (void)poll(NULL, 0, 1);
    }
    crypto_hash_sha256_final(&state, out.bytes);
    return out;
}

static void
expect_exactly(struct text *model)
{
    const struct digest is = sip(&reader, model->len);
    const struct digest must = digest_of(model);

    if (memcmp(&is, &must, sizeof(is)) != 0)
        e2e_fail("%zu bytes are not what they must be", model->len);
    free(model->data);
    *model = (struct text){.len = 0};
}

static void
start(void)
{
    if (!small_net_enter())
        printf("without a small network: send buffers are the system's\n");
    daemon_start(&d, "[history]\nroom_events = 0\nkeep_events = 4000\n"
                     "keep_bytes = 16M\n[timeouts]\ndrain = 60s\n");
    peer_join(&speaker, d.port, "speaker");
    peer_connect_small(&reader, d.port, SMALL);
    peer_enter(&reader, "reader");
    peer_expect(&speaker, "* reader joined #lobby.");
}

static void
stop(void)
{
    peer_expect_silence(&reader);
    peer_close(&reader);
    peer_close(&speaker);
    daemon_stop(&d);
}

/* How many writes: around what may be a batch in the short form, and all over
 * the range in the long one. */
static unsigned
next_count(unsigned n)
{
    static const unsigned counts[] = {1, 2, 16, 17, 65, 300};

    if (figure_is_long())
        return n + 19 <= LINES ? n + 19 : 0;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (counts[i] > n)
            return counts[i];
    return 0;
}

/* -- one request, many writes --------------------------------------------- */

/* "HH:MM", UTC. */
static struct text
clock_now(void)
{
    const time_t now = time(NULL);
    struct text t = {.len = 0};
    struct tm utc;

    ck_assert_ptr_nonnull(gmtime_r(&now, &utc));
    add(&t, "%02d:%02d", utc.tm_hour, utc.tm_min);
    return t;
}

/* All of them within one minute, in a room of their own; returns which minute,
 * the caller's to free. */
static char *
say_within_a_minute(char room[16])
{
    struct text before, after, lines;
    unsigned attempt = 0;

    do {
        snprintf(room, 16, "#past%u", attempt++);
        before = clock_now();
        lines = (struct text){.len = 0};
        add(&lines, "/join %s\n", room);
        for (unsigned n = 1; n <= LINES; n++)
            add_line(&lines, "", n);
        peer_send_bytes(&speaker, lines.data, lines.len);
        free(lines.data);
        peer_expect(&speaker, "* You are in %s. Nobody else is here.", room);
        peer_expect_silence(&speaker);
        after = clock_now();
    } while (strcmp(before.data, after.data) != 0);
    free(before.data);
    return after.data;
}

START_TEST(one_request_causes_so_many_writes)
{
    char room[16], past[64];
    char *minute;

    start();
    minute = say_within_a_minute(room);
    snprintf(past, sizeof(past), "%s <speaker> ", minute);
    peer_send(&reader, "/join %s\n", room);
    peer_await(&reader, "* You are in #past");
    peer_expect_silence(&reader);
    for (unsigned n = next_count(0); n != 0; n = next_count(n)) {
        struct text model = {.len = 0};

        e2e_scene("%u writes", n);
        add(&model, "* Earlier in %s (times are UTC):\n", room);
        for (unsigned i = LINES + 1 - n; i <= LINES; i++)
            add_line(&model, past, i);
        peer_send(&reader, "/history %s %u\n", room, n);
        expect_exactly(&model);
    }
    free(minute);
    stop();
}
END_TEST

/* Said in one packet, so there is one event and as many writes as lines. */
START_TEST(one_packet_of_another_causes_so_many_writes)
{
    start();
    for (unsigned n = next_count(0); n != 0; n = next_count(n)) {
        struct text model = {.len = 0}, lines = {.len = 0};

        e2e_scene("%u writes", n);
        for (unsigned i = 0; i < n; i++) {
            add_line(&lines, "", i);
            add_line(&model, "<speaker> ", i);
        }
        peer_send_bytes(&speaker, lines.data, lines.len);
        free(lines.data);
        expect_exactly(&model);
    }
    stop();
}
END_TEST

/* Nothing of what somebody said gets lost with its sender. */
START_TEST(who_says_many_lines_and_is_gone_is_heard_to_the_end)
{
    start();
    for (unsigned round = 0; round < figure(1, 10); round++) {
        struct text model = {.len = 0}, lines = {.len = 0};
        struct peer leaver;

        peer_join(&leaver, d.port, "leaver");
        peer_expect(&speaker, "* leaver joined #lobby.");
        peer_expect(&reader, "* leaver joined #lobby.");
        for (unsigned i = 0; i < figure(300, LINES); i++) {
            add_line(&lines, "", i);
            add_line(&model, "<leaver> ", i);
        }
        add(&lines, "/quit that was all\n");
        add(&model, "* leaver quit (that was all).\n");
        peer_send_bytes(&leaver, lines.data, lines.len);
        free(lines.data);
        peer_close(&leaver);

        expect_exactly(&model);
        peer_await(&speaker, "* leaver quit");
    }
    stop();
}
END_TEST

/* And what was said to somebody who quits comes before the end. */
START_TEST(who_quits_gets_all_that_was_before_the_end)
{
    start();
    for (unsigned round = 0; round < figure(1, 10); round++) {
        struct text model = {.len = 0}, lines = {.len = 0};

        for (unsigned i = 0; i < figure(300, LINES); i++) {
            add_line(&lines, "", i);
            add_line(&model, "<speaker> ", i);
        }
        peer_send_bytes(&speaker, lines.data, lines.len);
        free(lines.data);
        peer_expect_silence(&speaker); /* so all of it was handed out */
        peer_send(&reader, "/quit\n");
        add(&model, "* Goodbye, reader.\n");

        expect_exactly(&model);
        peer_expect_end(&reader, false);
        peer_close(&reader);
        peer_expect(&speaker, "* reader quit.");
        peer_connect_small(&reader, d.port, SMALL);
        peer_enter(&reader, "reader");
        peer_expect(&speaker, "* reader joined #lobby.");
    }
    stop();
}
END_TEST

UNIT_MAIN("e2e/exact", one_request_causes_so_many_writes,
          one_packet_of_another_causes_so_many_writes,
          who_says_many_lines_and_is_gone_is_heard_to_the_end,
          who_quits_gets_all_that_was_before_the_end)
