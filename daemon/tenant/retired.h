/* Marks of retired entities: twelve bytes each on the page where the entity stood, by which it is known again. They lie behind
 * each other in one record under the empty id, which no entity has. */
#pragma once

#include "daemon/tenant/tenant.h"

enum {
    RETIRED_MARK_BYTES = 12 /* the hash that places it (its low half; little endian), then that of its id */
};

/* As bytes of a map's key: the kind, the mark. */
enum {
    RETIRED_KEY_BYTES = 1 + RETIRED_MARK_BYTES
};
struct span retired_key(const struct tenant *tenant, enum kind kind, struct span id, char room[RETIRED_KEY_BYTES]);

bool retired_find(const struct tenant *tenant, const struct page *page, struct span id);
void retired_put(const struct tenant *tenant, struct page *page, struct span id);

/* From a page that is split to the new one: those that stand there now. True: some did. */
bool retired_split(struct page *from, struct page *to);
