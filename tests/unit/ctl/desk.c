/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/ctl/desk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/link.h"

struct desk desk;

void
desk_start(const char *const *answers, const char *input)
{
    free(desk.out);
    free(desk.err);
    memset(&desk, 0, sizeof(desk));
    fake_server_start(&desk.server, answers);
    desk.ctl.socket = desk.server.path;
    desk.ctl.link = link_create(desk.server.path);
    desk.ctl.out = open_memstream(&desk.out, &desk.out_len);
    desk.ctl.err = open_memstream(&desk.err, &desk.err_len);
    desk.ctl.in = input != NULL && *input != '\0'
                      ? fmemopen((void *)(uintptr_t)input, strlen(input), "r")
                      : fopen("/dev/null", "r");
    ck_assert_ptr_nonnull(desk.ctl.link);
    ck_assert_ptr_nonnull(desk.ctl.out);
    ck_assert_ptr_nonnull(desk.ctl.err);
    ck_assert_ptr_nonnull(desk.ctl.in);
}

void
desk_done(void)
{
    link_destroy(desk.ctl.link);
    fclose(desk.ctl.in);
    fclose(desk.ctl.out);
    fclose(desk.ctl.err);
    fake_server_stop(&desk.server);
}

enum ctl_exit
desk_run(const char *name, const char *word, const char *text)
{
    const struct ctl_command *const command = ctl_find(name);
    struct ctl_args args = {.text = text};

    if (word != NULL)
        args.words[args.count++] = word;
    return command->run(&desk.ctl, command, &args);
}
