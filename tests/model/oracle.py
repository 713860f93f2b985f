"""A second, naive reading of the contract: all facts of a tenant, computed afresh from the list of all its events. Slow, obvious, and
sharing no line with the daemon. Understands what vocabulary.py can say; expects valid events of one tenant."""
import datetime
import itertools
import json
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from vocabulary import ATTRIBUTES, DECIMALS, REFERENCES

OPENS = {"contact": "created", "account": "created", "deal": "created", "call": "completed missed", "meeting": "held", "email": "sent",
         "case": "opened", "interaction": "logged", "campaign": "started", "response": "received", "visit": "started", "goal": "set", "user": "created"}
OPENS_ELSE = {"contact": "updated", "account": "updated", "deal": "updated", "call": "scheduled", "meeting": "scheduled",
              "email": "delivered opened clicked replied bounced complained", "case": "updated", "campaign": "updated",
              "visit": "page_viewed goal_completed", "user": "signed_in"}
SINGLE = {"list", "into", "score", "page"}  # belong to their event alone
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
OFFICE = {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}
EXPECTED = {"contact": ["source", "owner", "email"], "deal": ["owner", "amount", "expected_close", "contact|account"], "case": ["owner"]}


def micros(text):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round((at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(microseconds=1))


class Event:
    def __init__(self, raw, clock):
        self.kind, self.verb = raw["type"].split(".")[1:]
        self.id, self.source, self.at = raw["id"], raw["source"], micros(raw["time"]) if "time" in raw else clock
        self.data = {k: None if v == "" else v for k, v in raw.get("data", {}).items()}
        self.order = (self.at, raw.get("sequence", "").encode(), self.source.encode(), self.id.encode())


class Entity:
    """Its events since it was last deleted, in order; when it was created (None: not there); its current attributes."""

    def __init__(self, kind, name, events):
        unique = {}
        for event in events:
            unique.setdefault((event.source, event.id), event)
        self.kind, self.name, self.all = kind, name, sorted(unique.values(), key=lambda e: e.order)
        gone = max((n for n, e in enumerate(self.all) if e.verb in ("deleted", "removed")), default=-1)
        self.deleted = gone >= 0 and not any(self.opens(e) for e in self.all[gone + 1:])
        self.events = self.all[gone + 1:]
        openings = [e for e in self.events if self.opens(e)] or [e for e in self.events if e.verb in OPENS_ELSE.get(kind, "").split()]
        self.opening = openings[0] if openings and not self.deleted else None
        self.exists = self.opening is not None
        self.created = self.opening.at if self.exists else None
        self.now = {}
        for event in self.events:
            self.now.update({k: v for k, v in event.data.items() if k not in SINGLE})

    def opens(self, event):
        return event.verb in OPENS[self.kind].split()

    def get(self, name):
        return self.now.get(name)

    def first(self, *verbs):
        return next((e for e in self.events if e.verb in verbs), None)


class Oracle:
    """All facts of one tenant at a clock. `rows`: (fact, day or None, dimensions, measures, entity)."""

    def __init__(self, raws, settings, clock):
        self.clock, self.settings = micros(clock), settings
        self.zone = ZoneInfo(settings.get("time_zone", "UTC"))
        self.currency = settings.get("currency", "EUR")
        by = {}
        for raw in raws:
            event = Event(raw, self.clock)
            by.setdefault((event.kind, raw["subject"]), []).append(event)
        self.entities = {key: Entity(*key, events) for key, events in by.items()}
        self.merge()
        self.wins = [w for w in (self.close_of(d) + (d,) for d in self.of("deal")) if w[0] == "won"]
        self.rows = []
        for entity in self.entities.values():
            if entity.exists and entity.name not in (self.into if entity.kind == "contact" else ()):
                getattr(self, "facts_of_" + entity.kind, lambda _: None)(entity)
        self.facts_of_customers()
        self.audit()

    def of(self, kind):
        return [e for (k, _), e in self.entities.items() if k == kind and e.exists]

    def day(self, at):
        return str(datetime.datetime.fromtimestamp(at // 1_000_000, datetime.timezone.utc).astimezone(self.zone).date())

    def add(self, fact, entity, at, extra=None, **measures):
        dims = {name: entity.get(name) for name in ("owner", "team", "source", "campaign", "region", "product")}
        if entity.kind == "campaign":
            dims["campaign"] = entity.name
        day = at if at is None or isinstance(at, str) else self.day(at)
        self.rows.append((fact, day, dims | (extra or {}), {"count": 1} | measures, entity))

    @staticmethod
    def elapsed(a, b):
        return max(0, b - a) // 1000

    # --- business hours ---
    def instant_of(self, date, text):
        """The instant of a local time: in a gap that of the change, of two the first."""
        hours, minutes = map(int, text.split(":"))
        wall = datetime.datetime.combine(date, datetime.time()) + datetime.timedelta(hours=hours, minutes=minutes)
        found = [wall.replace(tzinfo=self.zone, fold=fold).timestamp() for fold in (0, 1)]
        real = datetime.datetime.fromtimestamp(found[0], self.zone).replace(tzinfo=None) == wall
        if real:
            return round(found[0]) * 1_000_000
        at = round(min(found))  # the clock is put forward over it: look for the first instant after the gap
        while datetime.datetime.fromtimestamp(at, self.zone).replace(tzinfo=None) < wall:
            at += 60
        return at * 1_000_000

    def business(self, a, b):
        """Milliseconds of business time between two instants."""
        local = [datetime.datetime.fromtimestamp(at // 1_000_000, self.zone).date() for at in (a, b)]
        total, date = 0, local[0] - datetime.timedelta(days=1)
        while a < b and date <= local[1]:
            if str(date) not in self.settings.get("holidays", []):
                for begin, end in self.settings.get("business_hours", OFFICE).get(WEEKDAYS[date.weekday()], []):
                    total += max(0, min(b, self.instant_of(date, end)) - max(a, self.instant_of(date, begin)))
            date += datetime.timedelta(days=1)
        return total // 1000

    # --- money ---
    def currency_of(self, entity):
        return entity.get("currency") or self.currency

    def money(self, entity, name="amount"):
        value = entity.get(name)
        unit = Decimal(1).scaleb(-DECIMALS.get(self.currency_of(entity), 2))
        return Decimal(str(value)).quantize(unit, ROUND_HALF_UP) if value is not None else Decimal(0)

    # --- contacts ---
    def merge(self):
        """self.into: contact -> where it is merged to, a cycle cut at its latest link; self.cut: those whose link was cut."""
        links = {}
        for (kind, name), entity in self.entities.items():
            merges = [e for e in (entity.all if entity.deleted else entity.events) if e.verb == "merged"] if kind == "contact" else []
            if merges:
                links[name] = merges[-1]
        self.cut = set()
        for start in list(links):
            seen, at = [], start
            while at in links and at not in seen:
                seen.append(at)
                at = links[at].data["into"]
            if at in seen:
                cycle = seen[seen.index(at):]
                latest = max(cycle, key=lambda name: (links[name].order, name))
                del links[latest]
                self.cut.add(latest)
        self.into = {name: event.data["into"] for name, event in links.items()}

    def survivor(self, name):
        while name in self.into:
            name = self.into[name]
        return name

    def facts_of_contact(self, contact):
        at = contact.created
        self.add("lead", contact, at)
        if contact.get("referred_by") or contact.get("source") == "referral":
            self.add("referral", contact, at)
        if qualified := contact.first("qualified"):
            self.add("lead_qualified", contact, qualified.at)
        lists = set()
        for event in contact.events:
            name = event.data.get("list") or "main"
            if event.verb == "subscribed" and name not in lists:
                lists.add(name)
                self.add("list_joined", contact, event.at, {"list": name})
            if event.verb == "unsubscribed" and name in lists:
                lists.discard(name)
                self.add("list_left", contact, event.at, {"list": name})
        wins = [w for w in self.wins if w[2].get("contact") is not None and self.survivor(w[2].get("contact")) == contact.name]
        if wins:
            first = min(event.at for _, event, _ in wins)
            self.add("lead_converted", contact, at)
            self.add("conversion", contact, first, seconds=self.elapsed(at, first))
        for _, event, deal in wins:
            self.add("lead_revenue", contact, event.at, {"currency": self.currency_of(deal)}, amount=self.money(deal))
        touches = self.touches(contact)
        if touches:
            self.add("lead_response", contact, min(touches), seconds=self.elapsed(at, min(touches)))
        elif not wins:
            self.add("lead_untouched", contact, None)

    def touches(self, contact):
        """Instants of completed calls, held meetings and sent emails naming it, from its creation on."""
        found = []
        for kind, verb in (("call", "completed"), ("meeting", "held"), ("email", None)):
            for entity in self.of(kind):
                done = entity.first(verb) if verb else entity.opening
                if done and entity.get("contact") is not None and self.survivor(entity.get("contact")) == contact.name:
                    found.append(done.at)
        return [at for at in found if at >= contact.created]

    # --- accounts, deals, customers ---
    def facts_of_account(self, account):
        churned = [e for e in account.events if e.verb == "churned"]
        if churned:
            self.add("account_churned", account, churned[-1].at)

    @staticmethod
    def close_of(deal):
        """("won" | "lost" | None, the event that set it)"""
        status, by = None, None
        for event in deal.events:
            if event.verb in ("won", "lost") and status != event.verb:
                status, by = event.verb, event
            elif event.verb == "reopened" and status:
                status, by = None, None
        return status, by

    def facts_of_deal(self, deal):
        currency, amount, cost = self.currency_of(deal), self.money(deal), self.money(deal, "cost")
        extra = {"pipeline": deal.get("pipeline") or "default", "sale": deal.get("sale") or "new", "currency": currency}
        calls = len([c for c in self.of("call") if c.first("completed") and c.get("deal") == deal.name and self.purpose(c) == "sales"])
        stay, stages = self.stages(deal, extra, amount)
        self.add("deal_created", deal, deal.created, extra | {"stage": deal.get("stage")}, amount=amount, calls=calls)
        status, by = self.close_of(deal)
        if status:
            why = {"loss_reason": deal.get("loss_reason"), "competitor": deal.get("competitor")}
            self.add("deal_" + status, deal, by.at, extra | why, amount=amount, cost=cost, calls=calls, seconds=self.elapsed(deal.created, by.at))
            for stage in stages:
                self.add("stage_outcome", deal, by.at, {"pipeline": extra["pipeline"], "stage": stage}, won=status == "won")
        elif deal.get("expected_close"):
            self.add("deal_expected", deal, deal.get("expected_close"), extra | {"stage": stay}, amount=amount)
        for event in deal.events:
            if event.verb == "proposal_sent":
                self.add("proposal", deal, event.at, extra, amount=amount)
        if not status:
            at = extra | {"stage": deal.get("stage")}
            if deal.get("expected_close") and deal.get("expected_close") < self.day(self.clock):
                self.add("overdue_deal", deal, None, at)
            if self.clock - deal.events[-1].at >= self.settings.get("stale_after", 30) * 86400_000_000:
                self.add("stale_deal", deal, None, at)

    def stages(self, deal, extra, amount):
        """Adds the entries and leavings of stages; returns the stage it is open in now and all it was ever open in."""
        stage, since, status, born, seen = None, None, None, False, []
        extra = extra | {"expected_month": (deal.get("expected_close") or "")[:7] or None}

        def enter(event):
            nonlocal since
            since = event.at
            seen.append(stage)
            self.add("stage_entered", deal, event.at, extra | {"stage": stage}, amount=amount)

        def leave(event):
            self.add("stage_left", deal, event.at, extra | {"stage": left}, amount=amount, seconds=self.elapsed(since, event.at))
        for event in deal.events:
            left, stage = stage, event.data.get("stage", stage)
            inside = born and status is None
            if event.verb in ("won", "lost"):
                if inside:
                    leave(event)
                status = event.verb
            elif event.verb == "reopened" and status:
                status = None
                born = born or event is deal.opening
                if born:
                    enter(event)
                continue
            elif inside and stage != left:
                leave(event)
                enter(event)
            if event is deal.opening:
                born = True
                if status is None:
                    enter(event)
        return stage, dict.fromkeys(seen)

    def facts_of_customers(self):
        customers = {}
        for _, event, deal in self.wins:
            account, contact = deal.get("account"), deal.get("contact")
            key = ("account", account) if account is not None else ("contact", self.survivor(contact)) if contact is not None else None
            if key:
                customers.setdefault(key, []).append((event.order, deal.name.encode(), deal))
        for wins in customers.values():
            wins.sort(key=lambda win: win[:2])
            first = wins[0][2]
            dims = {"pipeline": first.get("pipeline") or "default", "sale": first.get("sale") or "new"}
            self.add("customer_new", first, wins[0][0][0], dims | {"currency": self.currency_of(first)})
            for order, _, deal in wins:
                self.add("purchase", first, order[0], {"currency": self.currency_of(deal), "sale": deal.get("sale") or "new"}, amount=self.money(deal))

    # --- activities ---
    @staticmethod
    def purpose(call):
        return call.get("purpose") or ("service" if call.get("case") is not None else "sales")

    def hour(self, at):
        return datetime.datetime.fromtimestamp(at // 1_000_000, datetime.timezone.utc).astimezone(self.zone).strftime("%H")

    def due(self, entity, activity, *done):
        plans = [e.verb for e in entity.events if e.verb in ("scheduled", "cancelled")]
        if entity.get("due") and not entity.first(*done) and plans and plans[-1] == "scheduled":
            self.add("activity_due", entity, micros(entity.get("due")), {"activity": activity})

    @staticmethod
    def milliseconds(value):
        return None if value is None else int(Decimal(str(value)) * 1000)

    def facts_of_call(self, call):
        done, missed = call.first("completed"), call.first("missed")
        extra = {"purpose": self.purpose(call), "direction": call.get("direction")}
        if done:
            duration, wait = self.milliseconds(call.get("duration_s")), self.milliseconds(call.get("wait_s"))
            self.add("call", call, done.at, extra | {"hour": self.hour(done.at)}, duration=duration, wait=wait)
            self.add("activity", call, done.at, {"activity": "call"})
            if extra["purpose"] == "service":
                self.service_contact(call, done.at, "call")
        elif missed and call.get("direction") != "outbound":
            self.add("call_lost", call, missed.at, {"purpose": extra["purpose"], "hour": self.hour(missed.at)})
        if call.get("callback") and (done or missed):
            self.add("callback", call, (done or missed).at, {"purpose": extra["purpose"]})
        self.due(call, "call", "completed", "missed")

    def service_contact(self, entity, at, channel):
        costed = entity.get("cost") is not None
        self.add("service_contact", entity, at, {"channel": channel, "currency": self.currency_of(entity)}, costed=costed, cost=self.money(entity, "cost"))

    def facts_of_interaction(self, interaction):
        self.service_contact(interaction, interaction.created, interaction.get("channel"))

    def facts_of_meeting(self, meeting):
        if held := meeting.first("held"):
            self.add("activity", meeting, held.at, {"activity": "meeting"})
        self.due(meeting, "meeting", "held")

    def facts_of_email(self, email):
        sent = email.opening.at  # of one whose sending nobody told: the first that was heard of it
        self.add("activity", email, sent, {"activity": "email"})
        for verb in {e.verb for e in email.events} | {"sent"}:
            self.add("email_" + verb, email, sent)
        answer = email.first("clicked", "replied")
        if answer and email.get("campaign") is not None:
            self.add("campaign_response", email, answer.at, {"channel": "email"})

    def facts_of_campaign(self, campaign):
        self.add("campaign_started", campaign, campaign.created, {"channel": campaign.get("channel"), "currency": self.currency_of(campaign)},
                 cost=self.money(campaign, "cost"))

    def facts_of_response(self, response):
        self.add("campaign_response", response, response.created, {"channel": response.get("channel")})

    def facts_of_visit(self, visit):
        pages = [e for e in visit.events if e.verb == "page_viewed"]
        page = next((e.data["page"] for e in visit.events if e.data.get("page")), None)
        goal = any(e.verb == "goal_completed" for e in visit.events)
        first, last = visit.events[0].at, visit.events[-1].at
        self.add("visit", visit, first, {"page": page}, pages=len(pages), seconds=self.elapsed(first, last), with_goal=goal)

    # --- cases ---
    def facts_of_case(self, case):
        extra = {name: case.get(name) for name in ("case_kind", "priority", "channel")}
        resolved = closed = None
        born, inside = False, False
        for event in case.events:
            if event.verb in ("resolved", "closed") and not resolved:
                resolved = event
                if inside:
                    self.add("case_open", case, event.at, extra, level=-1)
                inside = False
            if event.verb == "closed" and not closed:
                closed = event
            if event.verb == "reopened" and resolved:
                resolved = closed = None
                self.add("case_reopened", case, event.at, extra)
            born = born or event is case.opening
            if born and not resolved and not inside:
                inside = True
                self.add("case_open", case, event.at, extra, level=1)
        self.add("case_opened", case, case.created, extra)
        for fact, event in (("case_resolved", resolved), ("case_closed", closed)):
            if event:
                self.add(fact, case, event.at, extra, seconds=self.elapsed(case.created, event.at), same_day=self.day(case.created) == self.day(event.at),
                         business_seconds=self.business(case.created, event.at))
        response = next((e for e in case.events if e.verb == "responded" and e.at >= case.created), None)
        if response:
            self.add("case_response", case, response.at, extra, seconds=self.elapsed(case.created, response.at))
        for promise, settled in (("response", response), ("resolve", resolved)):
            self.promise(case, promise, settled, extra)
        if rated := [e for e in case.events if e.verb == "rated"]:
            self.add("rating", case, rated[-1].at, {"channel": extra["channel"], "case_kind": extra["case_kind"]}, score=rated[-1].data["score"])

    def promise(self, case, promise, settled, extra):
        due = case.get(promise + "_due")
        if due is None:
            return
        due, extra = micros(due), extra | {"promise": promise}
        if settled and settled.at <= due:
            self.add("promise_met", case, settled.at, extra)
        elif settled or due < self.clock:
            self.add("promise_missed", case, due, extra)

    def facts_of_user(self, user):
        inside, born = False, False
        for event in user.events:
            born = born or event is user.opening
            if born and (event is user.opening or event.verb == "created") and not inside:
                inside = True
                self.add("user", user, event.at, level=1)
            elif event.verb == "deactivated" and inside:
                inside = False
                self.add("user", user, event.at, level=-1)

    # --- audit ---
    def audit(self):
        """Every finding is a row; a record knows whether there is one about it."""
        standing = [e for e in self.entities.values() if e.exists and not (e.kind == "contact" and e.name in self.into)]
        self.duplicates([e for e in standing if e.kind == "contact"])
        for entity in standing:
            for names in EXPECTED.get(entity.kind, []):
                if all(entity.get(name) is None for name in names.split("|")):
                    self.add("missing_value", entity, None, {"kind": entity.kind, "attribute": names})
            for name, allowed in self.settings.get("lists", {}).items():
                known = ATTRIBUTES[entity.kind] + ["product", "region"]
                values = entity.get(name) if name in known else None
                for value in values if isinstance(values, list) else [values]:
                    if value is not None and value not in allowed:
                        self.add("unlisted_value", entity, None, {"kind": entity.kind, "attribute": name})
            if self.impossible(entity):
                self.add("impossible_order", entity, None, {"kind": entity.kind})
            bad = any(row[4] is entity for row in self.rows if row[0] in FINDINGS)
            self.add("record", entity, None, {"kind": entity.kind, "event_source": entity.opening.source}, good=not bad)
        self.unknown_references()

    def impossible(self, entity):
        verbs = {"deal": ("won", "lost"), "case": ("resolved", "responded")}.get(entity.kind, ())
        return any(e.verb in verbs and e.at < entity.created for e in entity.events) or (entity.kind == "contact" and entity.name in self.cut)

    def unknown_references(self):
        wanted = set()
        for entity in self.entities.values():
            for name, kind in REFERENCES.items():
                own = name == entity.kind == "campaign"  # a campaign's own campaign is its id
                if name != "into" and not own and name in ATTRIBUTES[entity.kind] and entity.exists and entity.get(name) is not None:
                    wanted.add((kind, entity.get(name)))
        wanted |= {("contact", self.into[e.name]) for e in self.of("contact") if e.name in self.into}
        unknown = {key for key in wanted if not (key in self.entities and self.entities[key].exists) and not (key[0] == "contact" and key[1] in self.into)}
        unknown |= {key for key, e in self.entities.items() if not e.exists and not e.deleted and not (key[0] == "contact" and key[1] in self.into)}
        for kind, _ in unknown:
            self.rows.append(("unknown_reference", None, {"kind": kind}, {"count": 1}, None))

    def duplicates(self, contacts):
        def same(a, b, name, clean):
            return None not in (a.get(name), b.get(name)) and clean(a.get(name)) == clean(b.get(name)) != ""

        def email(a, b):
            return same(a, b, "email", lambda v: v.strip().lower())

        def phone(a, b):
            return same(a, b, "phone", lambda v: "".join(filter(str.isdigit, v)))
        for contact in contacts:
            older = [o for o in contacts if (o.opening.order, o.name.encode()) < (contact.opening.order, contact.name.encode())]
            if any(email(o, contact) or phone(o, contact) for o in older):
                self.add("duplicate_contact", contact, None)
            if any(email(o, contact) and contact.created - o.created <= 600_000_000 for o in older):
                self.add("double_submission", contact, None)

    # --- forecast ---
    def probability(self, pipeline, stage):
        closed = [r[3]["won"] for r in self.rows if r[0] == "stage_outcome" and (r[2]["pipeline"], r[2]["stage"]) == (pipeline, stage)]
        return min(max(Fraction(sum(closed) + 1, len(closed) + 2), Fraction(5, 100)), Fraction(95, 100))

    def forecast(self, how, rows):
        """Won, and of what is open all of it, the likely, or each amount by its stage's probability, rounded once per stage and currency."""
        total, parts = {}, {}
        for fact, _, dims, measures, _ in rows:
            key = (dims["pipeline"], dims["stage"], dims["currency"]) if fact == "deal_expected" else (None, None, dims["currency"])
            parts[key] = parts.get(key, 0) + measures["amount"]
        for (pipeline, stage, currency), amount in parts.items():
            chance = Fraction(1) if pipeline is None or how == "best_case" else self.probability(pipeline, stage)
            if how == "commit":
                chance = Fraction(chance >= Fraction(7, 10))
            exact = Fraction(amount) * chance * 10 ** DECIMALS[currency]
            minor = (abs(exact) * 2 + 1) // 2 * (1 if exact >= 0 else -1)
            total[currency] = total.get(currency, 0) + Decimal(int(minor)).scaleb(-DECIMALS[currency])
        return {c: v for c, v in total.items() if v}


FINDINGS = ("missing_value", "unlisted_value", "impossible_order", "overdue_deal", "stale_deal", "duplicate_contact", "double_submission")


def counts(fact, **where):
    return ("count", [fact], where)


# metric: (how, facts, filter)
METRICS = {
    "leads": counts("lead"), "qualified_leads": counts("lead_qualified"), "converted_leads": counts("lead_converted"),
    "lead_revenue": ("amount", ["lead_revenue"], {}), "untouched_leads": counts("lead_untouched"),
    "days_to_convert": ("seconds/days", ["conversion"], {}), "lead_response_time": ("seconds/hours", ["lead_response"], {}),
    "new_customers": counts("customer_new"), "customer_referrals": counts("referral"), "churned": counts("account_churned"),
    "won_deals": counts("deal_won"), "lost_deals": counts("deal_lost"), "revenue": ("amount", ["deal_won"], {}),
    "new_revenue": ("amount", ["deal_won"], {"sale": "new"}), "lost_amount": ("amount", ["deal_lost"], {}), "cost": ("cost", ["deal_won"], {}),
    "sales_cycle": ("seconds/days", ["deal_won", "deal_lost"], {}), "won_cycle": ("seconds/days", ["deal_won"], {}),
    "sales_calls_per_opportunity": ("calls/count", ["deal_created"], {}), "sales_calls_per_won_deal": ("calls/count", ["deal_won"], {}),
    "stage_duration": ("seconds/days", ["stage_left"], {}), "entered": counts("stage_entered"), "left": counts("stage_left"),
    "proposals": counts("proposal"), "proposal_amount": ("amount", ["proposal"], {}),
    "calls": counts("call"), "sales_calls": counts("call", purpose="sales"), "calls_lost": counts("call_lost"), "customer_callbacks": counts("callback"),
    "call_handling_time": ("duration/seconds", ["call"], {"purpose": "service"}), "speed_of_answer": ("wait/seconds", ["call"], {"direction": "inbound"}),
    "activities": counts("activity"), "activities_due": counts("activity_due"),
    "emails_sent": counts("email_sent"), "emails_delivered": counts("email_delivered"), "emails_opened": counts("email_opened"),
    "emails_clicked": counts("email_clicked"), "emails_replied": counts("email_replied"), "emails_bounced": counts("email_bounced"),
    "emails_complained": counts("email_complained"), "campaigns": counts("campaign_started"), "campaign_responses": counts("campaign_response"),
    "campaign_cost": ("cost", ["campaign_started"], {}), "visits": counts("visit"), "page_views": ("sum pages", ["visit"], {}),
    "time_per_visit": ("seconds/seconds", ["visit"], {}), "web_goal_rate": ("with_goal/count", ["visit"], {}),
    "cases_opened": counts("case_opened"), "cases_handled": counts("case_resolved"), "cases_reopened": counts("case_reopened"),
    "cases_closed_same_day": ("sum same_day", ["case_closed"], {}), "cases_resolved_same_day": ("sum same_day", ["case_resolved"], {}),
    "same_day_rate": ("same_day/count", ["case_closed"], {}), "resolution_time": ("seconds/hours", ["case_resolved"], {}),
    "complaint_resolution_time": ("seconds/hours", ["case_resolved"], {"case_kind": "complaint"}), "response_time": ("seconds/hours", ["case_response"], {}),
    "customer_satisfaction": ("score/count", ["rating"], {}),
    "records": counts("record"), "missing_values": counts("missing_value"), "unlisted_values": counts("unlisted_value"),
    "unknown_references": counts("unknown_reference"), "impossible_order": counts("impossible_order"),
    "quality": ("good/count", ["record"], {}), "double_submissions": counts("double_submission"),
    "forecast": ("forecast", ["deal_won", "deal_expected"], {}), "best_case": ("best_case", ["deal_won", "deal_expected"], {}),
    "commit": ("commit", ["deal_won", "deal_expected"], {}), "resolution_business_time": ("business_seconds/hours", ["case_resolved"], {}),
    "duplicate_contacts": counts("duplicate_contact"), "overdue_deals": counts("overdue_deal"), "stale_deals": counts("stale_deal"),
}
LEVELS = {"open_deals": ("count", {"stage_entered": 1, "stage_left": -1}), "open_amount": ("amount", {"stage_entered": 1, "stage_left": -1}),
          "open_cases": ("level", {"case_open": 1}), "users": ("level", {"user": 1}), "subscribers": ("count", {"list_joined": 1, "list_left": -1})}
SCALE = {"days": 86400_000, "hours": 3600_000, "seconds": 1000}


def value_of(oracle, how, rows):
    """The metric's value over rows, money as {currency: Decimal}, else a number or None."""
    if how in ("forecast", "best_case", "commit"):
        return oracle.forecast(how, rows)
    if how in ("amount", "cost"):
        total = {}
        for _, _, dims, measures, _ in rows:
            total[dims["currency"]] = total.get(dims["currency"], 0) + measures[how]
        return {c: v for c, v in total.items() if v}
    if how == "count":
        return len(rows)
    if how.startswith("sum "):
        return sum(int(measures[how[4:]]) for *_, measures, _ in rows)
    measure, unit = how.split("/")
    values = [measures[measure] for *_, measures, _ in rows if measures[measure] is not None]
    return float(sum(values)) / len(values) / SCALE.get(unit, 1) if values else None


def group(rows, by):
    found = {}
    for row in rows:
        found.setdefault(tuple(row[1] if name == "day" else row[2].get(name) for name in by), []).append(row)
    return found


def order_of(key):
    return [(label is None, (label or "").encode()) for label in key]


def answer(oracle, metric, by, until=None):
    """[(labels, value)] of all time, by dimensions and perhaps `day`; a level at the end of the day `until`."""
    if metric in LEVELS:
        how, signs = LEVELS[metric]
        result = []
        for key, rows in group([r for r in oracle.rows if r[0] in signs and r[1] <= until], by).items():
            sums = [(signs[r[0]] * r[3].get("level", 1), r[3].get("amount", 0), r[2].get("currency")) for r in rows]
            if how == "amount":
                total = {c: sum(s * a for s, a, d in sums if d == c) for _, _, c in sums}
                value = {c: v for c, v in total.items() if v}
            else:
                value = sum(s for s, _, _ in sums)
            if sum(s for s, _, _ in sums):
                result.append((key, value))
        return sorted(result, key=lambda row: order_of(row[0])) if by else result or [((), {} if how == "amount" else 0)]
    how, facts, where = METRICS[metric]
    rows = [r for r in oracle.rows if r[0] in facts and all(r[2].get(k) == v for k, v in where.items())]
    result = [(key, value_of(oracle, how, part)) for key, part in group(rows, by).items()]
    return sorted(result, key=lambda row: order_of(row[0])) if by else result or [((), value_of(oracle, how, []))]


def knows(oracle, metric, by):
    """Do all the facts behind the metric carry these dimensions?"""
    facts = LEVELS[metric][1] if metric in LEVELS else METRICS[metric][1]
    return all(name == "day" or name in row[2] for row in oracle.rows if row[0] in facts for name in by)


def parse(line):
    return json.loads(line, parse_float=Decimal)


def agrees(want, got):
    if isinstance(want, dict):
        return isinstance(got, dict) and {c: Decimal(v) for c, v in got.items()} == want
    if want is None or got is None:
        return want is got
    return abs(Decimal(want) - Decimal(got)) <= Decimal("1e-9") * abs(Decimal(want))


def compare(want, rows, by):
    """None, or what differs between the oracle's rows and the daemon's."""
    for mine, theirs in itertools.zip_longest(want, rows):
        if mine is None or theirs is None or tuple(theirs[name] for name in by) != mine[0] or not agrees(mine[1], theirs["value"]):
            return "oracle %s, daemon %s" % (mine, theirs)
    return None
