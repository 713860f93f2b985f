/* The names of the reasons for which records are rejected. */
#include "daemon/intake/event.h"

const char *const reason_names[N_REASONS] = {
    [REASON_NONE] = "",
    [REASON_TOO_LARGE] = "too_large",
    [REASON_NOT_JSON] = "not_json",
    [REASON_NOT_CLOUDEVENTS] = "not_cloudevents",
    [REASON_MISSING_ATTRIBUTE] = "missing_attribute",
    [REASON_BAD_ATTRIBUTE] = "bad_attribute",
    [REASON_BAD_TENANT] = "bad_tenant",
    [REASON_UNKNOWN_TYPE] = "unknown_type",
    [REASON_BAD_TIME] = "bad_time",
    [REASON_TOO_FAR_AHEAD] = "too_far_ahead",
    [REASON_TOO_MANY_EVENTS] = "too_many_events",
    [REASON_AFTER_RETENTION] = "after_retention",
};

bool reason_is_unreadable(enum reason reason)
{
    return reason == REASON_TOO_LARGE || reason == REASON_NOT_JSON || reason == REASON_NOT_CLOUDEVENTS;
}
