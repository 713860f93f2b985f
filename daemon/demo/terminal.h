/* The user's terminal: taken over for full-screen pages, and given back as it was, whatever happens. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Can pages be shown: are input and output a terminal that knows how? */
bool terminal_usable(void);

void terminal_enter(void); /* the alternate screen, no cursor, keys at once */
void terminal_leave(void); /* fine when not entered */
void terminal_size(int *rows, int *columns);
void terminal_write(const char *bytes, size_t n);

/* Keys as bytes; the arrows as these. Ctrl-C is a key, too. */
enum terminal_key {
    KEY_NONE,
    KEY_CTRL_C = 3,
    KEY_ESCAPE = 27,
    KEY_UP = 256,
    KEY_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_BACK_TAB
};
int terminal_key(void); /* the next one, without waiting */
