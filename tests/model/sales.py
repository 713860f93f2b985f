"""Facts of contacts, accounts, deals and customers."""


class SalesFacts:
    # --- contacts ---
    def link_contacts(self):
        """`into`: merged contact -> the one it is merged into, cycles cut at their latest link; `cut`: those whose link was cut."""
        links = {}
        for entity in self.entities.values():
            merges = [e for e in (entity.all if entity.deleted else entity.events) if e.verb == "merged"] if entity.kind == "contact" else []
            if merges:
                links[entity.name] = merges[-1]
        self.cut = set()
        for start in list(links):
            path, name = [], start
            while name in links and name not in path:
                path.append(name)
                name = links[name].data["into"]
            if name in path:
                latest = max(path[path.index(name):], key=lambda one: (links[one].order, one.encode()))
                del links[latest]
                self.cut.add(latest)
        self.into = {name: event.data["into"] for name, event in links.items()}

    def survivor(self, name):
        while name in self.into:
            name = self.into[name]
        return name

    def names(self, entity, contact):
        """Does the entity name the contact, or one merged into it?"""
        return entity.get("contact") is not None and self.survivor(entity.get("contact")) == contact.name

    def facts_of_contact(self, contact):
        self.add("lead", contact, contact.created)
        if contact.get("referred_by") is not None or contact.get("source") == "referral":
            self.add("referral", contact, contact.created)
        if qualified := contact.first("qualified"):
            self.add("lead_qualified", contact, qualified.at)
        self.lists(contact)
        wins = [(event, deal) for event, deal in self.wins if self.names(deal, contact)]
        for event, deal in wins:
            self.add("lead_revenue", contact, event.at, {"currency": self.currency(deal)}, amount=self.money(deal))
        if wins:
            first = min(event.at for event, _ in wins)
            self.add("lead_converted", contact, contact.created)
            self.add("conversion", contact, first, seconds=self.elapsed(contact.created, first))
        touches = [at for at in self.touches(contact) if at >= contact.created]
        if touches:
            self.add("lead_response", contact, min(touches), seconds=self.elapsed(contact.created, min(touches)))
        if not wins and not touches:
            self.add("lead_untouched", contact, None)

    def lists(self, contact):
        on = set()
        for event in contact.events:
            name = event.data.get("list") or "main"
            if event.verb == "subscribed" and name not in on:
                on.add(name)
                self.add("list_joined", contact, event.at, {"list": name})
            if event.verb == "unsubscribed" and name in on:
                on.remove(name)
                self.add("list_left", contact, event.at, {"list": name})

    def touches(self, contact):
        """Instants of completed calls, held meetings and sent emails that name it."""
        for entity in self.entities.values():
            done = {"call": entity.first("completed"), "meeting": entity.first("held"), "email": entity.opening}.get(entity.kind)
            if entity.exists and done and self.names(entity, contact):
                yield done.at

    def facts_of_account(self, account):
        if churned := account.last("churned"):
            self.add("account_churned", account, churned.at)

    # --- deals ---
    @staticmethod
    def outcome(deal):
        """("won" | "lost" | None, the event that set it)"""
        status, by = None, None
        for event in deal.events:
            if event.verb in ("won", "lost") and event.verb != status:
                status, by = event.verb, event
            elif event.verb == "reopened":
                status, by = None, None
        return status, by

    def find_wins(self):
        self.wins = [(by, deal) for deal in self.of("deal") for status, by in [self.outcome(deal)] if status == "won"]

    def facts_of_deal(self, deal):
        extra = {"pipeline": deal.get("pipeline") or "default", "sale": deal.get("sale") or "new", "currency": self.currency(deal)}
        calls = sum(c.first("completed") is not None and self.purpose(c) == "sales" and c.get("deal") == deal.name for c in self.of("call"))
        self.add("deal_created", deal, deal.created, extra | {"stage": deal.get("stage")}, amount=self.money(deal), calls=calls)
        in_row = {"pipeline": extra["pipeline"], "currency": extra["currency"]}
        stages, left = self.stages(deal, in_row)
        status, by = self.outcome(deal)
        if status:
            more = {"loss_reason": deal.get("loss_reason"), "competitor": deal.get("competitor"), "stage": left}
            self.add("deal_" + status, deal, by.at, extra | more, amount=self.money(deal), cost=self.money(deal, "cost"), calls=calls,
                     seconds=self.elapsed(deal.created, by.at))
            for stage in stages:
                self.add("stage_outcome", deal, by.at, {"pipeline": extra["pipeline"], "stage": stage}, won=int(status == "won"))
        else:
            self.open_deal(deal, in_row | {"stage": deal.get("stage")})
        for event in deal.events:
            if event.verb == "proposal_sent":
                self.add("proposal", deal, event.at, in_row, amount=self.money(deal))

    def open_deal(self, deal, where):
        expected = deal.get("expected_close")
        if expected is not None:
            day = self.today.fromisoformat(expected)
            self.put("deal_expected", deal, day, where, amount=self.money(deal))
            if day < self.today:
                self.put("overdue_deal", deal, None, where)
        if self.clock - deal.events[-1].at >= self.settings.get("stale_after", 30) * 86400_000_000:
            self.put("stale_deal", deal, None, where)

    def stages(self, deal, where):
        """Adds the entries into and leavings of stages; (all it was ever open in, the one it left by the event that closed it)."""
        month = {"expected_month": deal.get("expected_close") and deal.get("expected_close")[:7]}
        stage, inside, since, status, born, seen, left = None, False, None, None, False, {}, None

        def enter(event):
            self.add("stage_entered", deal, event.at, where | {"stage": stage}, amount=self.money(deal))
            self.add("deal_entered", deal, event.at, where | month | {"stage": stage}, amount=self.money(deal))
            seen[stage] = True

        def leave(event):
            self.add("stage_left", deal, event.at, where | {"stage": old}, amount=self.money(deal), seconds=self.elapsed(since, event.at))
            self.add("deal_left", deal, event.at, where | month | {"stage": old}, amount=self.money(deal))
        for event in deal.events:
            old, stage = stage, event.data.get("stage", stage)
            born = born or event is deal.opening
            if event.verb in ("won", "lost"):
                if status != event.verb:
                    left = old if inside else None
                status = event.verb
            elif event.verb == "reopened":
                status = None
            stays = born and status is None
            if inside and (not stays or stage != old):
                leave(event)
            if stays and (not inside or stage != old):
                since = event.at
                enter(event)
            inside = stays
        return seen, left

    # --- customers ---
    def facts_of_customers(self):
        customers = {}
        for event, deal in self.wins:
            account, contact = deal.get("account"), deal.get("contact")
            if account is not None or contact is not None:
                key = ("account", account) if account is not None else ("contact", self.survivor(contact))
                customers.setdefault(key, []).append((event.order, deal.name.encode(), event, deal))
        for wins in customers.values():
            wins.sort(key=lambda win: win[:2])
            first = wins[0][3]
            more = {"pipeline": first.get("pipeline") or "default", "sale": first.get("sale") or "new", "currency": self.currency(first)}
            self.add("customer_new", first, wins[0][2].at, more)
            for _, _, event, deal in wins:
                self.add("purchase", first, event.at, {"currency": self.currency(deal), "sale": deal.get("sale") or "new"}, amount=self.money(deal))
            self.periods_of_customer(first, [self.almanac.date(event.at) for _, _, event, _ in wins])

    def periods_of_customer(self, first, days):
        for unit in ("month", "quarter", "year"):
            starts = {self.almanac.start(unit, day) for day in days}
            for start in starts:
                self.put("customer_active", first, (unit, start))
                if start != min(starts):
                    self.put("customer_retained", first, (unit, start))
                if self.almanac.previous(unit, start) in starts:
                    self.put("customer_kept", first, (unit, start))
