/* SPDX-License-Identifier: BSD-2-Clause
 *
 * view - see view_priv.h.
 *
 * Memory   A room is one allocation with its name and its key; members come
 *          from a slab. A client is in few rooms, so its list is walked; a
 *          room may have all the members there are, so its list never is,
 *          but to deliver.
 */
#include "proto/view_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "chat/name.h"

static_assert(ROOM_BYTES_MAX <= UINT16_MAX && NAME_KEY_MAX <= UINT16_MAX,
              "name_len and key_len have room for any name");

static struct view_room *
room_of(struct hash_link *link)
{
    return CONTAINER_OF(link, struct view_room, by_id);
}

static struct slice
room_key(const struct view_room *room)
{
    return slice_make(room->name + room->name_len, room->key_len);
}

static bool
room_has_id(const struct hash_link *link, const void *key)
{
    const struct view_room *const room =
        CONST_CONTAINER_OF(link, struct view_room, by_id);

    return room->id == *(const room_id *)key;
}

void
view_init(struct view *v)
{
    memset(v, 0, sizeof(*v));
    hash_init(&v->rooms);
    slab_init(&v->members, sizeof(struct view_member));
}

void
view_fini(struct view *v)
{
    ASSERT(v->room_count == 0 && v->member_count == 0);

    hash_fini(&v->rooms);
    slab_fini(&v->members);
}

struct view_room *
view_find(const struct view *v, room_id id)
{
    struct hash_link *const link =
        hash_find(&v->rooms, hash_u64(id), room_has_id, &id);

    return link != NULL ? room_of(link) : NULL;
}

struct view_member *
client_find_room(const struct client *cl, const struct view_room *room)
{
    struct list_link *link;

    list_for_each (link, &cl->rooms) {
        struct view_member *const member =
            CONTAINER_OF(link, struct view_member, of_client);

        if (member->room == room)
            return member;
    }
    return NULL;
}

struct view_member *
view_find_by_name(const struct client *cl, struct slice name)
{
    struct list_link *link;
    struct name wanted;

    if (name_check_room(name, &wanted) != NAME_OK)
        return NULL;

    list_for_each (link, &cl->rooms) {
        struct view_member *const member =
            CONTAINER_OF(link, struct view_member, of_client);

        if (slice_equal(room_key(member->room),
                        slice_make(wanted.key, wanted.key_len)))
            return member;
    }
    return NULL;
}

/* -- coming and going ------------------------------------------------------ */

static int
make_room(struct view *v, room_id id, struct slice text, struct view_room **out)
{
    struct view_room *room;
    enum name_verdict verdict;
    struct name name;

    verdict = name_check_room(text, &name);
    if (verdict != NAME_OK)
        return verdict == NAME_NO_MEMORY ? -ENOMEM : -EINVAL;

    room = malloc(sizeof(*room) + name.len + name.key_len);
    if (room == NULL)
        return -ENOMEM;
    *room = (struct view_room){
        .id = id,
        .name_len = (uint16_t)name.len,
        .key_len = (uint16_t)name.key_len,
    };
    list_init(&room->members);
    memcpy(room->name, name.text, name.len);
    memcpy(room->name + name.len, name.key, name.key_len);

    if (hash_insert(&v->rooms, &room->by_id, hash_u64(id)) < 0) {
        free(room);
        return -ENOMEM;
    }
    v->room_count++;
    *out = room;
    return 0;
}

static void
drop_if_empty(struct view *v, struct view_room *room)
{
    if (room->member_count > 0)
        return;

    hash_remove(&v->rooms, &room->by_id);
    v->room_count--;
    free(room);
}

int
view_join(struct view *v, struct client *cl, room_id id, struct slice name,
          struct view_member **out)
{
    struct view_room *room = view_find(v, id);
    struct view_member *member = NULL;

    if (room != NULL)
        member = client_find_room(cl, room);
    if (member != NULL) {
        *out = member;
        return 0;
    }

    if (room == NULL) {
        const int rc = make_room(v, id, name, &room);

        if (rc < 0)
            return rc;
    }
    member = slab_get(&v->members);
    if (member == NULL) {
        drop_if_empty(v, room);
        return -ENOMEM;
    }

    member->room = room;
    member->client = cl;
    list_push_back(&room->members, &member->of_room);
    list_push_back(&cl->rooms, &member->of_client);
    room->member_count++;
    v->member_count++;
    *out = member;
    return 0;
}

void
view_leave(struct view *v, struct view_member *member)
{
    struct view_room *const room = member->room;

    list_remove(&member->of_room);
    list_remove(&member->of_client);
    slab_put(&v->members, member);
    room->member_count--;
    v->member_count--;
    drop_if_empty(v, room);
}
