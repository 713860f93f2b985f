#include "daemon/report/document.h"

#include "common/instant.h"
#include "common/number.h"
#include "common/period.h"
#include "daemon/report/text.h"

static const char sections_key[] = ",\"sections\":", version_key[] = ",\"version\":";

void document_write(const struct document_head *head, struct span sections, struct buffer *out)
{
    char as_of[INSTANT_TEXT_BYTES];
    instant_format(head->as_of_us, as_of);
    buffer_str(out, "{\"report\":");
    text_write(span_of(head->report), out);
    buffer_str(out, ",\"tenant\":");
    text_write(head->tenant, out);
    buffer_str(out, version_key);
    buffer_decimal(out, head->version);
    buffer_printf(out, ",\"as_of\":\"%s\",\"time_zone\":", as_of);
    text_write(span_of(head->rules->zone->name), out);
    buffer_printf(out, ",\"week_start\":\"%s\",\"catalogue\":\"%016llx\"", weekday_names[head->rules->week_start],
                  (unsigned long long)head->catalogue);
    buffer_str(out, sections_key);
    buffer_span(out, sections);
    buffer_byte(out, '}');
}

/* What follows the key where it stands first: no text before it can hold it, for quotes within texts are escaped. */
static struct span behind(struct span document, const char *key)
{
    const char *at = document.len ? memmem(document.at, document.len, key, strlen(key)) : NULL;
    if (!at) return NO_SPAN;
    at += strlen(key);
    return (struct span){ at, document.len - (size_t)(at - document.at) };
}

struct span document_sections(struct span document)
{
    struct span rest = behind(document, sections_key);
    if (!rest.len || rest.at[rest.len - 1] != '}') return NO_SPAN;
    rest.len--;
    return rest;
}

int64_t document_version(struct span document)
{
    struct span rest = behind(document, version_key);
    int64_t version = 0;
    return number_take(&rest, &version) ? version : 0;
}
