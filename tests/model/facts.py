"""The facts of metrics.md: which there are, by which dimensions they can be grouped, and the rows of all entities of a tenant."""
from almanac import Almanac
from audit import AuditFacts
from entity import Entity
from marketing import MarketingFacts
from sales import SalesFacts
from service import ServiceFacts

D = ("owner", "team", "source", "campaign")
DEAL, CASE = "pipeline sale currency", "case_kind priority channel"
EMAILS = ("sent", "delivered", "opened", "clicked", "replied", "bounced", "complained")

# fact: (kinds of the entities whose D it has, further dimensions)
FACTS = {
    "lead": ("contact", ""), "lead_qualified": ("contact", ""), "lead_converted": ("contact", ""), "conversion": ("contact", ""),
    "lead_response": ("contact", ""), "lead_revenue": ("contact", "currency"), "lead_untouched": ("contact", ""),
    "list_joined": ("contact", "list"), "list_left": ("contact", "list"), "referral": ("contact", ""),
    "deal_created": ("deal", DEAL + " stage"), "deal_expected": ("deal", "pipeline stage currency"),
    "deal_won": ("deal", DEAL + " loss_reason competitor stage"), "deal_lost": ("deal", DEAL + " loss_reason competitor stage"),
    "stage_entered": ("deal", "pipeline stage currency"), "stage_left": ("deal", "pipeline stage currency"),
    "deal_entered": ("deal", "pipeline stage currency expected_month"), "deal_left": ("deal", "pipeline stage currency expected_month"),
    "stage_outcome": ("deal", "pipeline stage"), "proposal": ("deal", "pipeline currency"),
    "customer_new": ("deal", "pipeline sale currency"), "purchase": ("deal", "currency sale"),
    "customer_active": ("deal", ""), "customer_retained": ("deal", ""), "customer_kept": ("deal", ""),
    "account_churned": ("account", ""),
    "call": ("call", "purpose direction currency hour"), "call_lost": ("call", "purpose hour"), "callback": ("call", "purpose"),
    "activity": ("call meeting email", "activity"), "activity_due": ("call meeting", "activity"),
    "campaign_started": ("campaign", "currency channel"), "campaign_response": ("response email", "channel"),
    "case_opened": ("case", CASE), "case_resolved": ("case", CASE), "case_closed": ("case", CASE), "case_reopened": ("case", CASE),
    "case_response": ("case", CASE), "case_entered": ("case", CASE), "case_left": ("case", CASE),
    "promise_met": ("case", CASE + " promise"), "promise_missed": ("case", CASE + " promise"), "rating": ("case", "channel case_kind"),
    "service_contact": ("interaction call", "channel currency"), "visit": ("visit", "page"),
    "user_active": ("user", "user"), "user_entered": ("user", "user"), "user_left": ("user", "user"),
    "goal_set": ("goal", "pipeline metric currency"),
    "duplicate_contact": ("contact", ""), "double_submission": ("contact", ""),
    "overdue_deal": ("deal", "pipeline stage"), "stale_deal": ("deal", "pipeline stage"),
    "missing_value": (None, "kind attribute owner"), "unlisted_value": (None, "kind attribute owner"), "unknown_reference": (None, "kind"),
    "impossible_order": (None, "kind owner"), "record": (None, "kind owner event_source"),
    "rejected_event": (None, "reason"), "duplicate_event": (None, ""),
} | {"email_" + verb: ("email", "") for verb in EMAILS}


def dimensions(fact, custom):
    """Names of the dimensions of a fact, where `custom` are the attributes declared per kind."""
    kinds, more = FACTS[fact]
    if kinds is None:
        return set(more.split())
    return set(D) | set(more.split()) | {name for kind in kinds.split() for name in custom.get(kind, [])}


class Row:
    """A fact of `entity` on `day` (a date; None: of now; for facts per period: unit and first day), with dimensions and measures."""

    def __init__(self, fact, day, dims, measures, entity):
        self.fact, self.day, self.dims, self.measures, self.entity = fact, day, dims, measures, entity


class Facts(SalesFacts, ServiceFacts, MarketingFacts, AuditFacts):
    """All rows of one tenant at a clock (microseconds), by fact."""

    def __init__(self, entities, settings, clock):
        self.entities, self.settings, self.clock = entities, settings, clock
        self.almanac, self.default_currency = Almanac(settings), settings.get("currency", "EUR")
        self.today = self.almanac.date(clock)
        self.rows = {fact: [] for fact in FACTS}
        self.link_contacts()
        self.find_wins()
        for entity in self.entities.values():
            if self.stands(entity):
                getattr(self, "facts_of_" + entity.kind)(entity)
        self.facts_of_customers()
        self.audit()

    def of(self, kind):
        return [e for e in self.entities.values() if e.kind == kind and e.exists]

    def stands(self, entity):
        """It exists, and is not merged away."""
        return entity.exists and not (entity.kind == "contact" and entity.name in self.into)

    def add(self, fact, entity, at, more=None, **measures):
        """A row dated by an instant; `at` None: a fact of now."""
        self.put(fact, entity, None if at is None else self.almanac.date(at), more, **measures)

    def put(self, fact, entity, day, more=None, **measures):
        kinds = FACTS[fact][0]
        own = [name for name in self.settings.get("custom", {}).get(entity.kind, [])] if kinds else []
        dims = {name: entity.get(name) for name in (*D, *own)} if kinds else {}
        self.rows[fact].append(Row(fact, day, dims | (more or {}), {"count": 1} | measures, entity))

    @staticmethod
    def elapsed(begin, end):
        """Whole milliseconds, never below 0."""
        return max(0, end - begin) // 1000

    def money(self, entity, name="amount"):
        return entity.money(name, self.default_currency)

    def currency(self, entity):
        return entity.currency(self.default_currency)


def entities_of(events):
    """(kind, name): entity, of valid events without repeats."""
    by = {}
    for event in events:
        by.setdefault((event.kind, event.subject), []).append(event)
    return {key: Entity(*key, found) for key, found in by.items()}
