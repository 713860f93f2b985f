"""goal_progress and expected_progress: a goal's own metric in its own period."""
from decimal import Decimal
from fractions import Fraction

from ask import Ask, Refused

FILTERS = ("owner", "team", "pipeline", "source")


def expected(facts, goal):
    first, last = facts.almanac.named(goal.get("period"))
    passed = (min(last, facts.today) - first).days + 1
    return Fraction(max(0, passed), (last - first).days + 1)


def actual(facts, goal):
    """The value of the goal's metric, or None."""
    first, last = facts.almanac.named(goal.get("period"))
    where = {name: [goal.get(name)] for name in FILTERS if goal.get(name) is not None}
    try:
        value = Ask(facts, {"metric": goal.get("metric"), "from": str(first), "to": str(last), "where": where}).answer()[0][1]
    except Refused:
        return None
    return value.get(facts.currency(goal), 0) if isinstance(value, dict) else value


def progress(facts, goal):
    value, target = actual(facts, goal), Fraction(Decimal(str(goal.get("target"))))
    return Fraction(value) / target if value is not None and target else None


class AskGoals:
    def __init__(self, facts, query):
        self.facts, self.query = facts, query
        if query.get("by") != ["goal"] or set(query.get("where", {})) - {"goal"}:
            raise Refused("unknown_dimension")
        if "stat" in query:
            raise Refused("unknown_stat")
        self.range = Ask.span(self)

    @property
    def almanac(self):
        return self.facts.almanac

    def answer(self):
        value = {"goal_progress": progress, "expected_progress": expected}[self.query["metric"]]
        wanted = self.query.get("where", {}).get("goal")
        goals = [goal for goal in self.facts.of("goal") if wanted is None or goal.name in wanted]
        goals = [goal for goal in goals if goal.get("period") is not None and self.range[0] <= self.almanac.named(goal.get("period"))[0] <= self.range[1]]
        return [((goal.name,), value(self.facts, goal)) for goal in sorted(goals, key=lambda goal: goal.name.encode())]
