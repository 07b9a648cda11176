/* SPDX-License-Identifier: BSD-2-Clause
 *
 * realloc is wrapped, so that there can be no memory to keep input in.
 */
#include "net/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"
#include "net/conn_priv.h"
#include "support/fake_time.h"
#include "support/fault_io.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

static bool is_memory_short;

void *__real_realloc(void *old, size_t size);

void *
__wrap_realloc(void *old, size_t size)
{
    return is_memory_short ? NULL : __real_realloc(old, size);
}

static void
start(struct probe *p)
{
    rig_init();
    rig_start();
    probe_open(p);
}

static void
finish(struct probe *p)
{
    probe_end(p);
    rig_stop();
}

/* -- protocols ------------------------------------------------------------- */

/* Consumes whole lines. */
static size_t
take_lines(struct probe *p, const char *data, size_t len)
{
    size_t used = len;

    while (used > 0 && data[used - 1] != '\n')
        used--;
    buf_append(&p->heard, data, used);
    return used;
}

static size_t
take_nothing(struct probe *p, const char *data, size_t len)
{
    return 0;
}

/* -- offering -------------------------------------------------------------- */

START_TEST(bytes_reach_the_protocol)
{
    struct probe p = {.number = 0};

    start(&p);
    peer_say(&p, "hello\n");

    rig_turn();

    ck_assert(probe_heard(&p, "hello\n"));
    ck_assert_uint_eq(rig_counter("bytes_in"), 6);
    ck_assert_uint_eq(conn_bytes_in(p.c), 6);
    finish(&p);
}
END_TEST

START_TEST(what_is_left_is_offered_again_with_what_comes_next)
{
    struct probe p = {.on_bytes = take_lines};

    start(&p);
    peer_say(&p, "hel");
    rig_turn();
    ck_assert(probe_heard(&p, ""));
    ck_assert_uint_eq(rig_counter("kept_bytes"), 3);
    ck_assert_uint_eq(p.offers, 1);

    rig_turns(5);
    ck_assert_uint_eq(p.offers, 1);
    peer_say(&p, "lo\nwor");
    rig_turn();

    ck_assert(probe_heard(&p, "hello\n"));
    ck_assert_uint_eq(rig_counter("kept_bytes"), 3);
    finish(&p);
}
END_TEST

START_TEST(nothing_is_kept_once_all_is_consumed)
{
    struct probe p = {.on_bytes = take_lines};

    start(&p);
    peer_say(&p, "hel");
    rig_turn();
    peer_say(&p, "lo\n");
    rig_turn();

    ck_assert_ptr_null(p.c->kept);
    ck_assert_uint_eq(rig_counter("kept_bytes"), 0);
    finish(&p);
}
END_TEST

START_TEST(bytes_that_come_one_by_one_make_a_line)
{
    static const char text[] = "a line that comes very slowly, and is "
                               "longer than one step of what is kept\n";
    struct probe p = {.on_bytes = take_lines};

    start(&p);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        peer_say(&p, (char[]){text[i], '\0'});
        rig_turn();
    }

    ck_assert(probe_heard(&p, text));
    finish(&p);
}
END_TEST

START_TEST(short_and_interrupted_reads_lose_nothing)
{
    struct probe p = {.on_bytes = take_lines};
    struct buf said;

    start(&p);
    buf_init(&said);
    fault_io_script(1, p.peer);
    for (unsigned i = 0; i < 2000; i++) {
        char line[32];

        snprintf(line, sizeof(line), "line %u\n", i);
        buf_append_str(&said, line);
        peer_say(&p, line);
        if (i % 7 == 0)
            rig_turn();
    }
    rig_settle();

    ck_assert_uint_eq(p.heard.len, said.len);
    ck_assert_mem_eq(p.heard.data, said.data, said.len);
    ck_assert_uint_gt(fault_io.interrupts, 100);
    buf_fini(&said);
    fault_io_stop();
    finish(&p);
}
END_TEST

START_TEST(a_protocol_that_consumes_nothing_ends_at_the_cap)
{
    static char flood[8192];
    struct probe p = {.on_bytes = take_nothing};
    size_t said = 0;

    start(&p);
    memset(flood, 'x', sizeof(flood) - 1);
    while (p.c != NULL && said < 10 * CONN_KEPT_MAX) {
        peer_say(&p, flood);
        said += sizeof(flood) - 1;
        rig_turn();
        ck_assert_uint_le(rig_counter("kept_bytes"), CONN_KEPT_MAX);
    }

    ck_assert_int_eq(p.end, CONN_END_PROTOCOL);
    ck_assert_uint_gt(said, CONN_KEPT_MAX);
    ck_assert_uint_le(said, CONN_KEPT_MAX + sizeof(flood));
    finish(&p);
}
END_TEST

START_TEST(without_memory_to_keep_input_one_conn_ends)
{
    struct probe p = {.on_bytes = take_lines}, other = {.number = 0};

    start(&p);
    probe_open(&other);
    peer_say(&p, "half a li");

    is_memory_short = true;
    rig_turn();
    is_memory_short = false;

    ck_assert_int_eq(p.end, CONN_END_NOMEM);
    ck_assert_ptr_nonnull(other.c);
    probe_end(&other);
    finish(&p);
}
END_TEST

/* -- a new protocol -------------------------------------------------------- */

static struct conn_ops second_ops;

static size_t
detect(struct probe *p, const char *data, size_t len)
{
    p->on_bytes = take_lines;
    conn_set_ops(p->c, &second_ops, p);
    return 0;
}

START_TEST(a_new_protocol_is_offered_the_same_bytes_at_once)
{
    struct probe p = {.on_bytes = detect};

    second_ops = probe_ops;
    start(&p);
    peer_say(&p, "hello\nwor");

    rig_turn();

    ck_assert(probe_heard(&p, "hello\n"));
    ck_assert_uint_eq(p.offers, 2);
    rig_turns(3);
    ck_assert_uint_eq(p.offers, 2);
    finish(&p);
}
END_TEST

static void
choose_second(struct probe *p)
{
    p->on_bytes = take_lines;
    conn_set_ops(p->c, &second_ops, p);
    conn_enter(p->c, CONN_OPENING);
}

START_TEST(a_protocol_chosen_by_silence_is_offered_what_waits)
{
    struct probe p = {.on_bytes = take_nothing, .on_deadline = choose_second};

    second_ops = probe_ops;
    rig_init();
    rig.enters = CONN_DETECT;
    rig_start();
    probe_open(&p);
    peer_say(&p, "hello\n");
    rig_turn();
    ck_assert(probe_heard(&p, ""));

    fake_time_pass_ms(rig.conf.timeouts_detect);
    rig_turns(2);

    ck_assert(probe_heard(&p, "hello\n"));
    finish(&p);
}
END_TEST

/* -- pausing --------------------------------------------------------------- */

START_TEST(a_paused_conn_is_not_read_and_loses_nothing)
{
    struct probe p = {.number = 0};

    start(&p);
    conn_pause(p.c, CONN_PAUSE_WINDOW);
    peer_say(&p, "one ");
    rig_turns(3);
    peer_say(&p, "two");
    rig_turns(3);
    ck_assert_uint_eq(rig_counter("reads"), 0);
    ck_assert_uint_eq(rig_counter("paused"), 1);

    conn_resume(p.c, CONN_PAUSE_WINDOW);
    rig_settle();

    ck_assert(probe_heard(&p, "one two"));
    ck_assert_uint_eq(rig_counter("paused"), 0);
    finish(&p);
}
END_TEST

START_TEST(reading_resumes_only_when_no_reason_is_left)
{
    struct probe p = {.number = 0};

    start(&p);
    conn_pause(p.c, CONN_PAUSE_WINDOW);
    conn_pause(p.c, CONN_PAUSE_RATE);
    peer_say(&p, "hello");

    conn_resume(p.c, CONN_PAUSE_WINDOW);
    rig_turns(2);
    ck_assert(probe_heard(&p, ""));
    conn_resume(p.c, CONN_PAUSE_RATE);
    rig_turns(2);

    ck_assert(probe_heard(&p, "hello"));
    finish(&p);
}
END_TEST

START_TEST(a_pause_that_is_over_does_not_end_the_next_one)
{
    struct probe p = {.number = 0};

    start(&p);
    conn_pause_for(p.c, CONN_PAUSE_ANSWER, 300);
    conn_resume(p.c, CONN_PAUSE_ANSWER);
    ck_assert_ptr_null(p.c->resumption);
    conn_pause(p.c, CONN_PAUSE_ANSWER);
    peer_say(&p, "hello");

    fake_time_pass_ms(301);
    rig_turns(2);
    ck_assert(probe_heard(&p, ""));
    conn_resume(p.c, CONN_PAUSE_ANSWER);
    rig_turns(2);

    ck_assert(probe_heard(&p, "hello"));
    finish(&p);
}
END_TEST

START_TEST(a_pause_may_end_by_itself)
{
    struct probe p = {.number = 0};

    start(&p);
    conn_pause_for(p.c, CONN_PAUSE_RATE, 300);
    peer_say(&p, "hello");

    fake_time_pass_ms(299);
    rig_turns(2);
    ck_assert(probe_heard(&p, ""));
    fake_time_pass_ms(1);
    rig_turns(2);

    ck_assert(probe_heard(&p, "hello"));
    finish(&p);
}
END_TEST

START_TEST(a_second_delay_replaces_the_first_for_both_reasons)
{
    struct probe p = {.number = 0};

    start(&p);
    conn_pause_for(p.c, CONN_PAUSE_RATE, 100);
    conn_pause_for(p.c, CONN_PAUSE_WINDOW, 300);
    peer_say(&p, "hello");

    fake_time_pass_ms(299);
    rig_turns(2);
    ck_assert(probe_heard(&p, ""));
    fake_time_pass_ms(1);
    rig_turns(2);

    ck_assert(probe_heard(&p, "hello"));
    finish(&p);
}
END_TEST

/* -- fairness -------------------------------------------------------------- */

START_TEST(a_fast_talker_reads_its_budget_and_then_the_next_is_read)
{
    static char flood[100001];
    struct probe fast = {.number = 0}, slow = {.number = 0};

    rig_init();
    rig.conf.limits_recvq = 4096;
    rig_start();
    probe_open(&fast);
    probe_open(&slow);
    memset(flood, 'x', sizeof(flood) - 1);
    peer_say(&fast, flood);
    peer_say(&slow, "hi");

    rig_turn();
    ck_assert_uint_eq(fast.heard.len, 4096);
    ck_assert(probe_heard(&slow, "hi"));

    /* One budget a turn, even when events say again that there is more. */
    peer_say(&fast, "yyy");
    rig_turn();
    ck_assert_uint_le(fast.heard.len, 2 * 4096);

    rig_settle();
    ck_assert_uint_eq(fast.heard.len, sizeof(flood) - 1 + 3);
    ck_assert_mem_eq(fast.heard.data + sizeof(flood) - 1, "yyy", 3);
    probe_end(&slow);
    finish(&fast);
}
END_TEST

START_TEST(a_smaller_recvq_keeps_what_a_larger_one_let_in)
{
    static char flood[60001];
    struct probe p = {.on_bytes = take_nothing};

    rig_init();
    rig.conf.limits_recvq = 65536;
    rig_start();
    probe_open(&p);
    memset(flood, 'x', sizeof(flood) - 1);
    peer_say(&p, flood);
    rig_settle();
    ck_assert_uint_eq(rig_counter("kept_bytes"), 60000);

    rig.conf.limits_recvq = 4096;
    conns_reload(rig.conns, &rig.conf);
    rig.conf.limits_recvq = 8192;
    conns_reload(rig.conns, &rig.conf);
    p.on_bytes = NULL;
    peer_say(&p, "y");
    rig_settle();

    ck_assert_uint_eq(p.heard.len, 60001);
    finish(&p);
}
END_TEST

UNIT_MAIN("net/conn_read", bytes_reach_the_protocol,
          what_is_left_is_offered_again_with_what_comes_next,
          nothing_is_kept_once_all_is_consumed,
          bytes_that_come_one_by_one_make_a_line,
          short_and_interrupted_reads_lose_nothing,
          a_protocol_that_consumes_nothing_ends_at_the_cap,
          without_memory_to_keep_input_one_conn_ends,
          a_new_protocol_is_offered_the_same_bytes_at_once,
          a_protocol_chosen_by_silence_is_offered_what_waits,

          a_paused_conn_is_not_read_and_loses_nothing,
          reading_resumes_only_when_no_reason_is_left,
          a_pause_that_is_over_does_not_end_the_next_one,
          a_pause_may_end_by_itself,
          a_second_delay_replaces_the_first_for_both_reasons,
          a_fast_talker_reads_its_budget_and_then_the_next_is_read,
          a_smaller_recvq_keeps_what_a_larger_one_let_in)
