"""What `explain` says, held against `query`: equal totals, row by row, and entities that add up to them."""
import json
from decimal import Decimal


def read(line):
    return json.loads(line, parse_float=Decimal)


def rows_of(answer, by, value):
    """{values of the dimensions: value}"""
    rows = answer["rows"] if by else [answer["rows"][0] if "rows" in answer else answer]
    return {tuple(row.get(name) for name in by): row[value] for row in rows}


def added(values):
    """Numbers are added up, money per currency."""
    if any(isinstance(value, dict) for value in values):
        sums = {}
        for value in values:
            for code, amount in value.items():
                sums[code] = sums.get(code, 0) + Decimal(amount)
        return {code: amount for code, amount in sums.items() if amount}
    return sum(map(Decimal, values))


def near(a, b):
    if isinstance(a, dict):
        return {code for code, amount in a.items() if amount} == set(b) and all(near(a[code], b[code]) for code in b)
    return abs(Decimal(a) - Decimal(b)) <= Decimal("1e-9") * max(1, abs(Decimal(b)))


def sums_differ(part):
    """None, or the sum within the part that its entities do not add up to."""
    for value in part.values():
        if isinstance(value, dict) and "total" in value:
            wrong = sums_differ(value)
            if wrong:
                return wrong
    listed = part.get("entities")
    if listed is None or part.get("truncated") or "note" in part or "open" in part or any("weight" in entity for entity in listed):
        return None
    values = [entity["value"] for entity in listed]
    if None in values:  # a goal whose metric has no number
        return None if part["total"] is None else part
    if "stat" in part:
        if part["stat"] != "average":
            return None
        return None if (part["total"] is None) == (not values) and (not values or near(added(values) / len(values), part["total"])) else part
    want = part["total"]
    got = added(values) if values else ({} if isinstance(want, dict) else 0)
    if not isinstance(want, dict):
        got += Decimal(part.get("constant", 0))
    return None if near(got, want) else part


def not_its_first(few, whole, most):
    """None, or the list within `few` that is not so many of the first of the same list within `whole`."""
    if isinstance(whole, list):
        return next(filter(None, (not_its_first(a, b, most) for a, b in zip(few, whole))), None)
    if not isinstance(whole, dict):
        return None
    hashed = any("deleted" in entity for entity in whole.get("entities", []))  # by a secret that is another each time
    if "entities" in whole and "open" not in whole and not whole.get("truncated") and not hashed:
        if few["entities"] != whole["entities"][:most] or few.get("truncated", False) != (len(whole["entities"]) > most):
            return few["entities"]
    return next(filter(None, (not_its_first(few[key], whole[key], most) for key in whole if key not in ("entities", "truncated"))), None)


def differs_when_limited(few, whole, limit):
    """None, or how what `explain` says with a limit differs from what it says without."""
    few, whole = read(few), read(whole)
    rows = len(whole.get("rows", []))
    if "error" in whole or "error" in few:
        return None if few == whole else "an error: %s" % few
    wrong = not_its_first(few, whole, max(1, limit // rows) if rows > 1 else limit)
    return wrong and "not the first of all: %s" % wrong


def differs(query, answer, explained):
    """None, or how what `explain` said differs from what `query` answered."""
    if not answer.startswith("{") or not explained.startswith("{"):
        return "%s / %s" % (answer, explained)
    answer, explained, by = read(answer), read(explained), query.get("by", [])
    if "error" in answer or "error" in explained:
        if answer.get("error", {}).get("code") == "days_folded":  # entities know their days
            return None if "error" not in explained else "an error: %s" % explained
        codes = [each.get("error", {}).get("code") for each in (answer, explained)]
        return None if codes[0] == codes[1] else "another error: %s" % explained
    want, got = rows_of(answer, by, "value"), rows_of(explained, by, "total")
    if want != got:
        return "totals %s" % {key: (want.get(key), got.get(key)) for key in want.keys() | got.keys() if want.get(key) != got.get(key)}
    for row in explained["rows"] if by else [explained]:
        wrong = sums_differ(row)
        if wrong:
            return "entities do not add up to the total: %s" % wrong
    return None
