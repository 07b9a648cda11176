/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_config - configuration files, and what klatchd says of them.
 *
 * A case has an empty directory, which is where klatchd runs too, so that what
 * it prints is the same on every machine. What it printed must be named by the
 * case line by line; a line that was not is a failure.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostile/hostile.h"
#include "support/program.h"

#define VERDICT "klatchd: the configuration is wrong; nothing was started."

static char directory[64];
static struct program last;
static const char *next_line; /* of what it said and no step has named */
static bool has_run;

/* -- the directory ----------------------------------------------------------- */

void
config_begin(void)
{
    snprintf(directory, sizeof(directory), "/tmp/klatch-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

/* file NAME [TEXT], with the lines that follow, or the text as it is. */
static void
on_file(struct run *r, const struct step *s)
{
    const char *const raw = s->count > 2 ? s->words[2].raw : s->block;
    const struct bytes text = text_bytes(raw != NULL ? raw : "");
    FILE *const f = fopen(step_word(s, 1), "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text.data, 1, text.len, f), text.len);
    ck_assert_int_eq(fclose(f), 0);
}

static void
on_directory(struct run *r, const struct step *s)
{
    ck_assert_int_eq(mkdir(step_word(s, 1), 0700), 0);
}

static void
on_pipe(struct run *r, const struct step *s)
{
    ck_assert_int_eq(mkfifo(step_word(s, 1), 0600), 0);
}

/* link NAME TO */
static void
on_link(struct run *r, const struct step *s)
{
    ck_assert_int_eq(symlink(step_word(s, 2), step_word(s, 1)), 0);
}

/* Nobody may read it; root neither, once klatchd starts without the two
 * capabilities that would let it. */
static void
on_unreadable(struct run *r, const struct step *s)
{
    ck_assert_int_eq(chmod(step_word(s, 1), 0), 0);
    if (geteuid() != 0)
        return;
    if (prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) < 0 ||
        prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH) < 0)
        e2e_fail("root cannot be kept from reading: %s", strerror(errno));
}

/* env NAME TEXT */
static void
on_env(struct run *r, const struct step *s)
{
    ck_assert_int_eq(setenv(step_word(s, 1), step_word(s, 2), 1), 0);
}

/* -- klatchd ------------------------------------------------------------------ */

static void
check_all_named(void)
{
    if (has_run && *next_line != '\0')
        e2e_fail("klatchd said what no step has named: %s",
                 printable(next_line, strlen(next_line)));
    if (has_run)
        program_fini(&last);
    has_run = false;
}

static void
run_klatchd(const char *option, const char *file)
{
    const char *const argv[] = {getenv("KLATCHD"), "-c", file, option, NULL};

    check_all_named();
    program_run(&last, argv, NULL);
    has_run = true;
    next_line = last.err;
}

/* test [FILE]; dump [FILE]; run [FILE] */
static void
on_test(struct run *r, const struct step *s)
{
    run_klatchd("-t", s->count > 1 ? step_word(s, 1) : "klatch.conf");
}

static void
on_dump(struct run *r, const struct step *s)
{
    run_klatchd("--dump-config",
                s->count > 1 ? step_word(s, 1) : "klatch.conf");
}

static void
on_run(struct run *r, const struct step *s)
{
    run_klatchd(NULL, s->count > 1 ? step_word(s, 1) : "klatch.conf");
}

static char *
take_said(void)
{
    const size_t len = strcspn(next_line, "\n");
    char *const line = keep_text(next_line, len);
    const char *const fault = fault_of_text(line, len);

    if (!has_run || *next_line == '\0')
        e2e_fail("klatchd says no more");
    if (fault != NULL)
        e2e_fail("klatchd says %s: %s", fault, printable(line, len));
    next_line += len + (next_line[len] == '\n' ? 1 : 0);
    return line;
}

/* says TEXT… | start TEXT | part TEXT */
static void
on_says(struct run *r, const struct step *s)
{
    const bool start = step_has(s, 1, "start");
    const bool part = step_has(s, 1, "part");

    for (size_t i = start || part ? 2 : 1; i < s->count; i++) {
        const char *const wanted = step_word(s, i);
        const char *const line = take_said();
        const bool is_right = start ? strncmp(line, wanted, strlen(wanted)) == 0
                              : part ? strstr(line, wanted) != NULL
                                     : strcmp(line, wanted) == 0;

        if (!is_right)
            e2e_fail("expected: %s\n  klatchd says: %s",
                     printable(wanted, strlen(wanted)),
                     printable(line, strlen(line)));
    }
}

/* prints TEXT: somewhere on its standard output. */
static void
on_prints(struct run *r, const struct step *s)
{
    const char *const wanted = step_word(s, 1);

    if (!has_run || strstr(last.out, wanted) == NULL)
        e2e_fail("klatchd does not print %s but %s",
                 printable(wanted, strlen(wanted)),
                 has_run ? printable(last.out, strlen(last.out)) : "nothing");
}

/* exits CODE; when that is 78, its last words are the verdict. */
static void
on_exits(struct run *r, const struct step *s)
{
    const uint64_t code = text_number(step_word(s, 1));

    if (code == 78 && strcmp(take_said(), VERDICT) != 0)
        e2e_fail("klatchd says more than the case names, or no verdict");
    if (*next_line != '\0')
        e2e_fail("klatchd said what no step has named: %s",
                 printable(next_line, strlen(next_line)));
    if (last.code < 0 || (uint64_t)last.code != code)
        e2e_fail("klatchd exits with %d", last.code);
}

void
config_finish(void)
{
    check_all_named();
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* -- verbs ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    step_fn run;
    size_t words; /* the least */
} verbs[] = {
    {"file",       on_file,       2},
    {"directory",  on_directory,  2},
    {"pipe",       on_pipe,       2},
    {"link",       on_link,       3},
    {"unreadable", on_unreadable, 2},
    {"env",        on_env,        3},
    {"test",       on_test,       1},
    {"dump",       on_dump,       1},
    {"run",        on_run,        1},
    {"says",       on_says,       2},
    {"prints",     on_prints,     2},
    {"exits",      on_exits,      2},
};

bool
config_step(struct run *r, const struct step *s)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(s->words[0].raw, verbs[i].name) != 0)
            continue;
        if (s->count < verbs[i].words)
            e2e_fail("%s what?", verbs[i].name);
        verbs[i].run(r, s);
        return true;
    }
    return false;
}
