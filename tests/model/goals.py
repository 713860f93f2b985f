"""Metrics of goals: a goal's own metric in its own period, against its target and the days that have passed."""
from decimal import Decimal
from fractions import Fraction

from query import Ask, Refused
from intake import decimals
from metrics import METRICS, money, rounded

FILTERS = ("owner", "team", "pipeline", "source")
RATIOS_OF_MONEY = ("margin", "campaign_roi")


def expected(facts, goal):
    first, last = facts.almanac.named(goal.get("period"))
    passed = (min(last, facts.today) - first).days + 1
    return Fraction(max(0, passed), (last - first).days + 1)


def in_money(goal):
    """Is the goal's metric an amount of money?"""
    metric = METRICS.get(goal.get("metric"))
    return metric is not None and metric.money and goal.get("metric") not in RATIOS_OF_MONEY


def measured(facts, goal):
    """The value of the goal's metric in its period and for whom it is set; None where there is no such number."""
    first, last = facts.almanac.named(goal.get("period"))
    where = {name: [goal.get(name)] for name in FILTERS if goal.get(name) is not None}
    try:
        return Ask(facts, {"metric": goal.get("metric"), "from": str(first), "to": str(last), "where": where}).answer()[0][1]
    except Refused:
        return None


def actual(facts, goal):
    """The same, money in the goal's currency."""
    value = measured(facts, goal)
    if value is None and in_money(goal):
        return {}
    if not isinstance(value, dict):
        return value
    currency = facts.currency(goal)
    if goal.get("metric") in RATIOS_OF_MONEY:
        return value.get(currency)
    return {c: v for c, v in value.items() if c == currency}


def number(value):
    """Of money in one currency the amount."""
    return sum(value.values()) if isinstance(value, dict) else value


def progress(facts, goal):
    value, wanted = number(actual(facts, goal)), Fraction(Decimal(str(goal.get("target"))))
    return Fraction(value) / wanted if measured(facts, goal) is not None and value is not None and wanted else None


def target(facts, goal):
    wanted = Decimal(str(goal.get("target")))
    if not in_money(goal):
        return Fraction(wanted)
    return money({facts.currency(goal): rounded(Fraction(wanted), facts.currency(goal))})


def projection(facts, goal):
    value, share = actual(facts, goal), expected(facts, goal)
    if isinstance(value, dict):
        return money({c: rounded(Fraction(v) / share, c) for c, v in value.items()}) if share else {}
    if isinstance(value, int):
        return Fraction(value) / share if share else None
    return value


VALUES = {"goal_progress": progress, "expected_progress": expected, "target": target, "actual": actual, "projection": projection}


class AskGoals:
    def __init__(self, facts, query):
        self.facts, self.almanac, self.query = facts, facts.almanac, query
        if query.get("by") != ["goal"] or set(query.get("where", {})) - {"goal"}:
            raise Refused("unknown_dimension")
        if "stat" in query:
            raise Refused("unknown_stat")
        self.range = Ask.span(self)

    def answer(self):
        wanted = self.query.get("where", {}).get("goal")
        goals = [goal for goal in self.facts.of("goal") if wanted is None or goal.name in wanted]
        goals = [goal for goal in goals if goal.get("period") is not None and self.range[0] <= self.almanac.named(goal.get("period"))[0] <= self.range[1]]
        return [((goal.name,), VALUES[self.query["metric"]](self.facts, goal)) for goal in sorted(goals, key=lambda goal: goal.name.encode())]
