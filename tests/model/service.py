"""Facts of calls, meetings, emails, cases and interactions."""
from intake import micros


class ServiceFacts:
    # --- calls, meetings, emails ---
    @staticmethod
    def purpose(call):
        return call.get("purpose") or ("service" if call.get("case") is not None else "sales")

    def hour(self, at):
        return "%02d" % self.almanac.local(at).hour

    def due(self, entity, activity, *done):
        plan = entity.last("scheduled", "cancelled")
        if entity.get("due") is not None and plan and plan.verb == "scheduled" and not entity.first(*done):
            self.add("activity_due", entity, micros(entity.get("due")), {"activity": activity})

    def facts_of_call(self, call):
        done, missed, purpose = call.first("completed"), call.first("missed"), self.purpose(call)
        if done:
            more = {"purpose": purpose, "direction": call.get("direction"), "currency": self.currency(call), "hour": self.hour(done.at)}
            self.add("call", call, done.at, more, duration=call.milliseconds("duration_s"), wait=call.milliseconds("wait_s"),
                     cost=self.money(call, "cost"))
            self.add("activity", call, done.at, {"activity": "call"})
            if purpose == "service":
                self.contact_of_service(call, done.at, "call")
        elif missed and call.get("direction") != "outbound":
            self.add("call_lost", call, missed.at, {"purpose": purpose, "hour": self.hour(missed.at)}, wait=call.milliseconds("wait_s"))
        if call.get("callback") is True and (done or missed):
            self.add("callback", call, (done or missed).at, {"purpose": purpose})
        self.due(call, "call", "completed", "missed")

    def contact_of_service(self, entity, at, channel):
        costed = int(entity.get("cost") is not None)
        self.add("service_contact", entity, at, {"channel": channel, "currency": self.currency(entity)}, costed=costed, cost=self.money(entity, "cost"))

    def facts_of_interaction(self, interaction):
        self.contact_of_service(interaction, interaction.created, interaction.get("channel"))

    def facts_of_meeting(self, meeting):
        if held := meeting.first("held"):
            self.add("activity", meeting, held.at, {"activity": "meeting"})
        self.due(meeting, "meeting", "held")

    def facts_of_email(self, email):
        self.add("activity", email, email.created, {"activity": "email"})
        self.add("email_sent", email, email.created)
        for verb in ("delivered", "opened", "clicked", "replied", "bounced", "complained"):
            if email.first(verb):
                self.add("email_" + verb, email, email.created)
        if email.get("campaign") is not None and (answer := email.first("clicked", "replied")):
            self.add("campaign_response", email, answer.at, {"channel": "email"})

    # --- cases ---
    def facts_of_case(self, case):
        where = {name: case.get(name) for name in ("case_kind", "priority", "channel")}
        self.add("case_opened", case, case.created, where)
        resolved, closed = self.settle(case, where)
        for fact, event in (("case_resolved", resolved), ("case_closed", closed)):
            if event:
                same = self.almanac.date(case.created) == self.almanac.date(event.at)
                self.add(fact, case, event.at, where, same_day=int(same), **self.times(case, event))
        response = next((e for e in case.events if e.verb == "responded" and e.at >= case.created), None)
        if response:
            self.add("case_response", case, response.at, where, **self.times(case, response))
        self.promise(case, "response", response, where)
        self.promise(case, "resolve", resolved, where)
        if rated := case.last("rated"):
            where = {"channel": case.get("channel"), "case_kind": case.get("case_kind")}
            self.add("rating", case, rated.at, where, score=int(rated.data["score"]), satisfied=int(rated.data["score"] >= 4))

    def times(self, case, event):
        return {"seconds": self.elapsed(case.created, event.at), "business_seconds": self.almanac.business(case.created, event.at) // 1000}

    def settle(self, case, where):
        """(event that resolved it, event that closed it), standing; adds reopenings and the times when it was open."""
        resolved, closed, inside, born = None, None, False, False
        for event in case.events:
            born = born or event is case.opening
            if event.verb in ("resolved", "closed") and not resolved:
                resolved = event
            if event.verb == "closed" and not closed:
                closed = event
            if event.verb == "reopened" and resolved:
                resolved = closed = None
                self.add("case_reopened", case, event.at, where)
            stays = born and not resolved
            if stays != inside:
                self.add("case_entered" if stays else "case_left", case, event.at, where)
            inside = stays
        return resolved, closed

    def promise(self, case, promise, settled, where):
        if case.get(promise + "_due") is None:
            return
        due, where = micros(case.get(promise + "_due")), where | {"promise": promise}
        if settled and settled.at <= due:
            self.add("promise_met", case, settled.at, where)
        elif settled or due < self.clock:
            self.add("promise_missed", case, due, where)
