#include "daemon/facts/kept.h"

#include "common/number.h"
#include "daemon/facts/lists.h"
#include "daemon/facts/needs.h"

#define CUSTOM_WORD "custom."

/* ---- sets ---- */

static bool uses_customs(const struct kept *kept, int kind)
{
    for (int fact = 0; fact < N_FACTS; fact++)
        if (kept->fact[fact].on && kept->fact[fact].customs && (int)fact_rows[fact].custom_of == kind) return true;
    return false;
}

struct kept kept_of(const struct kept *needed, const struct rules *rules)
{
    struct kept kept = *needed;
    for (int kind = 0; kind < N_KINDS; kind++)
        kept.customs[kind] = uses_customs(needed, kind) ? (uint16_t)((1u << rules->kind[kind].n_custom) - 1) : 0;
    return kept;
}

bool kept_covers(const struct kept *kept, const struct kept *needed)
{
    struct kept both = *kept;
    kept_join(&both, needed);
    bool covers = both.lists == kept->lists && !memcmp(both.customs, kept->customs, sizeof kept->customs);
    for (int fact = 0; fact < N_FACTS; fact++)
        covers = covers && both.fact[fact].on == kept->fact[fact].on && both.fact[fact].measures == kept->fact[fact].measures &&
                 both.fact[fact].dims == kept->fact[fact].dims && both.fact[fact].customs == kept->fact[fact].customs;
    return covers;
}

void kept_join(struct kept *kept, const struct kept *more)
{
    for (int fact = 0; fact < N_FACTS; fact++) {
        kept->fact[fact].on |= more->fact[fact].on;
        kept->fact[fact].measures |= more->fact[fact].measures;
        kept->fact[fact].dims |= more->fact[fact].dims;
        kept->fact[fact].customs |= more->fact[fact].customs;
    }
    for (int kind = 0; kind < N_KINDS; kind++) kept->customs[kind] |= more->customs[kind];
    kept->lists |= more->lists;
    kept_kinds(kept);
}

void kept_meet(struct kept *kept, const struct kept *other)
{
    for (int fact = 0; fact < N_FACTS; fact++) {
        kept->fact[fact].on &= other->fact[fact].on;
        kept->fact[fact].measures &= other->fact[fact].measures;
        kept->fact[fact].dims &= other->fact[fact].dims;
        kept->fact[fact].customs &= other->fact[fact].customs;
    }
    for (int kind = 0; kind < N_KINDS; kind++) kept->customs[kind] &= other->customs[kind];
    kept->lists &= other->lists;
    kept_kinds(kept);
}

void kept_cut_key(const struct kept *kept, struct cell_key *key)
{
    const struct fact_row *row = &fact_rows[key->fact];
    unsigned customs = row->custom_of < N_KINDS && kept->fact[key->fact].customs ? kept->customs[row->custom_of] : 0;
    for (int i = 0; i < row->n_dims; i++)
        if (!(kept->fact[key->fact].dims >> i & 1)) key->dims[i] = 0;
    for (int i = row->n_dims; i < key->n; i++)
        if (!(customs >> (i - row->n_dims) & 1)) key->dims[i] = 0;
}

/* ---- writing ---- */

static void write_customs(const struct kept *kept, const struct rules *rules, int kind, struct buffer *out)
{
    const char *before = "=";
    if (!kept->customs[kind]) return;
    buffer_printf(out, " " CUSTOM_WORD "%s", kind_rows[kind].name);
    for (int i = 0; i < rules->kind[kind].n_custom; i++) {
        if (!(kept->customs[kind] >> i & 1)) continue;
        buffer_printf(out, "%s%s", before, rules->kind[kind].custom[i]);
        before = ",";
    }
}

void kept_write(const struct kept *kept, const struct rules *rules, struct buffer *out)
{
    buffer_printf(out, "lists=%x", kept->lists);
    for (int fact = 0; fact < N_FACTS; fact++)
        if (kept->fact[fact].on)
            buffer_printf(out, " %s=%x.%x%s", fact_rows[fact].name, kept->fact[fact].measures, kept->fact[fact].dims,
                          kept->fact[fact].customs ? ".c" : "");
    for (int kind = 0; kind < N_KINDS; kind++) write_customs(kept, rules, kind, out);
}

/* ---- reading ---- */

/* Hexadecimal digits, at least one, up to four. */
static bool take_bits(struct span *text, uint16_t *bits)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    *bits = 0;
    for (const char *digit; n < text->len && n < 4 && (digit = memchr(digits, text->at[n], 16)); n++)
        *bits = (uint16_t)(*bits << 4 | (digit - digits));
    *text = (struct span){ text->at + n, text->len - n };
    return n > 0;
}

/* "1f.3ff.c" */
static bool take_fact(struct span word, int fact, struct kept *kept)
{
    uint16_t measures, dims;
    if (fact < 0 || !take_bits(&word, &measures) || !byte_take(&word, '.') || !take_bits(&word, &dims)) return false;
    kept->fact[fact].on = true;
    kept->fact[fact].measures = (uint8_t)measures;
    kept->fact[fact].dims = dims;
    kept->fact[fact].customs = span_is(word, ".c");
    return !word.len || kept->fact[fact].customs;
}

static int find_custom(const struct rules *rules, enum kind kind, struct span name)
{
    for (int i = 0; i < rules->kind[kind].n_custom; i++)
        if (span_is(name, rules->kind[kind].custom[i])) return i;
    return -1;
}

/* "region,size" */
static bool take_customs(struct span words, struct span kind_name, const struct rules *rules, struct kept *kept,
                         struct span *undeclared)
{
    enum kind kind;
    if (!kind_find(kind_name, &kind)) return false;
    while (words.len) {
        struct span name = until_take(&words, ',');
        int at = find_custom(rules, kind, name);
        if (at >= 0) kept->customs[kind] |= (uint16_t)(1u << at);
        if (at < 0) *undeclared = name;
        (void)byte_take(&words, ',');
    }
    return true;
}

bool kept_read(struct span text, const struct rules *rules, struct kept *kept, struct span *undeclared)
{
    size_t prefix = sizeof CUSTOM_WORD - 1;
    bool fine = true;
    *kept = (struct kept){ 0 };
    while (fine && text.len) {
        struct span value = until_take(&text, ' '), name = until_take(&value, '=');
        fine = byte_take(&value, '=');
        if (span_is(name, "lists"))
            fine = fine && take_bits(&value, &kept->lists);
        else if (name.len > prefix && !memcmp(name.at, CUSTOM_WORD, prefix))
            fine = fine && take_customs(value, (struct span){ name.at + prefix, name.len - prefix }, rules, kept, undeclared);
        else
            fine = fine && take_fact(value, fact_find(name), kept);
        (void)byte_take(&text, ' ');
    }
    kept_kinds(kept);
    return fine;
}

/* ---- for people ---- */

static struct buffer *next(struct buffer *out)
{
    if (out->len) buffer_str(out, ", ");
    return out;
}

static void write_added_of(const struct kept *kept, const struct kept *wider, int fact, struct buffer *out)
{
    const struct fact_row *row = &fact_rows[fact];
    if (!wider->fact[fact].on) return;
    if (!kept->fact[fact].on) {
        buffer_str(next(out), row->name);
        return;
    }
    for (int i = 0; i < row->n_measures; i++)
        if ((wider->fact[fact].measures & ~kept->fact[fact].measures) >> i & 1)
            buffer_printf(next(out), "%s.%s", row->name, row->measures[i].name);
    for (int i = 0; i < row->n_dims; i++)
        if ((wider->fact[fact].dims & ~kept->fact[fact].dims) >> i & 1)
            buffer_printf(next(out), "%s by %s", row->name, dimension_names[row->dims[i]]);
    if (wider->fact[fact].customs && !kept->fact[fact].customs) buffer_printf(next(out), "%s by custom attributes", row->name);
}

void kept_write_added(const struct kept *kept, const struct kept *wider, const struct rules *rules, struct buffer *out)
{
    for (int fact = 0; fact < N_FACTS; fact++) write_added_of(kept, wider, fact, out);
    for (int kind = 0; kind < N_KINDS; kind++)
        for (int i = 0; i < rules->kind[kind].n_custom; i++)
            if ((wider->customs[kind] & ~kept->customs[kind]) >> i & 1)
                buffer_printf(next(out), "custom.%s.%s", kind_rows[kind].name, rules->kind[kind].custom[i]);
    for (int list = 0; list < N_LISTS; list++)
        if ((wider->lists & ~kept->lists) >> list & 1) buffer_printf(next(out), "list %s", list_names[list]);
}
