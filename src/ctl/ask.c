/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ask - one request, one answer, one exit code.
 */
#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/link.h"
#include "ctl/text.h"

enum ctl_exit
ctl_print(struct ctl *ctl, const struct buf *text)
{
    if (text->failed) {
        fputs("klatchctl: out of memory\n", ctl->err);
        return CTL_OS_ERROR;
    }
    if (fwrite(text->data, 1, text->len, ctl->out) != text->len ||
        fflush(ctl->out) != 0) {
        fprintf(ctl->err, "klatchctl: cannot write: %s\n", strerror(errno));
        return CTL_NO_OUTPUT;
    }
    return CTL_DONE;
}

/* ---- the request ---------------------------------------------------------- */

/* A string the server will take: what is no UTF-8 becomes U+FFFD. */
static json_t *
string_of(const char *text)
{
    struct buf clean;
    json_t *json = NULL;

    buf_init(&clean);
    text_append(&clean, slice_of(text));
    if (!clean.failed)
        json = json_stringn(clean.data != NULL ? clean.data : "", clean.len);
    buf_fini(&clean);
    return json;
}

static json_t *
list_args(const struct ctl_args *args)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < args->count; i++)
        json_array_append_new(list, string_of(args->words[i]));
    if (args->text != NULL)
        json_array_append_new(list, string_of(args->text));
    return list;
}

static json_t *
make_request(const struct ctl *ctl, const struct ctl_command *command,
             const struct ctl_args *args)
{
    json_t *const request = json_pack("{s:s, s:o}", "command", command->name,
                                      "args", list_args(args));

    if (request != NULL && ctl->as != NULL && command->takes_as)
        json_object_set_new(request, "as", string_of(ctl->as));
    return request;
}

/* ---- the answer ----------------------------------------------------------- */

static enum ctl_exit
complain_no_answer(struct ctl *ctl, int rc)
{
    const char *why = strerror(-rc);

    if (rc == -ENOENT || rc == -ECONNREFUSED)
        why = "no klatchd is running there";
    else if (rc == -EACCES || rc == -EPERM)
        why = "only root and the server's own user may do this";
    else if (rc == -EKEYREJECTED)
        why = "what listens there is another user's";
    else if (rc == -ETIMEDOUT)
        why = "the server does not answer";
    else if (rc == -EPIPE)
        why = "the server hung up";
    else if (rc == -EPROTO)
        why = "what answers there is no klatchd";
    fprintf(ctl->err, "klatchctl: %s: %s\n", ctl->socket, why);
    return CTL_NO_SERVER;
}

/* The server's sentence, or sentences, each on a line. */
static void
complain_refused(struct ctl *ctl, const json_t *answer)
{
    const json_t *const error = json_object_get(answer, "error");
    struct buf text;

    buf_init(&text);
    text_append_lines(&text, json_is_string(error)
                                 ? slice_make(json_string_value(error),
                                              json_string_length(error))
                                 : slice_of("the server did not say why"));
    fprintf(ctl->err, "klatchctl: %.*s\n", (int)text.len,
            text.data != NULL ? text.data : "");
    buf_fini(&text);
}

static int
append_chunk(const char *data, size_t len, void *out)
{
    buf_append(out, data, len);
    return 0;
}

static void
append_json(json_t *answer, struct buf *out)
{
    if (text_clean_json(answer) < 0 ||
        json_dump_callback(answer, append_chunk, out, JSON_COMPACT) < 0)
        out->failed = true;
    buf_append_char(out, '\n');
}

static enum ctl_exit
show_answer(struct ctl *ctl, const struct ctl_command *command, json_t *answer)
{
    const bool ok = json_is_true(json_object_get(answer, "ok"));
    enum ctl_exit code;
    struct buf text;

    buf_init(&text);
    if (ctl->json)
        append_json(answer, &text);
    else if (ok)
        command->show(answer, &text);
    code = ctl_print(ctl, &text);
    buf_fini(&text);

    if (!ok)
        complain_refused(ctl, answer);
    return ok ? code : CTL_REFUSED;
}

enum ctl_exit
ctl_ask(struct ctl *ctl, const struct ctl_command *command,
        const struct ctl_args *args)
{
    json_t *const request = make_request(ctl, command, args);
    enum ctl_exit code;
    json_t *answer = NULL;
    int rc;

    rc = request != NULL ? link_ask(ctl->link, request, &answer) : -ENOMEM;
    json_decref(request);
    if (rc == -ENOMEM) {
        fputs("klatchctl: out of memory\n", ctl->err);
        return CTL_OS_ERROR;
    }
    if (rc < 0)
        return complain_no_answer(ctl, rc);

    code = show_answer(ctl, command, answer);
    json_decref(answer);
    return code;
}
