/* Writes the one rejection of a record. */
#include "daemon/intake/reject.h"

#include <stdarg.h>
#include <stdio.h>

bool reject(struct rejection *rejection, enum reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(rejection->message, sizeof rejection->message, format, arguments);
    va_end(arguments);
    rejection->reason = reason;
    return false;
}
