/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reload - HUP, and `klatchctl reload`: all of the new configuration or none.
 *
 * Everything that can fail (the file, the addresses, memory) comes before the
 * first thing that changes. The log says "reloaded" when every thread has the
 * new settings, not when they are on their way.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "main/server.h"
#include "net/acceptor.h"
#include "ops/survey.h"

static void
log_change(void *arg, const char *section, const char *key, bool live,
           const char *was, const char *is)
{
    if (key == NULL)
        return; /* listeners log for themselves */
    if (live)
        LOG_NOTICE(LOG_CONFIG, "changed", LOG_F_STR("section", section),
                   LOG_F_STR("key", key), LOG_F_STR("was", was),
                   LOG_F_STR("is", is));
    else
        LOG_WARN(LOG_CONFIG, "waits for a restart",
                 LOG_F_STR("section", section), LOG_F_STR("key", key),
                 LOG_F_STR("was", was), LOG_F_STR("is", is));
}

/* One log line a complaint; `text` is lines. */
static void
log_complaints(const char *text, size_t len)
{
    while (len > 0) {
        const char *const end = memchr(text, '\n', len);
        const size_t n = end != NULL ? (size_t)(end - text) : len;

        LOG_WARN(LOG_CONFIG, "complaint",
                 LOG_F_SLICE("text", slice_make(text, n)));
        if (end == NULL)
            return;
        len -= n + 1;
        text += n + 1;
    }
}

static int
load(const struct server *s, struct config **out, char *why, size_t size)
{
    struct buf errors;
    int rc;

    buf_init(&errors);
    rc = config_load(s->parts.config_path, environ, out, &errors);
    log_complaints(errors.data, errors.len);
    if (rc < 0)
        snprintf(why, size, "%.*s", (int)errors.len,
                 errors.data != NULL ? errors.data : "");
    buf_fini(&errors);
    return rc;
}

/* The part that changes things. */
static int
put_in_force(struct server *s, struct config *conf, struct listen_plan *plan,
             struct update *update)
{
    config_compare(s->config, conf, log_change, NULL);
    log_set_level((enum log_level)conf->log_level);
    for (int area = 0; area < LOG_AREA_COUNT; area++)
        log_set_area_level((enum log_area)area, LOG_LEVEL_ERROR);
    log_set_format((enum log_format)conf->log_format);
    update_send(update);
    config_destroy(s->config);
    s->config = conf;
    s->parts.config = conf;
    return listen_plan_apply(plan, s);
}

static void
say_reloaded(void *arg, const struct survey *settled)
{
    LOG_NOTICE(LOG_CONFIG, "reloaded", LOG_F_NONE);
}

int
server_reload(struct server *s, char *why, size_t size)
{
    struct update *update = NULL;
    struct survey *settling;
    struct listen_plan plan;
    struct config *conf;
    int rc;

    if (s->stop_deadline_ms != 0) {
        snprintf(why, size, "the server is stopping");
        return -ESHUTDOWN;
    }
    rc = load(s, &conf, why, size);
    if (rc < 0)
        goto refuse;
    rc = listen_plan_make(&plan, &s->parts, s->next_listener, conf, why, size);
    if (rc < 0)
        goto fail_conf;

    rc = -ENOMEM;
    update = update_create(s, conf, &plan);
    if (update == NULL)
        goto fail_plan;
    rc = acceptor_post_reload(s->parts.acceptor, &conf->net);
    if (rc < 0)
        goto fail_plan;

    rc = put_in_force(s, conf, &plan, update);
    if (rc < 0) {
        snprintf(why, size, "listeners: %s", strerror(-rc));
        listen_plan_abandon(&plan);
        return rc;
    }
    if (survey_settle(&s->parts, say_reloaded, NULL, &settling) < 0)
        say_reloaded(NULL, NULL); /* without memory, a moment too early */
    return 0;

fail_plan:
    snprintf(why, size, "%s", strerror(-rc));
    update_destroy(update);
    listen_plan_abandon(&plan);
fail_conf:
    config_destroy(conf);
refuse:
    LOG_WARN(LOG_CONFIG, "not reloaded; the old configuration stays",
             LOG_F_STR("why", why));
    return rc;
}
