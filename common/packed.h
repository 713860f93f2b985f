/* A text in as few bytes as ids need: of what is sent as an id most is a UUID, or a row of hexadecimal or decimal digits.
 *
 *   varint  number × 4 + form
 *   TEXT    so many bytes as they are
 *   UUID    16 bytes: 36 characters in the usual form, digits in lower case (RFC 9562; the number is 0)
 *   DIGITS  two to a byte, the odd one in the high half: so many hexadecimal digits in lower case
 *
 * The fourth form is the user's own: what it means stands where it is used. Equal texts have equal bytes. */
#pragma once

#include "common/buffer.h"

enum packed_form {
    PACKED_TEXT,
    PACKED_UUID,
    PACKED_DIGITS,
    PACKED_OTHER
};

struct packed_head {
    enum packed_form form;
    size_t number;
};

void buffer_packed(struct buffer *buffer, struct span text);
bool buffer_packed_uuid(struct buffer *buffer, struct span text); /* false: it is none, nothing is written */
void buffer_packed_head(struct buffer *buffer, struct packed_head head);

/* The text points into the cursor's bytes, or lies in the arena. PACKED_OTHER is no text: the cursor is broken. */
struct span cursor_packed(struct cursor *cursor, struct arena *arena);
struct packed_head cursor_packed_head(struct cursor *cursor);
struct span cursor_packed_body(struct cursor *cursor, struct packed_head head, struct arena *arena);
