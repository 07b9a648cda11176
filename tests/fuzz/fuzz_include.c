/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Config files that include one another.
 *
 * Input    Files, each behind a line `;;file NAME`; what stands before the
 *          first is the one that is loaded, /k/klatch.conf. Their directory is
 *          /k/; a pattern matches each name that begins as it does up to its
 *          first special character. No disk is touched.
 * Holds    It ends, with at most CONFIG_FILES_MAX files read and one open at a
 *          time, all closed behind it; what is complained is clean lines, and
 *          what is taken is taken without one.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "ops/config_priv.h"
#include "support/fuzz.h"

#define FILES_MAX 12u
#define MARK      "\n;;file "
#define FIRST_FD  (1 << 20)
#define DIRECTORY "/k/"

struct file {
    char path[128];
    struct slice text;
};

static struct {
    struct file files[FILES_MAX];
    size_t count;
    unsigned opened;
    int open; /* its number; -1: none is */
    size_t at;
} disk;

/* ---- the disk ------------------------------------------------------------- */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __real_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...);
ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size);
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_glob(const char *pattern, int flags,
                int (*on_error)(const char *path, int error), glob_t *out);
void __wrap_globfree(glob_t *found);

/* Ours are all read-only; the fuzzer's own may make files. */
int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode;
    va_list args;

    va_start(args, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (disk.count == 0)
        return __real_open(path, flags, mode);

    ASSERT(disk.open < 0 && ++disk.opened <= CONFIG_FILES_MAX);
    for (size_t i = 0; i < disk.count; i++)
        if (strcmp(disk.files[i].path, path) == 0) {
            disk.open = (int)i;
            disk.at = 0;
            return FIRST_FD + (int)i;
        }
    errno = ENOENT;
    return -1;
}

int
__wrap_fstat(int fd, struct stat *st)
{
    if (fd < FIRST_FD)
        return __real_fstat(fd, st);
    ASSERT(fd == FIRST_FD + disk.open);
    *st = (struct stat){.st_mode = S_IFREG, .st_ino = (ino_t)fd};
    return 0;
}

int
__wrap_fcntl(int fd, int what, ...)
{
    long arg;
    va_list args;

    va_start(args, what);
    arg = va_arg(args, long);
    va_end(args);
    return fd < FIRST_FD ? __real_fcntl(fd, what, arg) : 0;
}

ssize_t
__wrap_read(int fd, void *to, size_t size)
{
    struct slice text;

    if (fd < FIRST_FD)
        return __real_read(fd, to, size);
    ASSERT(fd == FIRST_FD + disk.open);
    text = disk.files[disk.open].text;
    if (size > text.len - disk.at)
        size = text.len - disk.at;
    if (size > 0)
        memcpy(to, text.data + disk.at, size);
    disk.at += size;
    return (ssize_t)size;
}

int
__wrap_close(int fd)
{
    if (fd < FIRST_FD)
        return __real_close(fd);
    ASSERT(fd == FIRST_FD + disk.open);
    disk.open = -1;
    return 0;
}

int
__wrap_glob(const char *pattern, int flags,
            int (*on_error)(const char *path, int error), glob_t *out)
{
    const size_t fixed = strcspn(pattern, "*?[\\");

    ASSERT(disk.open < 0);
    *out = (glob_t){.gl_pathv = calloc(FILES_MAX, sizeof(char *))};
    ASSERT(out->gl_pathv != NULL);
    for (size_t i = 0; i < disk.count; i++)
        if (strncmp(disk.files[i].path, pattern, fixed) == 0)
            out->gl_pathv[out->gl_pathc++] = disk.files[i].path;
    return out->gl_pathc > 0 ? 0 : GLOB_NOMATCH;
}

void
__wrap_globfree(glob_t *found)
{
    free(found->gl_pathv);
}

/* ---- the input ------------------------------------------------------------ */

static void
add_file(struct slice name, struct slice text)
{
    struct file *const f = &disk.files[disk.count];

    if (disk.count == FILES_MAX || name.len > 100 ||
        memchr(name.data, '\0', name.len) != NULL)
        return;
    memcpy(f->path, DIRECTORY, strlen(DIRECTORY));
    memcpy(f->path + strlen(DIRECTORY), name.data, name.len);
    f->path[strlen(DIRECTORY) + name.len] = '\0';
    f->text = text;
    disk.count++;
}

/* Cuts off *rest what stands before the next mark, which goes as well. */
static struct slice
cut_file(struct slice *rest)
{
    const char *const mark = memmem(rest->data, rest->len, MARK, strlen(MARK));
    const size_t len = mark != NULL ? (size_t)(mark - rest->data) : rest->len;
    const size_t skip = mark != NULL ? strlen(MARK) : 0;
    const struct slice file = slice_make(rest->data, len);

    *rest = slice_make(rest->data + len + skip, rest->len - len - skip);
    return file;
}

static void
fill_disk(struct slice input)
{
    disk.count = 0;
    disk.opened = 0;
    disk.open = -1;
    add_file(slice_of("klatch.conf"), cut_file(&input));
    while (input.len > 0) {
        const struct slice file = cut_file(&input);
        const char *const lf = memchr(file.data, '\n', file.len);
        const size_t len = lf != NULL ? (size_t)(lf - file.data) : file.len;
        const size_t skip = lf != NULL ? 1 : 0;

        if (file.len > 0)
            add_file(slice_make(file.data, len),
                     slice_make(file.data + len + skip, file.len - len - skip));
    }
}

/* ---- what came of it ------------------------------------------------------ */

static void
check_complaints(const struct buf *errors)
{
    struct slice rest = slice_make(errors->data, errors->len);
    size_t lines = 0;

    ASSERT(errors->len == 0 || errors->data[errors->len - 1] == '\n');
    while (rest.len > 0) {
        const char *const end = memchr(rest.data, '\n', rest.len);
        const size_t len = (size_t)(end - rest.data);
        struct buf clean;

        buf_init(&clean);
        utf8_clean(slice_make(rest.data, len), 0, &clean);
        ASSERT(clean.len == len);
        buf_fini(&clean);
        rest = slice_make(end + 1, rest.len - len - 1);
        lines++;
    }
    ASSERT(lines <= 2 * CONFIG_COMPLAINTS_MAX + 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *conf = NULL;
    struct buf errors;
    int rc;

    fill_disk(slice_make(data, size));
    buf_init(&errors);
    rc = config_load(DIRECTORY "klatch.conf", NULL, &conf, &errors);

    ASSERT(rc == 0 || rc == -EINVAL);
    ASSERT((rc == 0) == (conf != NULL) && (rc == 0 || errors.len > 0));
    ASSERT(disk.opened >= 1 && disk.open < 0);
    check_complaints(&errors);
    config_destroy(conf);
    buf_fini(&errors);
    disk.count = 0;
    return 0;
}
