/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_request - from a line to a request. Pure; fuzzed as fuzz_control.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ops/control_priv.h"

static struct slice
text_of(const json_t *string)
{
    return slice_make(json_string_value(string), json_string_length(string));
}

static int
parse_args(const json_t *args, struct control_request *out, char *why,
           size_t size)
{
    const size_t count = json_array_size(args);

    if (!json_is_array(args)) {
        snprintf(why, size, "\"args\" must be a list of strings");
        return -EINVAL;
    }
    if (count > CONTROL_ARGS_MAX) {
        snprintf(why, size, "more than %u args", CONTROL_ARGS_MAX);
        return -EINVAL;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *const arg = json_array_get(args, i);

        if (!json_is_string(arg)) {
            snprintf(why, size, "\"args\" must be a list of strings");
            return -EINVAL;
        }
        out->args[i] = text_of(arg);
    }
    out->argc = count;
    return 0;
}

static int
parse_member(const char *key, const json_t *value, struct control_request *out,
             char *why, size_t size)
{
    struct slice *text;

    if (strcmp(key, "args") == 0)
        return parse_args(value, out, why, size);
    if (strcmp(key, "command") == 0)
        text = &out->command;
    else if (strcmp(key, "as") == 0)
        text = &out->as;
    else {
        snprintf(
            why, size,
            "a request has \"command\", \"args\" and \"as\", not \"%.40s\"",
            key);
        return -EINVAL;
    }
    if (!json_is_string(value)) {
        snprintf(why, size, "\"%s\" must be a string", key);
        return -EINVAL;
    }
    *text = text_of(value);
    return 0;
}

static int
parse_members(struct control_request *out, char *why, size_t size)
{
    const char *key;
    json_t *value;
    int rc;

    if (!json_is_object(out->root)) {
        snprintf(why, size, "a request is an object: {\"command\":\"status\"}");
        return -EINVAL;
    }
    json_object_foreach(out->root, key, value)
    {
        rc = parse_member(key, value, out, why, size);
        if (rc < 0)
            return rc;
    }
    if (out->command.len == 0) {
        snprintf(why, size, "the request has no \"command\"");
        return -EINVAL;
    }
    return 0;
}

int
control_request_parse(struct slice line, struct control_request *out, char *why,
                      size_t size)
{
    struct control_request r = {.root = NULL};
    json_error_t error;
    int rc;

    r.root = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
    if (r.root == NULL) {
        snprintf(why, size, "this is not JSON: %s", error.text);
        return -EINVAL;
    }
    rc = parse_members(&r, why, size);
    if (rc < 0) {
        json_decref(r.root);
        return rc;
    }
    *out = r;
    return 0;
}

void
control_request_fini(struct control_request *r)
{
    json_decref(r->root);
}
