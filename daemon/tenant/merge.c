/* Merged contacts point to another one each. A circle of such links is cut at its latest link; when a link of the circle
 * changes, it is healed. Each contact has at most one link, so a walk along the links finds the circle it is on. */
#include "daemon/tenant/fold.h"

/* Follows links from `id` until it comes to `contact`: true, it is on a circle. `latest` is then the contact, of those walked
 * over, whose link is the latest; `cut` the one whose link is cut (NULL: none). A circle elsewhere ends the walk at a marked step. */
struct walk {
    struct work *latest, *cut;
};

static const struct entity_event *link_of(const struct work *contact)
{
    return contact_link(&contact->entity);
}

static int compare_links(const struct work *a, const struct work *b)
{
    int c = event_compare(link_of(a), link_of(b));
    return c ? c : span_compare(a->entity.id, b->entity.id);
}

static void note_step(struct walk *walk, struct work *step)
{
    if (!walk->latest || compare_links(step, walk->latest) > 0) walk->latest = step;
    if (step->entity.link_cut) walk->cut = step;
}

/* Brent's way: a tortoise that jumps ahead at powers of two meets whoever runs in a circle without the contact. */
static bool walk_to(struct batch *batch, struct span id, const struct work *contact, struct walk *walk)
{
    const struct work *tortoise = NULL;
    for (uint64_t steps = 1, jump = 2; batch->outcome == DONE; steps++) {
        struct work *step = batch_work(batch, KIND_CONTACT, id);
        if (step == contact) return true;
        const struct entity_event *link = link_of(step);
        if (!link || step == tortoise) return false;
        note_step(walk, step);
        if (steps == jump) {
            tortoise = step;
            jump *= 2;
        }
        id = link->text;
    }
    return false;
}

static void set_cut(struct batch *batch, struct work *contact, bool cut)
{
    batch_touch(batch, contact);
    contact->entity.link_cut = cut;
}

void batch_relink(struct batch *batch, struct work *contact, const struct entity_event *old)
{
    struct walk before = { 0 }, now = { 0 };
    const struct entity_event *link = link_of(contact);
    if (old && walk_to(batch, old->text, contact, &before) && before.cut) set_cut(batch, before.cut, false);
    set_cut(batch, contact, false);
    if (!link || !walk_to(batch, link->text, contact, &now)) return;
    note_step(&now, contact);
    set_cut(batch, now.latest, true);
}
