"""The calendar of a tenant: local days, weeks, months, fiscal quarters and years, named periods, business hours."""
import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

DAY = datetime.timedelta(days=1)
EVER = (datetime.date.min, datetime.date.max)
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
UNITS = ["day", "week", "month", "quarter", "year"]
OFFICE = {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}
EPOCH = datetime.datetime(1970, 1, 1)


def add_months(first, months):
    """The first of the month so many months later."""
    whole = first.year * 12 + first.month - 1 + months
    return datetime.date(whole // 12, whole % 12 + 1, 1)


class Almanac:
    def __init__(self, settings):
        self.zone = ZoneInfo(settings.get("time_zone", "UTC"))
        self.week_start = WEEKDAYS.index(settings.get("week_start", "monday"))
        self.fiscal = settings.get("fiscal_year_start", 1)
        self.hours = settings.get("business_hours", OFFICE)
        self.holidays = set(settings.get("holidays", []))

    # --- instants (microseconds since 1970) and local time ---
    def local(self, at):
        """The wall clock, without a zone."""
        seconds = at // 1_000_000
        utc = (EPOCH + datetime.timedelta(seconds=seconds)).replace(tzinfo=datetime.timezone.utc)
        return utc.astimezone(self.zone).replace(tzinfo=None)

    def date(self, at):
        return self.local(at).date()

    def instant(self, wall):
        """The instant of a wall clock time: of two the first; where the clock is put forward over it, that of the change."""
        found = sorted(round(wall.replace(tzinfo=self.zone, fold=fold).timestamp()) for fold in (0, 1))
        real = [at for at in found if self.local(at * 1_000_000) == wall]
        if real:
            return real[0] * 1_000_000
        before, after = found
        while after - before > 1:
            middle = (before + after) // 2
            if self.local(middle * 1_000_000) < wall:
                before = middle
            else:
                after = middle
        return after * 1_000_000

    def business(self, begin, end):
        """Microseconds of business hours between two instants."""
        total, date, last = 0, self.date(begin) - DAY, self.date(max(begin, end)) + DAY
        while begin < end and date <= last:
            spans = [] if str(date) in self.holidays else self.hours.get(WEEKDAYS[date.weekday()], [])
            for opens, closes in spans:
                total += max(0, min(end, self.time_of(date, closes)) - max(begin, self.time_of(date, opens)))
            date += DAY
        return total

    def time_of(self, date, text):
        hours, minutes = map(int, text.split(":"))
        return self.instant(datetime.datetime.combine(date, datetime.time()) + datetime.timedelta(hours=hours, minutes=minutes))

    # --- units of time ---
    def start(self, unit, date):
        """First day of the unit that holds the date."""
        if unit == "day":
            return date
        if unit == "week":
            return date - DAY * ((date.weekday() - self.week_start) % 7)
        months = {"month": 1, "quarter": 3, "year": 12}[unit]
        return add_months(date.replace(day=1), -((date.month - self.fiscal) % months))

    def next(self, unit, start):
        """First day of the unit after the one that begins there."""
        if unit in ("day", "week"):
            return start + DAY * {"day": 1, "week": 7}[unit]
        return add_months(start, {"month": 1, "quarter": 3, "year": 12}[unit])

    def previous(self, unit, start):
        return self.start(unit, start - DAY)

    def label(self, unit, start):
        if unit in ("day", "week"):
            return str(start)
        if unit == "month":
            return "%04d-%02d" % (start.year, start.month)
        year = start.year - (start.month < self.fiscal)
        return str(year) if unit == "year" else "%d-Q%d" % (year, (start.month - self.fiscal) % 12 // 3 + 1)

    def whole(self, units, span):
        """The unit of those that the span is exactly, or None."""
        for unit in units:
            if span != EVER and self.start(unit, span[0]) == span[0] and self.next(unit, span[0]) - DAY == span[1]:
                return unit
        return None

    def named(self, text):
        """(first, last) day of 2026-03, 2026-Q1 or 2026."""
        year, _, part = text.partition("-")
        if not part:
            unit, first = "year", datetime.date(int(year), self.fiscal, 1)
        elif part.startswith("Q"):
            unit, first = "quarter", add_months(datetime.date(int(year), self.fiscal, 1), 3 * (int(part[1:]) - 1))
        else:
            unit, first = "month", datetime.date(int(year), int(part), 1)
        return first, self.next(unit, first) - DAY

    def period(self, name, today):
        """(first, last) day, or None where there is no such period."""
        plain = {"all": EVER, "today": (today, today), "yesterday": (today - DAY, today - DAY), "tomorrow": (today + DAY, today + DAY)}
        if name in plain:
            return plain[name]
        which, _, unit = name.partition("_")
        if name in ("last_7_days", "last_30_days", "last_90_days"):
            return today - DAY * (int(name.split("_")[1]) - 1), today
        if which not in ("this", "last", "next") or unit not in UNITS[1:]:
            return None
        first = self.start(unit, today)
        if which == "last":
            first = self.previous(unit, first)
        if which == "next":
            first = self.next(unit, first)
        return first, self.next(unit, first) - DAY


def round_half_away(value):
    """A Fraction to the nearest whole number, half away from zero."""
    whole = (abs(Fraction(value)) * 2 + 1) // 2
    return int(whole if value >= 0 else -whole)
