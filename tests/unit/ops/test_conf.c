/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The files in conf/ of the source tree (KLATCH_CONF_DIR).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/unit.h"
#include "unit/ops/load.h"

static void
read_conf(const char *name, struct buf *out)
{
    char path[512], piece[4096];
    FILE *file;
    size_t n;

    (void)snprintf(path, sizeof(path), "%s/%s", KLATCH_CONF_DIR, name);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_append(out, piece, n);
    ck_assert(!ferror(file));
    (void)fclose(file);
}

START_TEST(the_sample_in_the_tree_is_what_we_print)
{
    struct buf printed, kept;

    buf_init(&printed);
    buf_init(&kept);
    config_sample(&printed);
    read_conf("klatch.conf", &kept);

    ck_assert(!printed.failed && !kept.failed);
    ck_assert_msg(printed.len == kept.len &&
                      memcmp(printed.data, kept.data, kept.len) == 0,
                  "write it anew: klatchd --sample-config >conf/klatch.conf");
    buf_fini(&printed);
    buf_fini(&kept);
}
END_TEST

START_TEST(the_examples_are_read_without_a_word)
{
    static const char *const names[] = {"klatch.conf", "examples/lan.conf",
                                        "examples/public.conf"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[512];
        struct loaded l;

        (void)snprintf(path, sizeof(path), "%s/%s", KLATCH_CONF_DIR, names[i]);
        l = load_path(path, NULL);
        ck_assert_str_eq(l.errors, "");
        ck_assert_int_eq(l.rc, 0);
        loaded_fini(&l);
    }
}
END_TEST

START_TEST(the_public_example_limits_what_strangers_can_take)
{
    struct loaded l = load_path(KLATCH_CONF_DIR "/examples/public.conf", NULL);

    ck_assert_uint_gt(l.conf->net.limits_connections, 0);
    ck_assert_uint_gt(l.conf->net.limits_connections_per_address, 0);
    ck_assert_uint_gt(l.conf->net.limits_connect_rate, 0);
    ck_assert_uint_gt(l.conf->proto.limits_message_rate, 0);
    loaded_fini(&l);
}
END_TEST

UNIT_MAIN("ops/conf", the_sample_in_the_tree_is_what_we_print,
          the_examples_are_read_without_a_word,
          the_public_example_limits_what_strangers_can_take)
