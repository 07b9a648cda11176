/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files in a directory of their own below /tmp; read is wrapped, so that a case
 * can make it fail or come back short, and open, because root may read all; and
 * the allocators (short_memory.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"
#include "unit/ops/load.h"
#include "unit/ops/short_memory.h"

/* -- the seam --------------------------------------------------------------- */

static const char *refused; /* open() of a path that ends so is EACCES */
static int read_error;
static bool reads_are_short;

int __real_open(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *data, size_t size);

int
__wrap_open(const char *path, int flags, ...)
{
    const size_t len = strlen(path);
    const size_t end = refused != NULL ? strlen(refused) : 0;

    if (end > 0 && len >= end && strcmp(path + len - end, refused) == 0) {
        errno = EACCES;
        return -1;
    }
    return __real_open(path, flags, 0);
}

ssize_t
__wrap_read(int fd, void *data, size_t size)
{
    static unsigned turn;

    if (read_error != 0) {
        errno = read_error;
        return -1;
    }
    if (!reads_are_short)
        return __real_read(fd, data, size);
    if (turn++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return __real_read(fd, data, size < 3 ? size : 3);
}

/* -- the directory ---------------------------------------------------------- */

#define DIR_TEMPLATE "/tmp/klatch-config-XXXXXX"

static char dir[] = DIR_TEMPLATE;

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void
remove_dir(void)
{
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    memcpy(dir, DIR_TEMPLATE, sizeof(dir));
}

/* A new one, which is also where we are. It goes when the process does, or,
 * where the cases share a process, when the next is made. */
static void
make_dir(void)
{
    if (strcmp(dir, DIR_TEMPLATE) == 0)
        atexit(remove_dir);
    else
        remove_dir();
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
}

static void
write_file(const char *name, const char *text)
{
    FILE *const file = fopen(name, "w");

    ck_assert_msg(file != NULL, "%s: %s", name, strerror(errno));
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* Loading the file complains in these words; its result is 0 or -EINVAL. */
static struct loaded
assert_says(const char *path, const char *words)
{
    struct loaded l = load_path(path, NULL);

    ck_assert_str_eq(l.errors, words);
    return l;
}

static void
assert_refused(const char *path, const char *words)
{
    struct loaded l = assert_says(path, words);

    ck_assert_int_eq(l.rc, -EINVAL);
    loaded_fini(&l);
}

/* -- one file --------------------------------------------------------------- */

START_TEST(a_file_is_read)
{
    struct loaded l;

    make_dir();
    write_file("a.conf", "[limits]\nsendq = 64k\n");

    l = assert_says("a.conf", "");

    ck_assert_int_eq(l.rc, 0);
    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_file_that_comes_in_pieces_is_read)
{
    struct loaded l;

    make_dir();
    write_file("a.conf", "[limits]\nsendq = 64k\nrecvq = 8k\n");
    reads_are_short = true;

    l = assert_says("a.conf", "");
    reads_are_short = false;

    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    ck_assert_uint_eq(l.conf->net.limits_recvq, 8192);
    loaded_fini(&l);
}
END_TEST

START_TEST(what_cannot_be_read_is_refused_by_its_name)
{
    make_dir();
    write_file("a.conf", "");
    write_file("secret.conf", "");
    ck_assert_int_eq(mkdir("sub", 0700), 0);
    ck_assert_int_eq(symlink("loop", "loop"), 0);
    refused = "secret.conf";

    assert_refused("b.conf", "b.conf: No such file or directory\n");
    assert_refused("", ": No such file or directory\n");
    assert_refused("a.conf/b.conf", "a.conf/b.conf: Not a directory\n");
    assert_refused("sub", "sub: Is a directory\n");
    assert_refused("secret.conf", "secret.conf: Permission denied\n");
    assert_refused("loop", "loop: Too many levels of symbolic links\n");
    read_error = EIO;
    assert_refused("a.conf", "a.conf: Input/output error\n");
    read_error = 0;
    refused = NULL;
}
END_TEST

START_TEST(a_device_or_a_pipe_may_be_named)
{
    struct loaded l = load_path("/dev/null", NULL);
    char path[64];
    int ends[2];

    ck_assert_str_eq(l.errors, "");
    ck_assert_int_eq(l.rc, 0);
    loaded_fini(&l);

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "[limits]\nsendq = 64k\n", 21), 21);
    (void)close(ends[1]);
    (void)snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    l = assert_says(path, "");
    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    loaded_fini(&l);
    (void)close(ends[0]);
}
END_TEST

/* A file of empty lines. */
static void
write_newlines(const char *name, size_t size)
{
    char *const text = malloc(size + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, '\n', size);
    text[size] = '\0';
    write_file(name, text);
    free(text);
}

/* /dev/zero, say, which is allowed to be named, has no end. */
START_TEST(a_file_may_have_a_megabyte_and_no_more)
{
    struct loaded l;

    make_dir();
    write_newlines("most.conf", CONFIG_FILE_MAX);
    write_newlines("more.conf", CONFIG_FILE_MAX + 1);

    l = assert_says("most.conf", "");
    ck_assert_int_eq(l.rc, 0);
    loaded_fini(&l);
    assert_refused("more.conf", "more.conf: File too large\n");
}
END_TEST

/* -- include ---------------------------------------------------------------- */

START_TEST(included_files_are_read_in_their_order_where_they_are_asked_for)
{
    struct loaded l;

    make_dir();
    ck_assert_int_eq(mkdir("conf.d", 0700), 0);
    write_file("conf.d/20.conf", "[limits]\nsendq = 32k\nrooms = 2\n");
    write_file("conf.d/10.conf", "[limits]\nsendq = 16k\nrooms = 1\n");
    write_file("conf.d/30.bak", "[limits]\nsendq = lots\n");
    write_file("a.conf", "[limits]\n"
                         "sendq = 8k\n"
                         "include = conf.d/*.conf\n"
                         "rooms = 3\n"); /* still [limits] */

    l = assert_says("a.conf", "");

    ck_assert_uint_eq(l.conf->net.limits_sendq, 32768);
    ck_assert_uint_eq(l.conf->chat.limits_rooms, 3);
    loaded_fini(&l);
}
END_TEST

START_TEST(includes_are_relative_to_the_file_they_stand_in)
{
    struct loaded l;
    char path[64];

    make_dir();
    ck_assert_int_eq(mkdir("sub", 0700), 0);
    ck_assert_int_eq(mkdir("sub/deep", 0700), 0);
    write_file("a.conf", "include = sub/b.conf\n");
    write_file("sub/b.conf", "include = deep/*.conf\n");
    write_file("sub/deep/c.conf", "[limits]\nsendq = 64k\n");
    ck_assert_int_eq(chdir("/"), 0);

    (void)snprintf(path, sizeof(path), "%s/a.conf", dir);
    l = assert_says(path, "");

    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    loaded_fini(&l);
}
END_TEST

START_TEST(an_absolute_include_is_taken_as_it_is)
{
    char text[128];
    struct loaded l;

    make_dir();
    write_file("b.conf", "[limits]\nsendq = 64k\n");
    (void)snprintf(text, sizeof(text), "include = %s/b.conf\n", dir);
    write_file("a.conf", text);

    l = assert_says("a.conf", "");

    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_section_does_not_leak_out_of_or_into_a_file)
{
    make_dir();
    write_file("a.conf", "[limits]\ninclude = b.conf\nsendq = 64k\n");
    write_file("b.conf", "recvq = 8k\n[log]\n");

    assert_refused("a.conf",
                   "b.conf:1: `recvq` stands before the first [section]\n");
}
END_TEST

START_TEST(what_a_file_overrides_in_another_is_no_repetition)
{
    struct loaded l;

    make_dir();
    write_file("a.conf", "[limits]\nsendq = 64k\ninclude = b.conf\n"
                         "sendq = 16k\n");
    write_file("b.conf", "[limits]\nsendq = 32k\n");

    l = assert_says("a.conf", "");

    ck_assert_uint_eq(l.conf->net.limits_sendq, 16384);
    loaded_fini(&l);
}
END_TEST

START_TEST(mistakes_in_an_included_file_are_told_by_its_own_lines)
{
    make_dir();
    ck_assert_int_eq(mkdir("conf.d", 0700), 0);
    write_file("a.conf", "include = conf.d/*\n[limits]\nsendq = lots\n");
    write_file("conf.d/b.conf", "\n[limts]\n");

    assert_refused("./a.conf",
                   "./conf.d/b.conf:2: there is no section [limts]; did you "
                   "mean [limits]?\n"
                   "./a.conf:3: [limits] sendq: `lots` is not a size: write "
                   "512, 64k, 8M or 1G\n");
}
END_TEST

START_TEST(a_file_that_is_named_must_be_there_and_a_pattern_may_match_none)
{
    make_dir();
    write_file("a.conf", "include = b.conf\n"
                         "include = *.none\n"
                         "include = none.d/*.conf\n"
                         "include =\n");

    assert_refused("a.conf",
                   "a.conf:1: include: b.conf: No such file or directory\n"
                   "a.conf:4: include: which file?\n");
}
END_TEST

/* A dangling link is what a file that vanishes between the listing and the
 * opening looks like. */
START_TEST(what_a_pattern_matches_must_be_a_file_that_can_be_read)
{
    make_dir();
    write_file("a.conf", "include = d/*\n");
    ck_assert_int_eq(mkdir("d", 0700), 0);
    ck_assert_int_eq(mkdir("d/a", 0700), 0);
    ck_assert_int_eq(mkfifo("d/b", 0600), 0);
    ck_assert_int_eq(symlink("nowhere", "d/c"), 0);
    ck_assert_int_eq(symlink("/dev/zero", "d/d"), 0);
    write_file("d/e", "");
    refused = "d/e";

    assert_refused("a.conf",
                   "a.conf:1: include: d/a: Is a directory\n"
                   "a.conf:1: include: d/b: not a file\n"
                   "a.conf:1: include: d/c: No such file or directory\n"
                   "a.conf:1: include: d/d: not a file\n"
                   "a.conf:1: include: d/e: Permission denied\n");
    refused = NULL;
}
END_TEST

START_TEST(a_directory_that_cannot_be_listed_is_no_empty_one)
{
    make_dir();
    ck_assert_int_eq(symlink("loop", "loop"), 0);
    write_file("a.conf", "include = loop/*.conf\n");

    assert_refused("a.conf", "a.conf:1: include: loop/*.conf: a directory "
                             "cannot be read\n");
}
END_TEST

/* The directory's own name is no pattern. */
START_TEST(special_characters_in_the_directory_are_taken_as_they_are)
{
    struct loaded l;

    make_dir();
    ck_assert_int_eq(mkdir("[x]*", 0700), 0);
    ck_assert_int_eq(mkdir("x", 0700), 0);
    write_file("[x]*/a.conf", "include = *.inc\n");
    write_file("[x]*/b.inc", "[limits]\nsendq = 64k\n");
    write_file("x/b.inc", "[limits]\nsendq = lots\n");

    l = assert_says("[x]*/a.conf", "");

    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_file_that_includes_itself_is_refused)
{
    make_dir();
    write_file("a.conf", "include = a.conf\n");
    write_file("b.conf", "include = c.conf\n");
    write_file("c.conf", "\ninclude = link.conf\n");
    ck_assert_int_eq(symlink("b.conf", "link.conf"), 0);

    assert_refused("a.conf", "a.conf:1: include: a.conf: includes itself\n");
    assert_refused("b.conf", "c.conf:2: include: link.conf: includes itself\n");
}
END_TEST

START_TEST(a_file_may_be_included_twice)
{
    struct loaded l;

    make_dir();
    write_file("a.conf", "include = b.conf\ninclude = b.conf\n");
    write_file("b.conf", "[limits]\nsendq = 64k\n");

    l = assert_says("a.conf", "");

    ck_assert_int_eq(l.rc, 0);
    loaded_fini(&l);
}
END_TEST

/* 0.conf includes 1.conf and so on up to `last`. */
static void
write_chain(unsigned last)
{
    char name[32], text[64];

    for (unsigned i = 0; i < last; i++) {
        (void)snprintf(name, sizeof(name), "%u.conf", i);
        (void)snprintf(text, sizeof(text), "include = %u.conf\n", i + 1);
        write_file(name, text);
    }
    (void)snprintf(name, sizeof(name), "%u.conf", last);
    write_file(name, "[limits]\nsendq = 64k\n");
}

START_TEST(eight_files_deep_is_deep_enough)
{
    struct loaded l;

    make_dir();
    write_chain(8);
    l = assert_says("0.conf", "");
    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    loaded_fini(&l);

    write_chain(9);
    assert_refused("0.conf", "8.conf:1: include: more than 8 files deep\n");
}
END_TEST

/* Each file includes the next one four times: 4^8 files, were there no end. */
START_TEST(files_that_multiply_come_to_an_end)
{
    char name[32], text[128];
    struct loaded l;

    make_dir();
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(name, sizeof(name), "%u.conf", i);
        (void)snprintf(text, sizeof(text),
                       "include = %u.conf\ninclude = %u.conf\n"
                       "include = %u.conf\ninclude = %u.conf\n",
                       i + 1, i + 1, i + 1, i + 1);
        write_file(name, text);
    }
    write_file("8.conf", "");

    l = load_path("0.conf", NULL);

    ck_assert_int_eq(l.rc, -EINVAL);
    ck_assert_ptr_nonnull(strstr(l.errors, ": include: more than 256 files\n"));
    loaded_fini(&l);
}
END_TEST

START_TEST(memory_may_run_out_while_a_file_is_read)
{
    long n = 0;
    int rc;

    make_dir();
    write_file("a.conf", "include = [b].conf\n");
    write_file("b.conf", "[server]\nname = x\nname = y\n");
    do {
        struct config *conf = NULL;
        struct buf errors;

        buf_init(&errors);
        allocations_left = n++;
        rc = config_load("a.conf", NULL, &conf, &errors);
        allocations_left = -1;
        ck_assert(rc == 0 || rc == -ENOMEM);
        config_destroy(conf);
        buf_fini(&errors);
    } while (rc != 0);
    ck_assert_int_gt(n, 10);
}
END_TEST

UNIT_MAIN("ops/config_file", a_file_is_read,
          a_file_that_comes_in_pieces_is_read,
          what_cannot_be_read_is_refused_by_its_name,
          a_device_or_a_pipe_may_be_named,
          a_file_may_have_a_megabyte_and_no_more,
          included_files_are_read_in_their_order_where_they_are_asked_for,
          includes_are_relative_to_the_file_they_stand_in,
          an_absolute_include_is_taken_as_it_is,
          a_section_does_not_leak_out_of_or_into_a_file,
          what_a_file_overrides_in_another_is_no_repetition,
          mistakes_in_an_included_file_are_told_by_its_own_lines,
          a_file_that_is_named_must_be_there_and_a_pattern_may_match_none,
          what_a_pattern_matches_must_be_a_file_that_can_be_read,
          a_directory_that_cannot_be_listed_is_no_empty_one,
          special_characters_in_the_directory_are_taken_as_they_are,
          a_file_that_includes_itself_is_refused, a_file_may_be_included_twice,
          eight_files_deep_is_deep_enough, files_that_multiply_come_to_an_end,
          memory_may_run_out_while_a_file_is_read)
