/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/net_conf.h"

#include <string.h>

#include "base/compiler.h"
#include "support/unit.h"

/* clang-format off */
#define ROW(section, key, kind, def, min, max, reload, help) \
    {#section "." #key, offsetof(struct net_conf, section##_##key), \
     def, min, max, help},
/* clang-format on */

static const struct row {
    const char *name;
    size_t offset;
    uint64_t def, min, max;
    const char *help;
} rows[] = {NET_OPTIONS(ROW)};

START_TEST(every_default_is_within_its_range_and_explained)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ck_assert_msg(rows[i].def == 0 || (rows[i].def >= rows[i].min &&
                                           rows[i].def <= rows[i].max),
                      "%s", rows[i].name);
        ck_assert_msg(rows[i].help[0] != '\0', "%s", rows[i].name);
    }
}
END_TEST

START_TEST(init_gives_the_defaults_of_the_table)
{
    struct net_conf conf;

    memset(&conf, 0xff, sizeof(conf));
    net_conf_init(&conf);

    ck_assert_uint_eq(sizeof(conf), ARRAY_LEN(rows) * sizeof(uint64_t));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t value;

        memcpy(&value, (const char *)&conf + rows[i].offset, sizeof(value));
        ck_assert_msg(value == rows[i].def, "%s", rows[i].name);
    }
}
END_TEST

UNIT_MAIN("net/net_conf", every_default_is_within_its_range_and_explained,
          init_gives_the_defaults_of_the_table)
