"""Does an answer of the daemon agree with the exact one? Integers and money equal, ratios and averages within 1e-9, percentiles within 1 %."""
import json
from decimal import Decimal
from fractions import Fraction

from intake import decimals


def close(want, got, stat):
    if want is None or got is None or isinstance(got, (bool, str, dict)):
        return want is None and got is None
    if isinstance(want, int):
        return isinstance(got, int) and got == want
    tolerance = Fraction(1, 100) if stat.startswith("p") else Fraction(1, 10 ** 9)
    return abs(Fraction(want) - Fraction(got)) <= tolerance * abs(Fraction(want))


def agrees(want, got, stat):
    """Two values; money has its currency's decimals, no more and no less."""
    if not isinstance(want, dict):
        return close(want, got, stat)
    if not isinstance(got, dict) or want.keys() != got.keys():
        return False
    for currency, value in want.items():
        if isinstance(value, Fraction):
            if not close(value, got[currency], stat):
                return False
        elif got[currency] != value or (isinstance(got[currency], Decimal) and got[currency].as_tuple().exponent or 0) != -decimals(currency):
            return False
    return True


def right(query, want, line):
    """Is the daemon's line the answer that the model gives?"""
    try:
        got = json.loads(line, parse_float=Decimal)
    except ValueError:
        return False
    if "error" in want:
        return got.get("error", {}).get("code") == want["error"]["code"] and bool(got["error"].get("message"))
    rows = got.get("rows")
    if rows is None or [list(row) for row in rows] != [list(row) for row in want["rows"]]:
        return False
    names = query.get("by", [])
    return all(all(a[name] == b[name] for name in names) and agrees(a["value"], b["value"], query.get("stat", ""))
               for a, b in zip(want["rows"], rows))
