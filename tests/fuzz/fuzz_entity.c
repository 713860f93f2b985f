/* libFuzzer: what is read as an entity's record, of either version, is written and read again as the same. */
#include "common/error.h"
#include "daemon/entity/entity.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = { 0 };
    struct names names;
    names_init(&names);
    for (const char *name = "abcdefgh"; *name; name++) names_intern(&names, (struct span){ name, 1 });
    struct entity first = { .kind = KIND_DEAL, .id = SPAN("D-1") }, again = first;
    struct buffer out = { 0 }, twice = { 0 };
    if (entity_decode(&first, (struct span){ (const char *)bytes, len }, &arena, &names)) {
        entity_encode(&first, &out);
        REQUIRE(entity_decode(&again, buffer_all(&out), &arena, &names));
        REQUIRE(again.n_events == first.n_events && again.n_attributes == first.n_attributes);
        for (uint32_t i = 0; i < first.n_events; i++) REQUIRE(span_equal(first.events[i].id, again.events[i].id));
        entity_encode(&again, &twice);
        REQUIRE(span_equal(buffer_all(&out), buffer_all(&twice)));
    }
    buffer_deinit(&out);
    buffer_deinit(&twice);
    names_deinit(&names);
    arena_deinit(&arena);
    return 0;
}
