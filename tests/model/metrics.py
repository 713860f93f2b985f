"""The metrics of metrics.md: which facts each is made of, and its value over their rows."""
import math
from decimal import Decimal
from fractions import Fraction

from almanac import round_half_away
from intake import decimals

MILLIS = {"days": 86400_000, "hours": 3600_000, "seconds": 1000}


class Term:
    """Rows of facts (fact: +1 or -1) that pass a filter (None in it: any value). `span` says which days count: `in` the range; `level`: up
    to its end; `before`: up to the day before it; `now`: facts without a day; `ever`: all; `unit`, `unit before`: facts per period."""

    def __init__(self, facts, span="in", **where):
        self.facts, self.span, self.where = facts if isinstance(facts, dict) else {facts: 1}, span, where

    def passes(self, row):
        return all(row.dims.get(k) == v if v is not None else row.dims.get(k) is not None for k, v in self.where.items())


class Metric:
    """`value(parts, ask)`: of the rows of each term, as (sign, row). `whole`: units of which the range has to be exactly one."""

    def __init__(self, value, *terms, whole=(), spread=False, days=False, only=None):
        self.value, self.terms = value, [t if isinstance(t, Term) else Term(t) for t in terms]
        self.whole, self.spread, self.days, self.only = whole, spread, days, only

    @property
    def money(self):
        """Has it a value per currency?"""
        return self.value([[] for _ in self.terms], Nothing) == {}


class Nothing:
    """What a value reads of a query about nothing."""
    stat, days = "average", 0


# --- sums ---
def total(part, measure="count"):
    return sum(sign * row.measures[measure] for sign, row in part)


def sums(part, measure):
    """{currency: sum}"""
    found = {}
    for sign, row in part:
        found[row.dims["currency"]] = found.get(row.dims["currency"], 0) + sign * row.measures[measure]
    return found


def money(found):
    return {currency: value for currency, value in found.items() if value}


def rounded(exact, currency):
    """A Fraction of major units to the currency's decimals, half away from zero."""
    return Decimal(round_half_away(exact * 10 ** decimals(currency))).scaleb(-decimals(currency))


def quotient(a, b):
    return Fraction(a, b) if b else None


def money_by(amounts, divisors):
    """Currency by currency; `divisors` may be one number for all."""
    found = {c: divisors.get(c, 0) if isinstance(divisors, dict) else divisors for c in amounts}
    return money({c: rounded(Fraction(v) / found[c], c) for c, v in amounts.items() if found[c]})


def ratios(above, below):
    return {c: Fraction(above.get(c, 0)) / Fraction(v) for c, v in below.items() if v}


# --- kinds of metrics ---
def count(fact, measure="count", **where):
    return Metric(lambda parts, ask: total(parts[0], measure), Term(fact, **where))


def amount(fact, measure="amount", **where):
    return Metric(lambda parts, ask: money(sums(parts[0], measure)), Term(fact, **where))


def share(above, *rest, measure="count"):
    """The first term's measure ÷ the count of the others."""
    return Metric(lambda parts, ask: quotient(total(parts[0], measure), sum(total(part) for part in parts[1:])), above, *rest)


def part_of(fact, measure, **where):
    """A measure of a fact ÷ its count."""
    return Metric(lambda parts, ask: quotient(total(parts[0], measure), total(parts[0])), Term(fact, **where))


def spread(unit, measure, *facts, **where):
    """A distribution: average or percentile of a measure, where the fact has it."""
    def value(parts, ask):
        values = sorted(row.measures[measure] for part in parts for _, row in part if row.measures[measure] is not None)
        if not values:
            return None
        if ask.stat == "average":
            return Fraction(sum(values), len(values) * MILLIS[unit])
        rank = math.ceil(Fraction(int(ask.stat[1:]), 100) * len(values))
        return Fraction(values[max(rank, 1) - 1], MILLIS[unit])
    return Metric(value, *[Term(fact, **where) for fact in facts], spread=True)


def level(facts, measure=None):
    def value(parts, ask):
        return money(sums(parts[0], measure)) if measure else total(parts[0])
    return Metric(value, Term(facts, "level"))


def per(units, fact):
    return Metric(lambda parts, ask: total(parts[0]), Term(fact, "unit"), whole=units)


# --- those with a formula of their own ---
def size_of(fact, measure="amount"):
    return Metric(lambda parts, ask: money_by(sums(parts[0], measure), sums(parts[0], "count")), fact)


def profit(parts, ask):
    costs = sums(parts[0], "cost")
    return {c: v - costs[c] for c, v in sums(parts[0], "amount").items()}


def roi(parts, ask):
    revenue, cost = sums(parts[0], "amount"), sums(parts[1], "cost")
    return ratios({c: revenue.get(c, 0) - v for c, v in cost.items()}, cost)


def probability(part):
    return min(max(Fraction(total(part, "won") + 1, total(part) + 2), Fraction(5, 100)), Fraction(95, 100))


def forecast(weight):
    """Won, and each open amount times a weight of its stage's probability, rounded once per pipeline, stage and currency."""
    def value(parts, ask):
        result, open_ = sums(parts[0], "amount"), {}
        for _, row in parts[1]:
            key = (row.dims["pipeline"], row.dims["stage"], row.dims["currency"])
            open_[key] = open_.get(key, 0) + row.measures["amount"]
        for (pipeline, stage, currency), sum_ in open_.items():
            chance = probability([(1, r) for r in ask.facts.rows["stage_outcome"] if (r.dims["pipeline"], r.dims["stage"]) == (pipeline, stage)])
            result[currency] = result.get(currency, 0) + rounded(Fraction(sum_) * weight(chance), currency)
        return money(result)
    return Metric(value, "deal_won", "deal_expected")


YEARLY, DAILY = ("month", "quarter", "year"), ("day", "week", "month")
SUBSCRIBED = {"list_joined": 1, "list_left": -1}
USERS = {"user_entered": 1, "user_left": -1}
SERVICE_CALLS = Term("call", purpose="service")

METRICS = {
    "leads": count("lead"), "qualified_leads": count("lead_qualified"), "converted_leads": count("lead_converted"),
    "conversion_rate": share("lead_converted", "lead"), "days_to_convert": spread("days", "seconds", "conversion"),
    "lead_revenue": amount("lead_revenue"), "average_lead_deal": size_of("lead_revenue"),
    "lead_response_time": spread("hours", "seconds", "lead_response"),
    "untouched_leads": Metric(lambda parts, ask: total(parts[0]), Term("lead_untouched", "now")),
    "new_customers": count("customer_new"), "retained_customers": per(YEARLY, "customer_retained"),
    "retention_rate": Metric(lambda parts, ask: quotient(total(parts[0]), total(parts[1])), Term("customer_kept", "unit"),
                             Term("customer_active", "unit before"), whole=YEARLY),
    "close_rate": share("deal_won", "deal_won", "deal_lost"),
    "renewal_rate": share(Term("deal_won", sale="renewal"), Term("deal_won", sale="renewal"), Term("deal_lost", sale="renewal")),
    "sales_calls": count("call", purpose="sales"), "sales_calls_per_opportunity": part_of("deal_created", "calls"),
    "sales_calls_per_won_deal": part_of("deal_won", "calls"),
    "new_revenue": amount("deal_won", sale="new"), "revenue": amount("deal_won"), "won_deals": count("deal_won"), "lost_deals": count("deal_lost"),
    "average_deal_size": size_of("deal_won"), "lost_amount": amount("deal_lost"), "cost": amount("deal_won", "cost"),
    "profit": Metric(lambda parts, ask: money(profit(parts, ask)), "deal_won"),
    "margin": Metric(lambda parts, ask: ratios(profit(parts, ask), sums(parts[0], "amount")), "deal_won"),
    "open_deals": level({"deal_entered": 1, "deal_left": -1}), "open_amount": level({"deal_entered": 1, "deal_left": -1}, "amount"),
    "stage_duration": spread("days", "seconds", "stage_left"), "entered": count("stage_entered"), "left": count("stage_left"),
    "sales_cycle": spread("days", "seconds", "deal_won", "deal_lost"), "won_cycle": spread("days", "seconds", "deal_won"),
    "sales_velocity": Metric(lambda parts, ask: money_by(sums(parts[0], "amount"), ask.days), "deal_won", days=True),
    "proposals": count("proposal"), "proposal_amount": amount("proposal"),
    "campaigns": count("campaign_started"), "campaign_cost": amount("campaign_started", "cost"), "campaign_responses": count("campaign_response"),
    "campaign_purchases": count("deal_won", campaign=None), "campaign_revenue": amount("deal_won", campaign=None),
    "campaign_roi": Metric(roi, Term("deal_won", campaign=None), "campaign_started"),
    "new_customers_by_campaign": count("customer_new", campaign=None), "customer_referrals": count("referral"),
    "page_views": count("visit", "pages"), "visits": count("visit"), "web_goal_rate": part_of("visit", "with_goal"),
    "time_per_visit": Metric(lambda parts, ask: quotient(total(parts[0], "seconds"), total(parts[0]) * 1000), "visit"),
    "customer_lifetime_value": Metric(lambda parts, ask: money_by(sums(parts[0], "amount"), sums(parts[1], "count")),
                                      Term("purchase", "level"), Term("customer_new", "level")),
    "cross_sell_ratio": share(Term("deal_won", sale="cross_sell"), "deal_won"), "up_sell_ratio": share(Term("deal_won", sale="up_sell"), "deal_won"),
    "subscribers": level(SUBSCRIBED),
    "list_growth_rate": Metric(lambda parts, ask: quotient(total(parts[0]), total(parts[1])), Term(SUBSCRIBED), Term(SUBSCRIBED, "before")),
    "cases_handled": count("case_resolved"), "cases_opened": count("case_opened"), "cases_reopened": count("case_reopened"),
    "open_cases": level({"case_entered": 1, "case_left": -1}),
    "cases_closed_same_day": count("case_closed", "same_day"), "same_day_rate": part_of("case_closed", "same_day"),
    "cases_resolved_same_day": count("case_resolved", "same_day"),
    "resolution_time": spread("hours", "seconds", "case_resolved"), "resolution_business_time": spread("hours", "business_seconds", "case_resolved"),
    "response_time": spread("hours", "seconds", "case_response"),
    "service_calls_per_day": Metric(lambda parts, ask: quotient(total(parts[0]), ask.days), SERVICE_CALLS, days=True),
    "complaint_resolution_time": spread("hours", "seconds", "case_resolved", case_kind="complaint"), "customer_callbacks": count("callback"),
    "cost_per_interaction": Metric(lambda parts, ask: money_by(sums(parts[0], "cost"), sums(parts[0], "costed")), "service_contact"),
    "sla_compliance": share("promise_met", "promise_met", "promise_missed"), "calls_lost": count("call_lost"),
    "lost_call_rate": share("call_lost", "call_lost", Term("call", direction="inbound")),
    "call_handling_time": spread("seconds", "duration", "call", purpose="service"),
    "speed_of_answer": spread("seconds", "wait", "call", direction="inbound"), "calls": count("call"),
    "customer_satisfaction": part_of("rating", "score"), "satisfied_rate": part_of("rating", "satisfied"),
    "users": level(USERS), "active_users": per(DAILY, "user_active"),
    "adoption_rate": Metric(lambda parts, ask: quotient(total(parts[0]), total(parts[1])), Term("user_active", "unit"), Term(USERS, "level"), whole=DAILY),
    "activities": count("activity"), "activities_due": count("activity_due"), "churned": count("account_churned"),
    "win_probability": Metric(lambda parts, ask: probability(parts[0]), Term("stage_outcome", "ever"), only={"pipeline", "stage"}),
    "forecast": forecast(lambda chance: chance), "best_case": forecast(lambda chance: 1), "commit": forecast(lambda chance: chance >= Fraction(7, 10)),
}
METRICS |= {"won": METRICS["revenue"], "open": amount("deal_expected"), "goal": amount("goal_set", metric="revenue")}
METRICS |= {"emails_" + verb: count("email_" + verb) for verb in ("sent", "delivered", "opened", "clicked", "replied", "bounced", "complained")}
METRICS |= {"email_%s_rate" % name: share("email_" + verb, "email_sent")
            for name, verb in (("open", "opened"), ("click", "clicked"), ("reply", "replied"), ("bounce", "bounced"))}
METRICS |= {name: Metric(lambda parts, ask: total(parts[0]), Term(fact, "now")) for name, fact in {
    "records": "record", "duplicate_contacts": "duplicate_contact", "double_submissions": "double_submission", "missing_values": "missing_value",
    "unlisted_values": "unlisted_value", "unknown_references": "unknown_reference", "impossible_order": "impossible_order",
    "overdue_deals": "overdue_deal", "stale_deals": "stale_deal", "rejected_events": "rejected_event", "duplicate_events": "duplicate_event"}.items()}
METRICS["quality"] = Metric(lambda parts, ask: quotient(total(parts[0], "clean"), total(parts[0])), Term("record", "now"))
