"""Findings of the audit, and the records with or without one."""
from vocabulary import ATTRIBUTES, REFERENCES

EXPECTED = {"contact": ["source", "owner", "email"], "deal": ["owner", "amount", "expected_close", "contact|account"], "case": ["owner"]}
FINDINGS = ("missing_value", "unlisted_value", "impossible_order", "overdue_deal", "stale_deal", "duplicate_contact", "double_submission")
ORDERED = {"deal": ("won", "lost"), "case": ("resolved", "responded")}


class AuditFacts:
    def audit(self):
        records = [e for e in self.entities.values() if self.stands(e)]
        self.duplicates([e for e in records if e.kind == "contact"])
        for entity in records:
            self.missing(entity)
            self.unlisted(entity)
            early = any(e.verb in ORDERED.get(entity.kind, ()) and e.at < entity.created for e in entity.events)
            if early or (entity.kind == "contact" and entity.name in self.cut):
                self.finding("impossible_order", entity)
        found = {row.entity for fact in FINDINGS for row in self.rows[fact]}
        for entity in records:
            more = {"kind": entity.kind, "owner": entity.get("owner"), "event_source": entity.opening.source}
            self.put("record", entity, None, more, clean=int(entity not in found))
        self.unknown_references()

    def finding(self, fact, entity, **more):
        self.put(fact, entity, None, {"kind": entity.kind, "owner": entity.get("owner")} | more)

    def missing(self, entity):
        for names in self.settings.get("expected", EXPECTED).get(entity.kind, []):
            if all(entity.get(name) is None for name in names.split("|")):
                self.finding("missing_value", entity, attribute=names)

    def unlisted(self, entity):
        known = ATTRIBUTES[entity.kind] + self.settings.get("custom", {}).get(entity.kind, [])
        for name, allowed in self.settings.get("lists", {}).items():
            values = entity.get(name) if name in known else None
            for value in values if isinstance(values, list) else [values]:
                if value is not None and value not in allowed:
                    self.finding("unlisted_value", entity, attribute=name)

    def known(self, kind, name):
        entity = self.entities.get((kind, name))
        return bool(entity and entity.exists) or (kind == "contact" and name in self.into)

    def unknown_references(self):
        wanted = set()
        for entity in self.entities.values():
            for name, kind in REFERENCES.items():
                own = name == entity.kind == "campaign"  # a campaign's own campaign is its id
                if entity.exists and name in ATTRIBUTES[entity.kind] and not own and entity.get(name) is not None:
                    wanted.add((kind, entity.get(name)))
            if entity.kind == "contact" and entity.exists and entity.name in self.into:
                wanted.add(("contact", self.into[entity.name]))
        wanted |= {key for key, entity in self.entities.items() if not entity.deleted}
        for kind, name in wanted:
            if not self.known(kind, name):
                some = next(iter(self.entities.values()))
                self.put("unknown_reference", some, None, {"kind": kind})

    def duplicates(self, contacts):
        contacts = sorted(contacts, key=lambda c: (c.opening.order, c.name.encode()))
        for n, contact in enumerate(contacts):
            emails = [o for o in contacts[:n] if email(o) is not None and email(o) == email(contact)]
            phones = [o for o in contacts[:n] if phone(o) is not None and phone(o) == phone(contact)]
            if emails or phones:
                self.put("duplicate_contact", contact, None)
            if any(contact.created - other.created <= 600_000_000 for other in emails):
                self.put("double_submission", contact, None)


def email(contact):
    return (contact.get("email") or "").strip().lower() or None


def phone(contact):
    return "".join(c for c in contact.get("phone") or "" if c in "0123456789") or None
