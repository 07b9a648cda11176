/* SPDX-License-Identifier: BSD-2-Clause */
#include "chat/command.h"

#include "support/unit.h"

START_TEST(every_kind_has_a_name_of_its_own)
{
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        ck_assert_str_ne(command_name((enum command_kind)i), "?");
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(command_name((enum command_kind)i),
                             command_name((enum command_kind)j));
    }
}
END_TEST

START_TEST(the_worker_is_the_top_byte_of_a_conn)
{
    ck_assert_uint_eq(origin_worker(UINT64_C(0x0300000000000042)), 3);
    ck_assert_uint_eq(origin_worker(UINT64_MAX), 255);
    ck_assert_uint_eq(origin_worker(1), 0);
}
END_TEST

UNIT_MAIN("chat/command", every_kind_has_a_name_of_its_own,
          the_worker_is_the_top_byte_of_a_conn)
