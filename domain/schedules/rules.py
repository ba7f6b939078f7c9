"""The terms of registered rules, read from the documents that the registrations hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from pydantic import ValidationError

from domain.calendar.instants import Instant, instants, jittered, next_instant
from domain.calendar.rule import InvalidRule, Rule, rule_of
from domain.calendar.words import in_words
from domain.calendars.calendar import CalendarContent
from domain.language.types.triggers import ScheduleTrigger
from domain.schedules.schedule import Registration
from domain.schedules.terms import NEVER, ExpectedInstant, Terms


@dataclass(frozen=True, slots=True)
class RuleTimetable:
    """Implements `Timetable` by the calculator. key: of the schedule, for its jitter."""

    rule: Rule
    key: UUID

    def after(self, instant: datetime) -> Iterator[Instant]:
        """Yield the expected instants after `instant`."""
        return instants(self.rule, instant)

    def due_at(self, instant: ExpectedInstant) -> datetime:
        """Return when the instant is due: a delay that reaches the next instant counts from there on anew."""
        at = instant.at
        delay = jittered(self.rule, self.key, at) - at
        if not delay:
            return at
        following = next_instant(self.rule, at)
        return at + (delay if following is None else delay % (following.at - at))


def terms_of(registration: Registration) -> Terms:
    """Return the terms of a registered rule; one that this release refuses has no instants."""
    stated = (registration.key, registration.rule, registration.calendars, registration.anchor)
    return _terms(msgspec.json.encode(stated, order="sorted"))


@lru_cache(10_000)
def _terms(encoded: bytes) -> Terms:
    key, document, calendars, anchor = _decode(encoded)
    try:
        trigger = ScheduleTrigger.model_validate(document)
        rule = rule_of(trigger, anchor=anchor, calendars=calendars)
    except (InvalidRule, ValidationError) as error:
        return Terms(NEVER, refusal=str(error))
    timetable = RuleTimetable(rule, key)
    return Terms(timetable, trigger.overlap, trigger.catch_up, trigger.catch_up_window, trigger.pause_after)


_decode = msgspec.json.Decoder(tuple[UUID, dict[str, Any], dict[str, CalendarContent], datetime]).decode


def describe(registration: Registration) -> str:
    """Return the rule in words; for a rule that this release refuses, the reason."""
    terms = terms_of(registration)
    return in_words(terms.timetable.rule) if isinstance(terms.timetable, RuleTimetable) else terms.refusal
