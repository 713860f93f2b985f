/* How the daemon is, as the server asks for it. */
#include "daemon/http/server.h"
#include "daemon/run/statistics.h"

static void metrics(void *context, struct buffer *out)
{
    statistics_write(context, out);
}

static bool ready(void *context, struct buffer *why)
{
    return statistics_ready(context, why);
}

struct http_settings http_settings_of(struct engine *engine, struct daemon *daemon)
{
    return (struct http_settings){ .engine = engine, .operations = { daemon, metrics, ready } };
}
