"""Lives of a CRM's entities: what happens to a contact, an account, a deal, a call, an email, a case, from its first day
to its last, the ordinary way and the nasty ways."""
from vocabulary import OWN, VERBS, WORDS, Values, money

HOUR, DAY = 3600, 86400
HOURS_OF_DAY = [1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 16, 14, 10, 14, 16, 15, 12, 9, 6, 5, 4, 3, 2, 2]  # how busy each hour is


class Tenant:
    """One tenant's world: its people, its ids, and the events that happen in it, collected in `self.events`."""

    def __init__(self, name, rng, start, end, currencies):
        self.name, self.rng, self.start, self.end = name, rng, start, end
        self.currencies, self.currency = currencies, rng.choice(currencies)
        self.owners = ["u%d" % n for n in range(1, rng.randrange(4, 16))]
        self.team_of = {owner: rng.choice(WORDS["team"]) for owner in self.owners}
        self.count = dict.fromkeys(VERBS, 0)
        self.count["campaign"] = 6
        self.events = []
        self.serial = 0
        self.values = Values(rng, self.owners, currencies, self.currency, self.reference)

    def reference(self, kind):
        """An id of the kind: mostly one that is there, sometimes one that will come or never comes."""
        known = self.count[kind]
        top = known + 2 if self.rng.random() < 0.03 or known == 0 else known
        recent = max(0, top - 200)
        return "%s-%d" % (kind[0].upper() + kind[1:2], self.rng.randrange(recent, top) + 1)

    def new_id(self, kind):
        self.count[kind] += 1
        return "%s-%d" % (kind[0].upper() + kind[1:2], self.count[kind])

    def moment(self, earliest=None, span=None):
        """An instant in office hours more often than at night; within `span` seconds after `earliest` if given."""
        rng = self.rng
        if earliest is not None:
            return earliest + rng.random() ** 2 * span
        day = self.start + rng.randrange((self.end - self.start) // DAY) * DAY
        return day + rng.choices(range(24), HOURS_OF_DAY)[0] * HOUR + rng.random() * HOUR


class Life:
    """The events of one entity, in the order in which it lives."""

    def __init__(self, tenant, kind, subject=None):
        self.tenant, self.kind, self.rng = tenant, kind, tenant.rng
        self.subject = subject or tenant.new_id(kind)
        self.source = self.rng.choice(["/crm/a", "/crm/a", "/crm/b", "/import"])
        self.tick = 0

    def happens(self, at, verb, **data):
        """Adds an event. Some share their instant with the one before and are told apart by sequence, source or id."""
        tenant, rng = self.tenant, self.rng
        if at >= tenant.end:
            return
        tenant.serial += 1
        self.tick += 1
        for name in OWN.get((self.kind, verb), ()):
            if rng.random() < 0.6:
                data[name] = tenant.values.of(name, at)
        event = {"kind": self.kind, "verb": verb, "subject": self.subject, "at": at, "source": self.source,
                 "id": "e%d" % tenant.serial, "data": data}
        if rng.random() < 0.2:
            event["sequence"] = "%06d" % self.tick
        tenant.events.append(event)

    def some(self, names, at, share=0.7):
        return {name: self.tenant.values.of(name, at) for name in names.split() if self.rng.random() < share}

    def tie(self, at, verb_a, data_a, verb_b, data_b):
        """Two events at the very same time, decided by sequence, by source or by id."""
        rng = self.rng
        self.happens(at, verb_a, **data_a)
        self.happens(at, verb_b, **data_b)
        if at >= self.tenant.end:
            return
        first, second = self.tenant.events[-2:]
        way = rng.randrange(3)
        if way == 0:
            first["sequence"], second["sequence"] = "2", "10"  # as text: "10" < "2"
        else:
            first.pop("sequence", None), second.pop("sequence", None)
            if way == 1:
                first["source"], second["source"] = "/z", "/crm"

    def owned(self):
        owner = self.rng.choice(self.tenant.owners)
        return {"owner": owner, "team": self.tenant.team_of[owner]} if self.rng.random() < 0.95 else {}

    def end_badly(self, at, again, **data):
        """Deleted; perhaps written to afterwards; perhaps created again."""
        self.happens(at, "deleted")
        if self.rng.random() < 0.3:
            self.happens(at + self.rng.random() * DAY, "updated" if self.kind in ("contact", "account", "deal", "case") else again, **self.owned())
        if self.rng.random() < 0.4:
            self.happens(at + self.rng.random() * 3 * DAY, again, **data)


def contact(tenant):
    life, rng, at = Life(tenant, "contact"), tenant.rng, tenant.moment()
    known = life.some("email phone name source account campaign", at, 0.8) | life.owned()
    if rng.random() < 0.1:
        known |= life.some("referred_by tags region", at)
    life.happens(at, "updated" if rng.random() < 0.05 else "created", **known)  # some are never created
    for verb, share in (("updated", 0.4), ("qualified", 0.5), ("subscribed", 0.4), ("unsubscribed", 0.12), ("subscribed", 0.05)):
        if rng.random() < share:
            at = tenant.moment(at, 20 * DAY)
            change = life.some("owner source email phone", at, 0.4) if verb == "updated" else {}
            life.happens(at, verb, **change)
    while rng.random() < 0.04:  # merged, perhaps into one that is merged itself or will be: chains and cycles
        at = tenant.moment(at, 30 * DAY)
        life.happens(at, "merged", into=tenant.reference("contact"))
    if rng.random() < 0.02:
        life.end_badly(tenant.moment(at, 10 * DAY), "created", **life.owned())


def account(tenant):
    life, rng, at = Life(tenant, "account"), tenant.rng, tenant.moment()
    life.happens(at, "created", **life.some("name industry source campaign", at), **life.owned())
    if rng.random() < 0.3:
        at = tenant.moment(at, 60 * DAY)
        life.happens(at, "updated", industry=rng.choice(["retail", "steel", None]))
    for _ in range(2 if rng.random() < 0.02 else rng.random() < 0.12):
        at = tenant.moment(at, 60 * DAY)
        life.happens(at, "churned")
    if rng.random() < 0.02:
        life.end_badly(at + DAY, "created")


def deal_begins(life, at):
    rng, tenant = life.rng, life.tenant
    currency = tenant.currency if rng.random() < 0.85 else rng.choice(tenant.currencies)
    data = life.some("stage pipeline sale contact account source campaign expected_close region", at) | life.owned()
    data["amount"] = money(rng, currency)
    if currency != tenant.currency:
        data["currency"] = currency
    if rng.random() < 0.3:
        data["cost"] = money(rng, currency, 900)
    if rng.random() < 0.04:
        del data["amount"]
    life.currency = currency
    life.happens(at, "updated" if rng.random() < 0.03 else "created", **data)


def deal_changes(life, at):
    """A step on the way: another stage, a proposal, another owner, a correction, another currency."""
    rng, tenant = life.rng, life.tenant
    what = rng.random()
    if what < 0.5:
        life.happens(at, "stage_changed", stage=rng.choice(WORDS["stage"]))
    elif what < 0.7:
        life.happens(at, "proposal_sent", **life.some("amount", at, 0.1))
    elif what < 0.85:
        life.happens(at, "updated", **life.owned())
    elif what < 0.95:
        life.happens(at, "updated", **life.some("expected_close contact account pipeline competitor", at, 0.4))
    else:
        life.currency = rng.choice(tenant.currencies)
        amount = {} if rng.random() < 0.3 else {"amount": money(rng, life.currency)}
        life.happens(at, "updated", currency=life.currency, **amount)


def deal_ends(life, at):
    rng = life.rng
    won = rng.random() < 0.55
    data = {"amount": money(rng, life.currency), "currency": life.currency} if won and rng.random() < 0.3 else {}
    if not won:
        data = life.some("loss_reason competitor", at, 0.8)
    life.happens(at, "won" if won else "lost", **data)
    if rng.random() < 0.05:
        life.happens(at + rng.random() * DAY, "won" if won else "lost")  # said twice
    if rng.random() < 0.03:
        life.tie(at + DAY, "lost", {"loss_reason": "price"}, "won", {})


def deal(tenant):
    life, rng, at = Life(tenant, "deal"), tenant.rng, tenant.moment()
    if rng.random() < 0.03:  # won before it was entered
        life.currency = tenant.currency
        deal_ends(life, at - rng.random() * 5 * DAY if at - 5 * DAY > tenant.start else at)
    deal_begins(life, at)
    for _ in range(rng.randrange(0, 6)):
        at = tenant.moment(at, 25 * DAY)
        deal_changes(life, at)
    while rng.random() < 0.65:
        at = tenant.moment(at, 30 * DAY)
        deal_ends(life, at)
        if rng.random() > 0.12:
            break
        at = tenant.moment(at, 10 * DAY)
        life.happens(at, "reopened", **life.some("stage", at, 0.2))
    if rng.random() < 0.02:
        life.end_badly(tenant.moment(at, 10 * DAY), "created", amount=7, stage="talk", owner="u1")


def call(tenant):
    life, rng, at = Life(tenant, "call"), tenant.rng, tenant.moment()
    about = life.some("direction purpose", at, 0.8) | life.some("deal case contact", at, 0.45) | life.owned()
    if rng.random() < 0.25:
        life.happens(at, "scheduled", due=tenant.values.of("due", at), **about)
        at, about = tenant.moment(at, 6 * DAY), {}
        if rng.random() < 0.15:
            life.happens(at, "cancelled")
            if rng.random() < 0.5:
                return
            life.happens(at + HOUR, "scheduled", due=tenant.values.of("due", at))
    said = life.some("duration_s wait_s", at, 0.9) | life.some("callback", at, 0.1)
    if rng.random() < 0.1:
        said |= {"cost": money(rng, tenant.currency, 40), "currency": tenant.currency}
    verbs = rng.choices([["completed"], ["missed"], ["missed", "completed"], []], [75, 15, 4, 6])[0]
    for verb in verbs:
        life.happens(at, verb, **about, **said)
        at, about, said = at + rng.random() * DAY, {}, {}
    if rng.random() < 0.01:
        life.end_badly(at, "completed", duration_s=30)


def email(tenant):
    life, rng, at = Life(tenant, "email"), tenant.rng, tenant.moment()
    verbs = [verb for verb, share in (("sent", 0.97), ("delivered", 0.9), ("opened", 0.45), ("opened", 0.1), ("clicked", 0.15),
                                      ("replied", 0.08), ("bounced", 0.03), ("complained", 0.01)) if rng.random() < share]
    data = life.some("contact campaign", at, 0.7) | life.some("deal case", at, 0.15) | life.owned()
    for verb in verbs:
        life.happens(at, verb, **data)
        at, data = tenant.moment(at, 2 * DAY), {}
    if rng.random() < 0.01:
        life.end_badly(at, "sent")


def case_settles(life, at):
    """Resolved and closed, perhaps reopened, perhaps rated; returns the instant of the last step."""
    rng, tenant = life.rng, life.tenant
    if rng.random() < 0.75:
        at = tenant.moment(at, 4 * DAY)
        life.happens(at, "resolved")
    if rng.random() < 0.7:
        at = tenant.moment(at, 2 * DAY)
        life.happens(at, "closed")
        if rng.random() < 0.04:
            life.tie(at + HOUR, "closed", {}, "reopened", {})
    if rng.random() < 0.35:
        life.happens(tenant.moment(at, 3 * DAY), "rated", score=rng.randrange(1, 6))
    if rng.random() < 0.1:
        at = tenant.moment(at, 5 * DAY)
        life.happens(at, "reopened")
        at = case_settles(life, at)
    return at


def case(tenant):
    life, rng, at = Life(tenant, "case"), tenant.rng, tenant.moment()
    data = life.some("case_kind priority channel contact account product", at, 0.85)
    data |= life.some("response_due resolve_due", at, 0.5) | life.owned()
    life.happens(at, "updated" if rng.random() < 0.03 else "opened", **data)
    if rng.random() < 0.4:
        life.happens(at + rng.random() * HOUR, "assigned", **life.owned())
    if rng.random() < 0.02:
        life.happens(at - HOUR, "responded")  # an answer before the question does not count
    for _ in range(rng.randrange(0, 3)):
        life.happens(tenant.moment(at, DAY), "responded")
    if rng.random() < 0.15:
        life.happens(tenant.moment(at, DAY), "updated", **life.some("priority case_kind resolve_due", at))
    if rng.random() < 0.9:
        at = case_settles(life, at)
    if rng.random() < 0.02:
        life.end_badly(tenant.moment(at, 5 * DAY), "opened", case_kind="question")


# How often each life begins, and about how many events it brings.
LIVES = [(contact, 20), (account, 4), (deal, 18), (call, 26), (email, 18), (case, 14)]
