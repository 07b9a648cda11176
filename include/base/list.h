/* SPDX-License-Identifier: BSD-2-Clause
 *
 * list - intrusive doubly linked list.
 *
 * Shape    A ring through the list's own head. A link that is in no list
 *          points to itself, so removing it twice is harmless.
 * Memory   The list owns nothing; a link lives inside its owner's struct.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct list_link {
    struct list_link *prev;
    struct list_link *next;
};

struct list {
    struct list_link head;
};

static inline void
list_link_init(struct list_link *link)
{
    link->prev = link;
    link->next = link;
}

static inline void
list_init(struct list *list)
{
    list_link_init(&list->head);
}

static inline bool
list_is_empty(const struct list *list)
{
    return list->head.next == &list->head;
}

static inline bool
list_is_linked(const struct list_link *link)
{
    return link->next != link;
}

static inline void
list_insert_between(struct list_link *link, struct list_link *prev,
                    struct list_link *next)
{
    link->prev = prev;
    link->next = next;
    prev->next = link;
    next->prev = link;
}

static inline void
list_push_back(struct list *list, struct list_link *link)
{
    list_insert_between(link, list->head.prev, &list->head);
}

static inline void
list_push_front(struct list *list, struct list_link *link)
{
    list_insert_between(link, &list->head, list->head.next);
}

static inline void
list_remove(struct list_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_link_init(link);
}

/* The oldest link, or NULL. */
static inline struct list_link *
list_first(struct list *list)
{
    return list_is_empty(list) ? NULL : list->head.next;
}

static inline struct list_link *
list_pop_front(struct list *list)
{
    struct list_link *const link = list_first(list);

    if (link != NULL)
        list_remove(link);
    return link;
}

/* Moves all of `from` behind what `to` holds; `from` is empty afterwards. */
static inline void
list_append_all(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;

    from->head.next->prev = to->head.prev;
    to->head.prev->next = from->head.next;
    from->head.prev->next = &to->head;
    to->head.prev = from->head.prev;
    list_init(from);
}

#define list_for_each(link, list)                             \
    for ((link) = (list)->head.next; (link) != &(list)->head; \
         (link) = (link)->next)

/* The body may remove `link` (and only that one). */
#define list_for_each_safe(link, after, list)                \
    for ((link) = (list)->head.next, (after) = (link)->next; \
         (link) != &(list)->head; (link) = (after), (after) = (link)->next)

#endif
