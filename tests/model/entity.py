"""An entity: the set of its events, put in the contract's order, and what follows for every kind alike."""
from decimal import ROUND_HALF_UP, Decimal

from intake import decimals

OPENS = {"contact": "created", "account": "created", "deal": "created", "call": "completed missed", "meeting": "held", "email": "sent", "case": "opened",
         "interaction": "logged", "campaign": "started", "response": "received", "visit": "started", "goal": "set", "user": "created"}
OPENS_ELSE = {"contact": "updated", "account": "updated", "deal": "updated", "call": "scheduled", "meeting": "scheduled",
              "email": "delivered opened clicked replied bounced complained", "case": "updated", "campaign": "updated",
              "visit": "page_viewed goal_completed", "user": "signed_in"}
OF_THEIR_EVENT = {"list", "into", "score", "page"}  # no attributes of the entity


class Entity:
    """`events`: those that count (since it was last deleted), in order. `all`: all of them. `opening`: the event that created it, or None."""

    def __init__(self, kind, name, events):
        self.kind, self.name = kind, name
        self.all = sorted(events, key=lambda event: event.order)
        gone = max((n for n, e in enumerate(self.all) if e.verb in ("deleted", "removed")), default=-1)
        self.events = self.all[gone + 1:]
        first = next((e for e in self.events if self.opens(e)), None)
        self.deleted = gone >= 0 and first is None
        if first is None and not self.deleted:
            first = next((e for e in self.events if e.verb in OPENS_ELSE.get(kind, "").split()), None)
        self.opening, self.exists = first, first is not None
        self.created = first.at if first else None
        self.values = {}
        for event in self.events:
            self.values.update({k: v for k, v in event.data.items() if k not in OF_THEIR_EVENT})
        if kind == "campaign":
            self.values["campaign"] = name

    def opens(self, event):
        return event.verb in OPENS[self.kind].split()

    def get(self, name):
        return self.values.get(name)

    def first(self, *verbs):
        return next((e for e in self.events if e.verb in verbs), None)

    def last(self, *verbs):
        return next((e for e in reversed(self.events) if e.verb in verbs), None)

    def currency(self, default):
        return self.get("currency") or default

    def money(self, name, default):
        """The amount in the entity's currency, rounded half away from zero if that has fewer decimals; 0 where there is none."""
        value = self.get(name)
        if value is None:
            return Decimal(0)
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals(self.currency(default))), ROUND_HALF_UP)

    def milliseconds(self, name):
        value = self.get(name)
        return None if value is None else int(Decimal(str(value)) * 1000)
