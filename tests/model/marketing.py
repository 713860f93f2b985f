"""Facts of campaigns, responses, visits, users and goals."""


class MarketingFacts:
    def facts_of_campaign(self, campaign):
        more = {"currency": self.currency(campaign), "channel": campaign.get("channel")}
        self.add("campaign_started", campaign, campaign.created, more, cost=self.money(campaign, "cost"), budget=self.money(campaign, "budget"))

    def facts_of_response(self, response):
        self.add("campaign_response", response, response.created, {"channel": response.get("channel")})

    def facts_of_visit(self, visit):
        first, last = visit.events[0], visit.events[-1]
        pages = [e for e in visit.events if e.verb == "page_viewed"]
        page = next((e.data["page"] for e in visit.events if e.data.get("page") is not None), None)
        self.add("visit", visit, first.at, {"page": page}, pages=len(pages), seconds=self.elapsed(first.at, last.at),
                 with_goal=int(visit.first("goal_completed") is not None))

    def facts_of_user(self, user):
        who, inside, born, deactivated = {"user": user.name}, False, False, False
        for event in user.events:
            if event is user.opening or (born and deactivated and user.opens(event)):
                if not inside:
                    self.add("user_entered", user, event.at, who)
                born = inside = True
                deactivated = False
            if event.verb == "deactivated":
                if inside:
                    self.add("user_left", user, event.at, who)
                inside, deactivated = False, True
        days = {self.almanac.date(e.at) for e in user.events if e.verb == "signed_in"}
        for unit in ("day", "week", "month"):
            for start in {self.almanac.start(unit, day) for day in days}:
                self.put("user_active", user, (unit, start), who)

    def facts_of_goal(self, goal):
        if None not in (goal.get("period"), goal.get("metric"), goal.get("target")):
            more = {"pipeline": goal.get("pipeline"), "metric": goal.get("metric"), "currency": self.currency(goal)}
            self.put("goal_set", goal, self.almanac.named(goal.get("period"))[0], more, amount=self.money(goal, "target"))
