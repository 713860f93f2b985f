#include "daemon/demo/canvas.h"

#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LINE_BYTES = 1024
};

/* clang-format off */
static const char *const in_colour[N_STYLES] = { "0", "0;2", "0;1", "0;1;37;44", "0;1;7", "0;36", "0;1;32", "0;1;31", "0;33" };
static const char *const without[N_STYLES] = { "0", "0;2", "0;1", "0;7", "0;1;7", "0;4", "0;1", "0;1", "0;1" };
/* clang-format on */

static size_t count(const struct canvas *canvas)
{
    return (size_t)canvas->rows * (size_t)canvas->columns;
}

void canvas_resize(struct canvas *canvas, int rows, int columns)
{
    if (rows == canvas->rows && columns == canvas->columns) return;
    canvas_deinit(canvas);
    canvas->rows = rows;
    canvas->columns = columns;
    canvas->cells = must_zalloc(count(canvas) * sizeof *canvas->cells);
    canvas->shown = must_zalloc(count(canvas) * sizeof *canvas->shown);
    canvas->anew = true;
    canvas_clear(canvas);
}

void canvas_deinit(struct canvas *canvas)
{
    free(canvas->cells);
    free(canvas->shown);
    canvas->cells = canvas->shown = NULL;
}

void canvas_clear(struct canvas *canvas)
{
    for (size_t i = 0; i < count(canvas); i++) canvas->cells[i] = (struct canvas_cell){ " ", STYLE_PLAIN };
}

/* Bytes of the character that begins with this one. */
static size_t character(const char *text)
{
    size_t n = 1;
    while (n < 4 && ((unsigned char)text[n] & 0xc0) == 0x80) n++;
    return n;
}

int text_columns(const char *text)
{
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static int put(struct canvas *canvas, int row, int column, enum style style, const char *text)
{
    for (size_t n; *text; text += n, column++) {
        n = character(text);
        if (row < 0 || row >= canvas->rows || column < 0 || column >= canvas->columns) continue;
        struct canvas_cell *cell = &canvas->cells[row * canvas->columns + column];
        *cell = (struct canvas_cell){ .style = (uint8_t)style };
        memcpy(cell->bytes, (unsigned char)*text < ' ' ? "?" : text, n);
    }
    return column;
}

int canvas_print(struct canvas *canvas, int row, int column, enum style style, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return put(canvas, row, column, style, line);
}

int canvas_right(struct canvas *canvas, int row, int column, int width, enum style style, const char *text)
{
    int blanks = width - text_columns(text);
    put(canvas, row, column + (blanks > 0 ? blanks : 0), style, text);
    return column + width;
}

void canvas_fill(struct canvas *canvas, int row, enum style style)
{
    for (int column = 0; column < canvas->columns; column++) put(canvas, row, column, style, " ");
}

static void paint_row(struct canvas *canvas, int row, struct buffer *out)
{
    const struct canvas_cell *cells = &canvas->cells[row * canvas->columns];
    const char *const *codes = canvas->colours ? in_colour : without;
    int style = -1;
    buffer_printf(out, "\033[%d;1H", row + 1);
    for (int column = 0; column < canvas->columns; column++) {
        if (cells[column].style != style) buffer_printf(out, "\033[%sm", codes[style = cells[column].style]);
        buffer_str(out, cells[column].bytes);
    }
    buffer_str(out, "\033[0m");
}

void canvas_paint(struct canvas *canvas, struct buffer *out)
{
    size_t row_bytes = (size_t)canvas->columns * sizeof *canvas->cells;
    if (canvas->anew) buffer_str(out, "\033[2J");
    for (int row = 0; row < canvas->rows; row++) {
        size_t at = (size_t)row * (size_t)canvas->columns;
        if (!canvas->anew && !memcmp(canvas->cells + at, canvas->shown + at, row_bytes)) continue;
        paint_row(canvas, row, out);
        memcpy(canvas->shown + at, canvas->cells + at, row_bytes);
    }
    canvas->anew = false;
}

void canvas_text(const struct canvas *canvas, struct buffer *out)
{
    for (int row = 0; row < canvas->rows; row++) {
        const struct canvas_cell *cells = &canvas->cells[row * canvas->columns];
        int end = canvas->columns;
        while (end && !strcmp(cells[end - 1].bytes, " ")) end--;
        for (int column = 0; column < end; column++) buffer_str(out, cells[column].bytes);
        buffer_byte(out, '\n');
    }
}
