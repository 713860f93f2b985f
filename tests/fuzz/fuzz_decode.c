/* libFuzzer: any record is decoded to an event or a rejection, and to nothing else. */
#include "tests/fuzz/outcome.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct arena arena;
    struct event event;
    struct rejection rejection;
    message_decode((struct span){ (const char *)bytes, len }, &arena, &event, &rejection);
    arena_deinit(&arena); /* not reset: a pointer into it would then be found out */
    return 0;
}
