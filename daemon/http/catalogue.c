/* The catalogue as JSON: what can be asked for, and by what. */
#include "daemon/catalogue/describe.h"
#include "daemon/http/routes.h"

#include <inttypes.h>
#include <stdio.h>

void answer_catalogue(const struct answering *with, struct exchange *exchange)
{
    const struct catalogue *catalogue = with->engine->catalogue;
    snprintf(exchange->answer.etag, ETAG_BYTES, "\"%016" PRIx64 "\"", catalogue->fingerprint);
    catalogue_write_json(catalogue, answer_with(exchange, type_json));
}
