/* libFuzzer: any text is a formula or is refused with a problem; one that is can be kept. */
#include "common/buffer.h"
#include "daemon/catalogue/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The text as a JSON string: what JSON cannot hold becomes a blank. */
static void put_string(struct buffer *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\') buffer_byte(out, '\\');
        buffer_byte(out, bytes[i] < ' ' || bytes[i] > '~' ? ' ' : bytes[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct buffer file = { 0 };
    struct problems problems = { 0 };
    struct kept kept;
    buffer_str(&file, "{\"metrics\":{\"m\":\"");
    put_string(&file, bytes, len);
    buffer_str(&file, "\",\"w\":{\"dimensions\":[\"pipeline\",\"stage\"],\"formula\":\"ever(stage_outcome.won)\"},"
                      "\"n\":\"level(lead.count) / days\"}}");
    struct catalogue_file one = { "fuzz.json", buffer_all(&file) };
    struct catalogue *catalogue = catalogue_load(&one, 1, &problems);
    REQUIRE((catalogue != NULL) == (problems.n == 0));
    if (catalogue) catalogue_kept(catalogue, &kept);
    catalogue_destroy(catalogue);
    problems_deinit(&problems);
    buffer_deinit(&file);
    return 0;
}
