/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The fault this guards against was met in another server: of several writes
 * in a row only the last went out, since there was one place for what waits.
 * Here the kernel does the worst it may, by a script, and every byte counts.
 */
#include "net/conn.h"

#include <stdlib.h>

#include "base/msg.h"
#include "net/conn_priv.h"
#include "support/fault_io.h"
#include "support/figure.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

static uint32_t messages; /* of each seed */

/* Where a reader or writer of the endless text is: byte `at` of msg `number`. */
struct cursor {
    uint32_t number;
    uint32_t at;
};

static uint32_t
length_of(uint32_t number)
{
    const uint32_t mixed = number * 2654435761u;

    return 1 + (mixed >> 16) % ((number & 1023) == 7 ? 9000 : 60);
}

static unsigned char
byte_of(struct cursor at)
{
    return (unsigned char)(at.number * 31 + at.at * 7 + (at.number >> 8));
}

static struct msg *
compose(uint32_t number)
{
    struct msg *const m = msg_create(length_of(number));

    for (uint32_t i = 0; m != NULL && i < m->len; i++)
        m->data[i] = byte_of((struct cursor){number, i});
    return m;
}

static void
compare(struct cursor *at, const struct buf *got)
{
    for (size_t i = 0; i < got->len; i++) {
        /* Not ck_assert: Check writes to a pipe for each, passed or not. */
        if (at->number >= messages ||
            (unsigned char)got->data[i] != byte_of(*at))
            ck_abort_msg("wrong at byte %u of msg %u", at->at, at->number);
        if (++at->at == length_of(at->number))
            *at = (struct cursor){.number = at->number + 1};
    }
}

static void
run_script(unsigned seed)
{
    struct probe p = {.number = 0};
    struct cursor read_at = {0, 0};
    uint32_t written = 0, idle_turns = 0;
    int failed = 0;
    unsigned dice = seed;
    struct buf got;

    rig_init();
    rig_start();
    probe_open(&p);
    probe_shrink_buffer(&p);
    fault_io_script(seed, p.peer);
    buf_init(&got);

    while (read_at.number < messages) {
        for (int n = rand_r(&dice) % 100; n > 0 && written < messages; n--)
            if (conn_queued_bytes(p.c) < 500000)
                failed |= conn_queue_take(p.c, compose(written++));
        rig_turn();
        if (rand_r(&dice) % 4 != 0)
            (void)peer_read(&p, &got);
        compare(&read_at, &got);
        idle_turns = got.len == 0 ? idle_turns + 1 : 0;
        if (failed != 0 || idle_turns >= 1000)
            ck_abort_msg("stuck at msg %u", read_at.number);
        buf_reset(&got);
    }

    ck_assert_uint_eq(conn_queued_bytes(p.c), 0);
    ck_assert_uint_eq(rig_counter("sent_msgs"), messages);
    ck_assert_uint_gt(fault_io.interrupts, 1000);
    ck_assert_uint_gt(fault_io.shorts, 1000);
    ck_assert_uint_gt(fault_io.refusals, 500);
    buf_fini(&got);
    probe_end(&p);
    fault_io_stop();
    rig_stop();
}

START_TEST(bytes_are_exact_whatever_the_kernel_takes)
{
    messages = figure(200000, 1000000);
    for (unsigned seed = 1; seed <= figure(16, 64); seed++)
        run_script(seed);
}
END_TEST

UNIT_MAIN("net/conn_exact", bytes_are_exact_whatever_the_kernel_takes)
