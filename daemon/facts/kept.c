#include "daemon/facts/kept.h"

#include "common/number.h"
#include "daemon/facts/lists.h"
#include "daemon/facts/needs.h"

#define CUSTOM_WORD "custom."

/* ---- sets ---- */

static bool uses_customs(const struct kept *kept, int kind)
{
    for (int fact = 0; fact < N_FACTS; fact++)
        if (kept->fact[fact].on && kept->fact[fact].customs && kind_set_members(fact_rows[fact].kinds) >> kind & 1) return true;
    return false;
}

struct kept kept_of(const struct kept *needed, const struct rules *rules)
{
    struct kept kept = *needed;
    for (int fact = 0; fact < N_FACTS; fact++) kept.fact[fact].customs &= rules->customs[fact_rows[fact].kinds].n > 0;
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

/* Does every kind of the set that declares it keep it? */
static bool all_keep(const struct kept *kept, const struct rules *rules, unsigned set, const char *name)
{
    for (unsigned kind = 0, members = kind_set_members(set); members >> kind; kind++) {
        int at = members >> kind & 1 ? rules_custom(rules, kind, span_of(name)) : -1;
        if (at >= 0 && !(kept->customs[kind] >> at & 1)) return false;
    }
    return true;
}

void kept_drop_halves(struct kept *kept, const struct rules *rules)
{
    for (int fact = 0; fact < N_FACTS; fact++) {
        unsigned set = fact_rows[fact].kinds;
        for (int i = 0; set > KINDS_NONE && i < rules->customs[set].n; i++)
            if (!all_keep(kept, rules, set, rules->customs[set].at[i])) kept->fact[fact].customs = false;
    }
}

/* Of a fact that several kinds say: what a kind does not keep is not told in the first place. */
void kept_cut_key(const struct kept *kept, struct cell_key *key)
{
    const struct fact_row *row = &fact_rows[key->fact];
    unsigned customs = row->kinds < N_KINDS ? kept->customs[row->kinds] : ~0u;
    unsigned bits = kept->fact[key->fact].dims | (kept->fact[key->fact].customs ? customs << row->n_dims : 0);
    for (int i = 0; i < key->n; i++, bits >>= 1)
        if (!(bits & 1)) key->dims[i] = 0;
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

/* "region,size" */
static bool take_customs(struct span words, struct span kind_name, const struct rules *rules, struct kept *kept,
                         struct span *undeclared)
{
    enum kind kind;
    if (!kind_find(kind_name, &kind)) return false;
    while (words.len) {
        struct span name = until_take(&words, ',');
        int at = rules_custom(rules, kind, name);
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

/* What is told, item by item, as long as there is room. */
struct telling {
    const struct kept *kept, *wider;
    struct buffer *out, item;
    size_t begun, most, left_out;
};

static void tell_item(struct telling *telling)
{
    struct buffer *out = telling->out;
    bool first = out->len == telling->begun;
    if (!first && out->len - telling->begun + telling->item.len > telling->most)
        telling->left_out++;
    else
        buffer_printf(out, "%s%.*s", first ? "" : ", ", SPAN_ARG(buffer_all(&telling->item)));
    buffer_clear(&telling->item);
}

static void tell_customs(struct telling *telling, const struct rules *rules)
{
    for (int kind = 0; kind < N_KINDS; kind++)
        for (int i = 0; i < rules->kind[kind].n_custom; i++) {
            if (!((telling->wider->customs[kind] & ~telling->kept->customs[kind]) >> i & 1)) continue;
            buffer_printf(&telling->item, "custom.%s.%s", kind_rows[kind].name, rules->kind[kind].custom[i]);
            tell_item(telling);
        }
}

/* "deal_won (cost, by team campaign)" */
static void tell_more(struct telling *telling, int fact)
{
    const struct fact_row *row = &fact_rows[fact];
    unsigned measures = telling->wider->fact[fact].measures & ~(unsigned)telling->kept->fact[fact].measures;
    unsigned dims = telling->wider->fact[fact].dims & ~(unsigned)telling->kept->fact[fact].dims;
    bool customs = telling->wider->fact[fact].customs && !telling->kept->fact[fact].customs;
    if (!measures && !dims && !customs) return;
    buffer_printf(&telling->item, "%s (", row->name);
    for (int i = 0, n = 0; i < row->n_measures; i++)
        if (measures >> i & 1) buffer_printf(&telling->item, "%s%s", n++ ? " " : "", row->measures[i].name);
    if (dims || customs) buffer_printf(&telling->item, "%sby", measures ? ", " : "");
    for (int i = 0; i < row->n_dims; i++)
        if (dims >> i & 1) buffer_printf(&telling->item, " %s", dimension_names[row->dims[i]]);
    buffer_printf(&telling->item, "%s)", customs ? " custom" : "");
    tell_item(telling);
}

void kept_write_added(const struct kept *kept, const struct kept *wider, const struct rules *rules, size_t most,
                      struct buffer *out)
{
    struct telling telling = { .kept = kept, .wider = wider, .out = out, .begun = out->len, .most = most };
    tell_customs(&telling, rules);
    for (int fact = 0; fact < N_FACTS; fact++) {
        if (!wider->fact[fact].on || kept->fact[fact].on) continue;
        buffer_str(&telling.item, fact_rows[fact].name);
        tell_item(&telling);
    }
    for (int fact = 0; fact < N_FACTS; fact++)
        if (kept->fact[fact].on) tell_more(&telling, fact);
    for (int list = 0; list < N_LISTS; list++) {
        if (!((wider->lists & ~kept->lists) >> list & 1)) continue;
        buffer_printf(&telling.item, "list %s", list_names[list]);
        tell_item(&telling);
    }
    if (telling.left_out) buffer_printf(out, " and %zu more", telling.left_out);
    buffer_deinit(&telling.item);
}
