/* A rendered report: its text, with the lines and values that changes are told of; and how parts of it are taken over. */
#include "daemon/report/board_state.h"

#include <stdlib.h>

void rendered_piece(struct rendered *rendered, size_t at)
{
    if (rendered->n_pieces == rendered->room_pieces) {
        rendered->room_pieces = rendered->room_pieces ? 2 * rendered->room_pieces : 256;
        rendered->pieces = must_realloc(rendered->pieces, rendered->room_pieces * sizeof *rendered->pieces);
    }
    rendered->pieces[rendered->n_pieces++] = (struct piece){ (uint32_t)at, (uint32_t)(rendered->sections.len - at) };
}

void rendered_line(struct rendered *rendered, const struct line *line)
{
    if (rendered->n_lines == rendered->room_lines) {
        rendered->room_lines = rendered->room_lines ? 2 * rendered->room_lines : 64;
        rendered->lines = must_realloc(rendered->lines, rendered->room_lines * sizeof *rendered->lines);
    }
    rendered->lines[rendered->n_lines++] = *line;
}

void rendered_begin(const struct rendered *rendered, struct segment *segment)
{
    *segment = (struct segment){ .text = { (uint32_t)rendered->sections.len, 0 },
                                 .first_line = rendered->n_lines,
                                 .first_piece = rendered->n_pieces };
}

void rendered_end(const struct rendered *rendered, struct segment *segment)
{
    segment->text.len = (uint32_t)rendered->sections.len - segment->text.at;
    segment->n_lines = rendered->n_lines - segment->first_line;
    segment->n_pieces = rendered->n_pieces - segment->first_piece;
}

void rendered_copy(struct rendered *rendered, const struct rendered *old, size_t segment)
{
    const struct segment *from = &old->segments[segment];
    uint32_t shift = (uint32_t)rendered->sections.len - from->text.at; /* modulo 2^32, as is all that it is added to */
    rendered_begin(rendered, &rendered->segments[segment]);
    for (size_t i = 0; i < from->n_lines; i++) {
        struct line line = old->lines[from->first_line + i];
        if (line.key.len) line.key.at += shift;
        line.values += rendered->segments[segment].first_piece - from->first_piece;
        rendered_line(rendered, &line);
    }
    buffer_span(&rendered->sections, piece_text(old, from->text));
    for (size_t i = 0; i < from->n_pieces; i++) {
        struct piece piece = old->pieces[from->first_piece + i];
        rendered_piece(rendered, piece.at + shift);
        rendered->pieces[rendered->n_pieces - 1].len = piece.len;
    }
    rendered_end(rendered, &rendered->segments[segment]);
}

void rendered_destroy(struct rendered *rendered)
{
    if (!rendered) return;
    buffer_deinit(&rendered->sections);
    buffer_deinit(&rendered->changes);
    free(rendered->segments);
    free(rendered->lines);
    free(rendered->pieces);
    free(rendered);
}
