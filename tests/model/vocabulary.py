"""The kinds of a CRM's entities, their verbs and attributes, and believable random values for each attribute."""
import datetime

TOPICS = {"contact": "crm.contacts", "account": "crm.contacts", "deal": "crm.deals", "call": "crm.calls", "meeting": "crm.calls",
          "email": "crm.emails", "case": "crm.support", "interaction": "crm.support", "campaign": "crm.marketing",
          "response": "crm.marketing", "visit": "crm.marketing", "goal": "crm.goals", "user": "crm.goals"}

VERBS = {
    "contact": "created updated qualified subscribed unsubscribed merged deleted",
    "account": "created updated churned deleted",
    "deal": "created updated stage_changed proposal_sent won lost reopened deleted",
    "call": "scheduled completed missed cancelled deleted",
    "meeting": "scheduled held cancelled deleted",
    "email": "sent delivered opened clicked replied bounced complained deleted",
    "case": "opened updated assigned responded resolved closed reopened rated deleted",
    "interaction": "logged deleted",
    "campaign": "started updated ended deleted",
    "response": "received deleted",
    "visit": "started page_viewed goal_completed ended deleted",
    "goal": "set removed",
    "user": "created signed_in deactivated deleted",
}
VERBS = {kind: verbs.split() for kind, verbs in VERBS.items()}

COMMON = "owner team source campaign"
ATTRIBUTES = {
    "contact": "email phone name account referred_by tags",
    "account": "name industry",
    "deal": "amount currency cost stage pipeline sale contact account expected_close loss_reason competitor",
    "call": "direction purpose deal case contact due duration_s wait_s callback cost currency",
    "meeting": "deal contact due duration_s",
    "email": "contact deal case due",
    "case": "case_kind priority channel contact account response_due resolve_due",
    "interaction": "case contact channel cost currency duration_s",
    "campaign": "name channel budget cost currency",
    "response": "campaign contact channel",
    "visit": "contact page goal",
    "goal": "metric target period pipeline currency",
    "user": "name",
}
ATTRIBUTES = {kind: (COMMON + " " + names).split() for kind, names in ATTRIBUTES.items()}

# Attributes that a verb cannot do without, and those that only it takes.
REQUIRED = {("deal", "stage_changed"): ["stage"], ("contact", "merged"): ["into"], ("case", "rated"): ["score"],
            ("goal", "set"): ["metric", "target", "period"]}
OWN = {("contact", "subscribed"): ["list"], ("contact", "unsubscribed"): ["list"]}

REFERENCES = {"account": "account", "referred_by": "contact", "into": "contact", "contact": "contact", "deal": "deal",
              "case": "case", "campaign": "campaign"}

WORDS = {
    "team": ["north", "south", "inside", "key-accounts"],
    "source": ["web", "fair", "referral", "email", "advert", "partner"],
    "stage": ["lead", "talk", "offer", "contract"],
    "pipeline": ["default", "partners", "renewals"],
    "sale": ["new", "new", "new", "renewal", "cross_sell", "up_sell", "trial"],
    "loss_reason": ["price", "timing", "no budget", "feature missing"],
    "competitor": ["Contoso", "Müller & Söhne", "Ωmega"],
    "industry": ["retail", "steel", "public"],
    "direction": ["inbound", "outbound"],
    "purpose": ["sales", "service"],
    "case_kind": ["question", "incident", "complaint", "request"],
    "priority": ["low", "normal", "high", "urgent"],
    "channel": ["phone", "email", "chat", "portal"],
    "list": ["main", "news", "product"],
    "page": ["/", "/prices", "/docs/start"],
    "goal": ["signup", "demo"],
    "metric": ["revenue", "leads", "cases_handled", "sales_cycle"],
    "period": ["2026-03", "2026-Q1", "2026"],
    "region": ["emea", "apac", "us|ca"],
    "product": ["base", "pro"],
    "name": ["Ann Lee", "Zoë Quinn", "李雷", "O'Neil, Bob"],
}

DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
UTC = datetime.timezone.utc


def instant(seconds, fraction=6, offset_minutes=0):
    """RFC 3339 of a count of seconds since 1970 (an int or a float), written with the offset."""
    whole = int(seconds // 1)
    local = datetime.datetime.fromtimestamp(whole + offset_minutes * 60, UTC)
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    micros = round((seconds - whole) * 1_000_000)
    if micros:
        text += (".%06d" % micros)[:fraction + 1]
    if offset_minutes == 0:
        return text + "Z"
    sign = "-" if offset_minutes < 0 else "+"
    return "%s%s%02d:%02d" % (text, sign, abs(offset_minutes) // 60, abs(offset_minutes) % 60)


def date(seconds):
    return datetime.datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def money(rng, currency, top=5000):
    """A decimal text or a JSON number with no more decimals than the currency has; seldom negative, seldom zero."""
    decimals = DECIMALS[currency]
    if rng.random() < 0.3:
        return rng.randrange(0, top)
    minor = rng.randrange(-top * 3, top * 100) if rng.random() < 0.05 else rng.randrange(0, top * 100)
    if decimals == 0:
        return str(minor // 100)
    text = "%d.%02d" % (abs(minor) // 100, abs(minor) % 100)
    return "-" + text if minor < 0 else text


class Values:
    """Random values of attributes. `ids(kind)` names an entity to refer to, `currency` is the tenant's, `people` share e-mails."""

    def __init__(self, rng, owners, currencies, currency, ids, people=200):
        self.rng, self.owners, self.currencies, self.currency, self.ids, self.people = rng, owners, currencies, currency, ids, people

    def of(self, name, now):
        """A value for the attribute at the instant `now` (seconds since 1970)."""
        rng = self.rng
        if name in REFERENCES:
            return self.ids(REFERENCES[name])
        if name in WORDS:
            return rng.choice(WORDS[name])
        made = getattr(self, "of_" + name)
        return made(now)

    def of_owner(self, _):
        return self.rng.choice(self.owners)

    def of_amount(self, _):
        return money(self.rng, "JPY")  # no decimals: right in any currency

    of_cost = of_budget = of_amount

    def of_target(self, _):
        return self.rng.choice([10, "2500", 40])

    def of_currency(self, _):
        return self.rng.choice(self.currencies)

    def of_email(self, _):
        name = self.rng.choice(["ann", "Bob", "carl.h", "dora"]) + str(self.rng.randrange(self.people))
        return self.rng.choice(["%s@x.test", " %s@X.test ", "%s@mail.test"]) % name

    def of_phone(self, _):
        number = self.rng.randrange(self.people)
        return self.rng.choice(["+49 30 55%03d", "(4930)55-%03d", "0044 20 7946 %03d"]) % number

    def of_tags(self, _):
        return self.rng.sample(["vip", "new", "old", "beta", "größer"], self.rng.randrange(0, 3))

    def of_expected_close(self, now):
        return date(now + self.rng.randrange(-5, 90) * 86400)

    def of_due(self, now):
        return instant(now + self.rng.randrange(0, 10 * 86400))

    def of_response_due(self, now):
        return instant(now + self.rng.choice([3600, 14400, 86400]))

    def of_resolve_due(self, now):
        return instant(now + self.rng.choice([28800, 86400, 259200]))

    def of_duration_s(self, _):
        return self.rng.choice([self.rng.randrange(5, 1800), round(self.rng.uniform(1, 600), 3)])

    def of_wait_s(self, _):
        return self.rng.choice([0, self.rng.randrange(0, 300), round(self.rng.uniform(0, 90), 2)])

    def of_callback(self, _):
        return self.rng.random() < 0.3

    def of_score(self, _):
        return self.rng.randrange(1, 6)
