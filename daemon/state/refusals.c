/* The table of refusals. */
#include "daemon/state/refusals.h"

static const struct refusal refusals[] = {
    { "OOM", "is out of memory (maxmemory)", false },
    { "READONLY", "is read only (a replica?)", true },
    { "LOADING", "is still loading its data", false },
    { "MISCONF", "takes no writes because it cannot save to disk", false },
    { "NOREPLICAS", "takes no writes because too few replicas are connected", false },
    { "MASTERDOWN", "has lost its master and serves nothing", true },
    { "NOAUTH", "asks for a password", true },
    { "WRONGPASS", "does not accept this user and password", true },
    { "NOPERM", "does not allow this user a command or key", false },
    { "can't run this command", "does not allow this user a command or key", false }, /* inside of a script */
    { "WRONGTYPE", "holds a key of another type than expected", false },
    { "MOVED", "is a cluster node that does not hold this slot", true },
    { "ASK", "is a cluster node that is giving this slot away", false },
    { "TRYAGAIN", "is a cluster node that is giving this slot away", false },
    { "CROSSSLOT", "is a cluster: keys of several slots in one command", false },
    { "CLUSTERDOWN", "is a cluster that is down", true },
    { "BUSY", "is busy with somebody's script", false },
    { "", "refuses", false },
};

/* The code as a word of its own: "-OOM command …" inside of a script's error. */
static bool holds(struct span text, struct span code)
{
    for (size_t i = 0; i + code.len < text.len; i++) {
        bool begins = i == 0 || text.at[i - 1] == '-' || text.at[i - 1] == ' ';
        if (begins && memcmp(text.at + i, code.at, code.len) == 0 && text.at[i + code.len] == ' ') return true;
    }
    return false;
}

const struct refusal *refusal_find(struct span text)
{
    const struct refusal *refusal = refusals;
    while (refusal->code[0] && !holds(text, span_of(refusal->code))) refusal++;
    return refusal;
}
