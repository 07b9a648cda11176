/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Its output goes to files without a name, so nobody waits for anybody.
 */
#include "support/program.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/e2e.h"

#define PATIENCE_MS 20000

static FILE *
open_scratch(const char *text)
{
    FILE *const f = tmpfile();

    ck_assert_ptr_nonnull(f);
    if (text != NULL)
        ck_assert_int_ge(fputs(text, f), 0);
    rewind(f);
    return f;
}

static char *
take_scratch(FILE *f)
{
    char *text;
    size_t len;

    ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
    len = (size_t)ftell(f);
    rewind(f);
    text = malloc(len + 1);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(fread(text, 1, len, f), len);
    text[len] = '\0';
    fclose(f);
    return text;
}

static _Noreturn void
become(const char *const argv[], FILE *in, FILE *out, FILE *err)
{
    char *copy[PROGRAM_ARGS_MAX + 1] = {NULL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < PROGRAM_ARGS_MAX && argv[i] != NULL; i++)
        copy[i] = strdup(argv[i]);
    dup2(fileno(in), STDIN_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    execv(copy[0], copy);
    _exit(127);
}

static int
await_end(pid_t pid, const char *name)
{
    const uint64_t deadline = now_ms() + PATIENCE_MS;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (now_ms() >= deadline) {
            kill(pid, SIGABRT);
            e2e_fail("%s does not end", name);
        }
        (void)poll(NULL, 0, 2);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void
program_run(struct program *p, const char *const argv[], const char *input)
{
    FILE *const in = open_scratch(input);
    FILE *const out = open_scratch(NULL);
    FILE *const err = open_scratch(NULL);
    pid_t pid;

    ck_assert_ptr_nonnull(argv[0]);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        become(argv, in, out, err);
    p->code = await_end(pid, argv[0]);
    fclose(in);
    p->out = take_scratch(out);
    p->err = take_scratch(err);
}

void
program_fini(struct program *p)
{
    free(p->out);
    free(p->err);
}
