/* A page of characters with styles: drawn in memory, then brought to the terminal where it differs from the last one. */
#pragma once

#include "common/buffer.h"

enum style {
    STYLE_PLAIN,
    STYLE_DIM,
    STYLE_BOLD,
    STYLE_BAR,    /* the line on top */
    STYLE_CHOSEN, /* of several */
    STYLE_HEAD,
    STYLE_UP,
    STYLE_DOWN,
    STYLE_NOTE,
    N_STYLES
};

struct canvas_cell {
    char bytes[5]; /* one character in UTF-8, terminated */
    uint8_t style;
};

struct canvas {
    int rows, columns;
    struct canvas_cell *cells, *shown; /* row by row; what the terminal shows */
    bool anew;                         /* the terminal shows something else */
    bool colours;
};

/* Also to change the size; then all is drawn anew. A zeroed canvas is one without room. */
void canvas_resize(struct canvas *canvas, int rows, int columns);
void canvas_deinit(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);

/* Both return the column behind; what does not fit is cut. Outside of the page nothing happens. */
int canvas_print(struct canvas *canvas, int row, int column, enum style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int canvas_right(struct canvas *canvas, int row, int column, int width, enum style style, const char *text);

void canvas_fill(struct canvas *canvas, int row, enum style style); /* the whole row */

/* Appends what brings a terminal that shows the last page to this one. */
void canvas_paint(struct canvas *canvas, struct buffer *out);
/* Appends all rows as plain text, without blanks at the ends. */
void canvas_text(const struct canvas *canvas, struct buffer *out);

int text_columns(const char *text); /* characters, of UTF-8 */
