/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"
#include "unit/ops/load.h"

static char *
string_of(struct buf *b)
{
    buf_append_char(b, '\0');
    ck_assert(!b->failed);
    return b->data;
}

static char *
dump(const struct config *conf)
{
    struct buf out;

    buf_init(&out);
    config_dump(conf, &out);
    return string_of(&out);
}

static char *
sample(void)
{
    struct buf out;

    buf_init(&out);
    config_sample(&out);
    return string_of(&out);
}

/* The dump of `conf` reads back as `conf`, without a warning. */
static void
assert_round_trip(const struct config *conf)
{
    char *const text = dump(conf);
    struct loaded again = load_text(text, NULL);

    ck_assert_str_eq(again.errors, "");
    assert_same_config(conf, again.conf);
    loaded_fini(&again);
    free(text);
}

START_TEST(the_defaults_read_back_as_they_were_written)
{
    struct config *conf;

    ck_assert_int_eq(config_create(&conf), 0);
    assert_round_trip(conf);
    config_destroy(conf);
}
END_TEST

START_TEST(each_setting_reads_back_as_it_was_written)
{
    char value[OPTION_VALUE_SIZE], why[256];
    struct config *conf;

    ck_assert_int_eq(config_create(&conf), 0);
    for (size_t i = 0; i < option_count; i++) {
        other_value(&options[i], conf, value, sizeof(value));
        ck_assert_int_eq(
            option_set(&options[i], conf, slice_of(value), why, sizeof(why)),
            0);
    }
    assert_round_trip(conf);
    config_destroy(conf);
}
END_TEST

START_TEST(the_longest_texts_read_back_as_they_were_written)
{
    char value[OPTION_VALUE_SIZE], why[256];
    struct config *conf;

    memset(value, '/', sizeof(value));
    ck_assert_int_eq(config_create(&conf), 0);
    for (size_t i = 0; i < option_count; i++)
        if (options[i].kind == OPTION_TEXT || options[i].kind == OPTION_PATH)
            ck_assert_int_eq(option_set(&options[i], conf,
                                        slice_make(value, options[i].max), why,
                                        sizeof(why)),
                             0);
    assert_round_trip(conf);
    config_destroy(conf);
}
END_TEST

START_TEST(listeners_read_back_in_their_order)
{
    struct loaded l = load_text("[listen \"zoo\"]\naddress = *:7000\n"
                                "[listen \"Ape-1\"]\naddress = unix:/run/x\n"
                                "protocol = line\n"
                                "[server]\nname = a #b;c\n",
                                NULL);

    ck_assert_str_eq(l.errors, "");
    assert_round_trip(l.conf);
    loaded_fini(&l);
}
END_TEST

START_TEST(help_stands_above_each_setting)
{
    struct config *conf;
    char *text;

    ck_assert_int_eq(config_create(&conf), 0);
    text = dump(conf);

    ck_assert_ptr_nonnull(strstr(text, "\n# threads that serve connections; 0: "
                                       "one a core\n"
                                       "# (0 to 128; at the next start)\n"
                                       "workers = 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n# (1ms to 1m; on reload)\n"
                                       "detect = 250ms\n"));
    free(text);
    config_destroy(conf);
}
END_TEST

START_TEST(no_line_is_wider_than_a_terminal)
{
    char *const text = sample();
    char *rest = text;

    for (char *line = strsep(&rest, "\n"); line != NULL;
         line = strsep(&rest, "\n"))
        ck_assert_msg(strlen(line) <= 78, "%s", line);
    free(text);
}
END_TEST

START_TEST(the_sample_as_it_is_changes_nothing)
{
    char *const text = sample();
    struct loaded l = load_text(text, NULL);
    struct config *conf;

    ck_assert_str_eq(l.errors, "");
    ck_assert_int_eq(config_create(&conf), 0);
    assert_same_config(l.conf, conf);
    config_destroy(conf);
    loaded_fini(&l);
    free(text);
}
END_TEST

/* A `#` before a letter or a bracket hides a setting; before a blank, help. */
START_TEST(the_sample_with_everything_switched_on_changes_nothing)
{
    char *const text = sample();
    struct config *conf;
    struct loaded l;

    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n' && c[1] == '#' && c[2] != ' ' && c[2] != '\n')
            c[1] = ' ';
    l = load_text(text, NULL);

    ck_assert_str_eq(l.errors, "");
    ck_assert_int_eq(config_create(&conf), 0);
    assert_same_config(l.conf, conf);
    config_destroy(conf);
    loaded_fini(&l);
    free(text);
}
END_TEST

UNIT_MAIN("ops/config_dump", the_defaults_read_back_as_they_were_written,
          each_setting_reads_back_as_it_was_written,
          the_longest_texts_read_back_as_they_were_written,
          listeners_read_back_in_their_order, help_stands_above_each_setting,
          no_line_is_wider_than_a_terminal, the_sample_as_it_is_changes_nothing,
          the_sample_with_everything_switched_on_changes_nothing)
