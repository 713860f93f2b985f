"""Lives of the kinds around the sales and service ones: meetings, interactions, campaigns and their responses, visits, users, goals."""
from lives import DAY, HOUR, Life
from vocabulary import WORDS, money


def meeting(tenant):
    life, rng, at = Life(tenant, "meeting"), tenant.rng, tenant.moment()
    about = life.some("deal contact", at, 0.6) | life.owned()
    if rng.random() < 0.8:
        life.happens(at, "scheduled", due=tenant.values.of("due", at), **about)
        at, about = tenant.moment(at, 8 * DAY), {}
    if rng.random() < 0.15:
        life.happens(at, "cancelled")
        return
    life.happens(at, "held", duration_s=rng.randrange(600, 7200), **about)
    if rng.random() < 0.01:
        life.end_badly(at + HOUR, "held")


def interaction(tenant):
    life, rng, at = Life(tenant, "interaction"), tenant.rng, tenant.moment()
    data = life.some("case contact channel duration_s", at) | life.owned()
    if rng.random() < 0.6:
        data |= {"cost": money(rng, tenant.currency, 60), "currency": tenant.currency}
    life.happens(at, "logged", **data)
    if rng.random() < 0.01:
        life.end_badly(at + HOUR, "logged", channel="chat")


def campaign(tenant):
    """One of the few campaigns that everything else names."""
    life, rng, at = Life(tenant, "campaign", tenant.reference("campaign")), tenant.rng, tenant.moment()
    data = life.some("name channel", at) | life.owned() | {"cost": money(rng, tenant.currency, 900), "budget": money(rng, tenant.currency, 2000)}
    life.happens(at, "updated" if rng.random() < 0.1 else "started", **data)
    if rng.random() < 0.5:
        life.happens(tenant.moment(at, 20 * DAY), "updated", cost=money(rng, tenant.currency, 1500))
    if rng.random() < 0.5:
        life.happens(tenant.moment(at, 60 * DAY), "ended")


def response(tenant):
    life, at = Life(tenant, "response"), tenant.moment()
    life.happens(at, "received", **life.some("campaign contact channel source", at, 0.8), **life.owned())
    if tenant.rng.random() < 0.01:
        life.end_badly(at + HOUR, "received")


def visit(tenant):
    life, rng, at = Life(tenant, "visit"), tenant.rng, tenant.moment()
    known = life.some("source campaign", at) | life.some("contact", at, 0.2)
    if rng.random() < 0.95:
        life.happens(at, "started", **known)
        known = {}
    for _ in range(rng.randrange(0, 6)):
        at = tenant.moment(at, 300)
        life.happens(at, "page_viewed", page=tenant.values.of("page", at), **known)
        known = {}
    if rng.random() < 0.1:
        life.happens(at + rng.random() * 60, "goal_completed", goal=rng.choice(WORDS["goal"]))
    if rng.random() < 0.6:
        life.happens(at + rng.random() * 60, "ended")


def user(tenant):
    """Somebody who works with the CRM: the owners of everything else."""
    name = tenant.rng.choice(tenant.owners)
    life, rng, at = Life(tenant, "user", name), tenant.rng, tenant.moment()
    if rng.random() < 0.7:
        life.happens(at, "created", team=tenant.team_of[name], name=tenant.values.of("name", at))
    for _ in range(rng.randrange(1, 8)):
        at = tenant.moment(at, 3 * DAY)
        life.happens(at, "signed_in")
    if rng.random() < 0.05:
        life.happens(tenant.moment(at, 20 * DAY), "deactivated")


def goal(tenant):
    life, rng, at = Life(tenant, "goal"), tenant.rng, tenant.moment()
    data = {name: tenant.values.of(name, at) for name in ("metric", "target", "period")} | life.some("owner team pipeline source", at, 0.2)
    life.happens(at, "set", **data)
    if rng.random() < 0.2:
        life.happens(tenant.moment(at, 20 * DAY), "set", **data | {"target": tenant.values.of("target", at)})
    if rng.random() < 0.05:
        life.happens(tenant.moment(at, 40 * DAY), "removed")


MORE = [(meeting, 6), (interaction, 6), (campaign, 1), (response, 8), (visit, 14), (user, 4), (goal, 1)]
