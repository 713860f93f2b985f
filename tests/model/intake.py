"""What comes in: a line becomes an event of an entity, or the reason why it is rejected (events.md)."""
import datetime
import json
import re
from decimal import Decimal

from vocabulary import ATTRIBUTES, REQUIRED, VERBS

ISO_DECIMALS = {"JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3}  # those that random histories use; else 2
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$")
POSSIBLE = [(datetime.datetime(year, 1, 1) - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1) for year in (1900, 2200)]
MONEY, SECONDS = re.compile(r"-?\d+(\.\d+)?$"), re.compile(r"\d+(\.\d+)?$")
EPOCH = datetime.datetime(1970, 1, 1)
CONTENT = {"amount": "money", "cost": "money", "budget": "money", "target": "target", "currency": "currency", "expected_close": "date", "due": "instant",
           "response_due": "instant", "resolve_due": "instant", "duration_s": "seconds", "wait_s": "seconds", "callback": "flag",
           "tags": "texts", "score": "score", "period": "period"}
OWN = {"list": ("subscribed", "unsubscribed"), "into": ("merged",), "score": ("rated",)}


class Rejected(Exception):
    """args: reason code, tenant it is counted for."""


def decimals(currency):
    return ISO_DECIMALS.get(currency, 2)


def micros(text):
    """Microseconds since 1970 of an RFC 3339 instant; finer digits are cut. Else ValueError."""
    found = INSTANT.match(text)
    if not found:
        raise ValueError(text)
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    wall = datetime.datetime(year, month, day, hour, minute, second) - EPOCH
    offset = 0
    if found[8]:
        if int(found[9]) > 23 or int(found[10]) > 59:
            raise ValueError(text)
        offset = (int(found[9]) * 60 + int(found[10])) * (-1 if found[8] == "-" else 1)
    return (wall // datetime.timedelta(seconds=1) - offset * 60) * 1_000_000 + int(((found[7] or "") + "000000")[:6])


class Event:
    """kind, verb, subject, tenant, id, source, sequence, at (microseconds), data (cleared attributes are None)."""

    @property
    def order(self):
        return (self.at, self.sequence.encode(), self.source.encode(), self.id.encode())


class Intake:
    """Reads lines with the record's timestamp (in replay the clock). `settings(tenant)`: that tenant's settings."""

    def __init__(self, settings, max_event_bytes=1 << 20, max_ahead_s=600):
        self.settings, self.max_event_bytes, self.max_ahead = settings, max_event_bytes, max_ahead_s * 1_000_000

    def read(self, line, stamp):
        if len(line) > self.max_event_bytes:
            raise Rejected("too_large", "default")
        try:
            raw = json.loads(line.decode("utf-8"), parse_float=Decimal, parse_constant=self.no_number)
        except (ValueError, RecursionError):
            raise Rejected("not_json", "default") from None
        if not isinstance(raw, dict) or raw.get("specversion") != "1.0":
            raise Rejected("not_cloudevents", "default")
        event = Event()
        event.tenant = raw.get("tenantid", "default")
        readable = isinstance(event.tenant, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", event.tenant)
        self.home = event.tenant if readable else "default"
        self.envelope(raw)
        if not readable:
            raise Rejected("bad_tenant", "default")
        event.id, event.source, event.subject, event.sequence = raw["id"], raw["source"], raw["subject"], raw.get("sequence", "")
        event.kind, event.verb = self.type_of(raw["type"])
        event.at = self.time_of(raw, stamp)
        event.data = self.data_of(event, raw.get("data", {}))
        return event

    def no_number(self, _):
        raise ValueError

    def reject(self, code):
        raise Rejected(code, self.home)

    def envelope(self, raw):
        for name in ("id", "source", "type", "subject"):
            if raw.get(name) is None:
                self.reject("missing_attribute")
        for name in ("id", "source", "type", "subject", "sequence"):
            longest = 256 if name in ("id", "subject") else 1024
            if name in raw and (not isinstance(raw[name], str) or not raw[name] or len(raw[name].encode()) > longest):
                self.reject("bad_attribute")

    def type_of(self, text):
        parts = text.split(".")
        if len(parts) != 3 or parts[0] != "crm" or parts[1] not in VERBS or parts[2] not in VERBS[parts[1]]:
            self.reject("unknown_type")
        return parts[1:]

    def time_of(self, raw, stamp):
        if "time" not in raw:
            return stamp
        try:
            at = micros(raw["time"])
        except (ValueError, TypeError):
            self.reject("bad_time")
        if not POSSIBLE[0] <= at < POSSIBLE[1]:
            self.reject("bad_time")
        if at > stamp + self.max_ahead:
            self.reject("too_far_ahead")
        return at

    def data_of(self, event, data):
        if not isinstance(data, dict):
            self.reject("bad_attribute")
        known = ATTRIBUTES[event.kind] + self.settings(event.tenant).get("custom", {}).get(event.kind, [])
        names = [name for name in data if name in known or event.verb in OWN.get(name, ())]
        found = {name: None if data[name] == "" else data[name] for name in names}
        for name in REQUIRED.get((event.kind, event.verb), []):
            if found.get(name) is None:
                self.reject("missing_attribute")
        named = found.get("currency")
        currency = named or self.settings(event.tenant).get("currency", "EUR")
        for name, value in found.items():
            form = CONTENT.get(name, "text")
            if form == "target":
                form = "money" if named else "number"
            if value is not None and not getattr(self, "is_" + form)(value, currency):
                self.reject("bad_attribute")
        return found

    # --- the forms of values ---
    @staticmethod
    def is_text(value, _):
        return isinstance(value, str) and len(value.encode("utf-8", "surrogatepass")) <= 1024

    @staticmethod
    def is_number(value, _):
        text = value if isinstance(value, str) else format(value, "f") if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else "?"
        return MONEY.match(text) is not None

    def is_money(self, value, currency):
        if not self.is_number(value, currency) or not isinstance(currency, str):
            return False
        fine = Decimal(str(value)).scaleb(decimals(currency))
        return fine == int(fine) and abs(fine) < 10 ** 15

    @staticmethod
    def is_currency(value, _):
        return isinstance(value, str) and re.fullmatch("[A-Z]{3}", value) is not None

    @staticmethod
    def is_date(value, _):
        try:
            return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None and bool(datetime.date.fromisoformat(value))
        except ValueError:
            return False

    @staticmethod
    def is_instant(value, _):
        try:
            return isinstance(value, str) and micros(value) is not None
        except ValueError:
            return False

    @staticmethod
    def is_seconds(value, _):
        return isinstance(value, (int, Decimal)) and not isinstance(value, bool) and SECONDS.match(format(value, "f")) is not None

    @staticmethod
    def is_flag(value, _):
        return isinstance(value, bool)

    @staticmethod
    def is_texts(value, _):
        return isinstance(value, list) and all(isinstance(v, str) for v in value)

    @staticmethod
    def is_score(value, _):
        return isinstance(value, (int, Decimal)) and not isinstance(value, bool) and value in range(1, 6)

    @staticmethod
    def is_period(value, _):
        return isinstance(value, str) and re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]|Q[1-4]))?", value) is not None
