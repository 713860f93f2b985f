#include "daemon/report/text.h"

void text_write(struct span text, struct buffer *out)
{
    buffer_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\') buffer_byte(out, '\\');
        if (c < ' ')
            buffer_printf(out, "\\u%04x", c);
        else
            buffer_byte(out, c);
    }
    buffer_byte(out, '"');
}
