/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_file - opening files, and the files they include.
 *
 * Shape    A file is read whole, then closed, then looked at; so an include
 *          holds no more than one descriptor at a time. What is being read is
 *          a chain of struct config_file on the stack, from the innermost out.
 * Limits   CONFIG_DEPTH_MAX deep, CONFIG_FILES_MAX in all, CONFIG_FILE_MAX
 *          bytes each. A file that includes itself, by whatever name, is
 *          known by its device and inode.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/config_priv.h"

/* -- one file --------------------------------------------------------------- */

/* 0, or -EFBIG, or what read(2) says. */
static int
read_all(int fd, struct buf *out)
{
    char piece[4096];

    for (;;) {
        const ssize_t n = read(fd, piece, sizeof(piece));

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return 0;
        if (n > 0)
            buf_append(out, piece, (size_t)n);
        if (out->failed)
            return -ENOMEM;
        if (out->len > CONFIG_FILE_MAX)
            return -EFBIG;
    }
}

/* What may be read? Whoever starts klatchd may name a pipe, or /dev/null; what
 * a pattern happens to match must be a file. */
static int
judge_kind(const struct config_file *file, const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return -EISDIR;
    if (file->by != NULL && !S_ISREG(st->st_mode))
        return -EINVAL;
    return 0;
}

/* Opens it without waiting for anybody: a named pipe would make us. */
static int
open_file(struct config_file *file)
{
    struct stat st;
    int rc;
    int fd;

    fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    rc = fstat(fd, &st) < 0 ? -errno : judge_kind(file, &st);
    if (rc == 0 && fcntl(fd, F_SETFL, 0) < 0)
        rc = -errno;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    file->dev = st.st_dev;
    file->ino = st.st_ino;
    return fd;
}

static int
slurp(struct config_file *file, struct buf *out)
{
    const int fd = open_file(file);
    int rc;

    if (fd < 0)
        return fd;
    rc = read_all(fd, out);
    close(fd);
    return rc;
}

static bool
is_being_read(const struct config_file *file)
{
    for (const struct config_file *f = file->by; f != NULL; f = f->by)
        if (f->dev == file->dev && f->ino == file->ino)
            return true;
    return false;
}

/* Complains where the file was asked for: on its include line, or, when it is
 * the first, by its name. */
static void
complain_of_file(struct config_loader *l, const struct config_file *file,
                 const struct config_origin *at, const char *fault)
{
    const struct config_origin itself = {.name = file->path};

    if (file->by == NULL)
        config_error(l, &itself, "%s", fault);
    else
        config_error(l, at, "include: %s: %s", file->path, fault);
}

static void
read_file(struct config_loader *l, struct config_file *file,
          const struct config_origin *at)
{
    struct buf text;
    int rc;

    buf_init(&text);
    rc = slurp(file, &text);
    if (rc == -ENOMEM)
        l->no_memory = true;
    else if (rc == -EINVAL)
        complain_of_file(l, file, at, "not a file");
    else if (rc < 0)
        complain_of_file(l, file, at, strerror(-rc));
    else if (is_being_read(file))
        complain_of_file(l, file, at, "includes itself");
    else
        config_read_lines(l, file, file->path, slice_make(text.data, text.len));
    buf_fini(&text);
}

void
config_read_path(struct config_loader *l, const char *path)
{
    struct config_file file = {.path = config_keep_name(l, slice_of(path))};

    l->files_read++;
    if (file.path != NULL)
        read_file(l, &file, NULL);
}

/* -- include ---------------------------------------------------------------- */

static void
include_one(struct config_loader *l, const struct config_file *by,
            const struct config_origin *at, const char *path)
{
    struct config_file file = {.by = by, .depth = by->depth + 1};

    if (l->files_read == CONFIG_FILES_MAX) {
        config_error(l, at, "include: more than %u files", CONFIG_FILES_MAX);
        return;
    }
    l->files_read++;
    file.path = config_keep_name(l, slice_of(path));
    if (file.path != NULL)
        read_file(l, &file, at);
}

static bool
is_special(char c)
{
    return c == '*' || c == '?' || c == '[' || c == '\\';
}

static bool
is_pattern(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_special(text.data[i]))
            return true;
    return false;
}

/* The directory of `by` and a slash, in front of a name that does not begin at
 * the root. `escape`: so that glob(3) takes it as it is. */
static void
put_directory(const struct config_file *by, bool escape, struct buf *out)
{
    const char *const slash = strrchr(by->path, '/');

    if (slash == NULL)
        return;
    for (const char *c = by->path; c <= slash; c++) {
        if (escape && is_special(*c))
            buf_append_char(out, '\\');
        buf_append_char(out, *c);
    }
}

/* A directory that is not there holds nothing; one that cannot be read might
 * hold what matters. */
static int
on_glob_error(const char *path, int error)
{
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

static void
include_matches(struct config_loader *l, const struct config_file *by,
                const struct config_origin *at, const char *pattern)
{
    glob_t found;

    /* Sorted as bytes are: klatchd never calls setlocale(3). */
    switch (glob(pattern, 0, on_glob_error, &found)) {
    case 0:
        for (size_t i = 0; i < found.gl_pathc; i++)
            include_one(l, by, at, found.gl_pathv[i]);
        break;
    case GLOB_NOMATCH:
        break;
    case GLOB_NOSPACE:
        l->no_memory = true;
        break;
    default:
        config_error(l, at, "include: %s: a directory cannot be read", pattern);
        break;
    }
    globfree(&found);
}

void
config_include(struct config_loader *l, const struct config_file *by,
               const struct config_origin *at, struct slice pattern)
{
    const bool many = is_pattern(pattern);
    struct buf path;

    if (pattern.len == 0) {
        config_error(l, at, "include: which file?");
        return;
    }
    if (by->depth == CONFIG_DEPTH_MAX) {
        config_error(l, at, "include: more than %u files deep",
                     CONFIG_DEPTH_MAX);
        return;
    }

    buf_init(&path);
    if (pattern.data[0] != '/')
        put_directory(by, many, &path);
    buf_append(&path, pattern.data, pattern.len);
    buf_append_char(&path, '\0');
    if (path.failed)
        l->no_memory = true;
    else if (many)
        include_matches(l, by, at, path.data);
    else
        include_one(l, by, at, path.data);
    buf_fini(&path);
}
