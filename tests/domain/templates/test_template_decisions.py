"""Templates of the organisation: who may save, share and withdraw one, and what is recorded."""

from datetime import UTC, datetime

import msgspec
import pytest

from domain.event import Cause, record
from domain.refusal import Malformed
from domain.templates.access import TemplateCaller
from domain.templates.decisions import (
    NotTemplateKeeper,
    TemplateContent,
    TemplateNotFound,
    save_template,
    share_template,
    withdraw_template,
)
from domain.templates.events import TemplatePublished, TemplateRevised, TemplateShared, TemplateWithdrawn
from domain.templates.state import fold
from tests.scenario import refused, scenario

CAUSE = Cause(datetime(2026, 12, 1, tzinfo=UTC), "user:ann")
ANN = TemplateCaller("user:ann", frozenset({"desk"}))
BOB = TemplateCaller("user:bob", frozenset({"desk"}))
EVE = TemplateCaller("user:eve")
ADMIN = TemplateCaller("user:root", admin=True)
INTAKE = TemplateContent("intake", "template: …", "Intake", process="claims-intake")
SECOND = msgspec.structs.replace(INTAKE, source="template: … # 2")

given = scenario(fold)


def published(team: str = "") -> TemplatePublished:
    return record(
        TemplatePublished,
        CAUSE,
        name="intake",
        source=INTAKE.source,
        title="Intake",
        team=team,
        process="claims-intake",
    )


def revised() -> TemplateRevised:
    return record(
        TemplateRevised, CAUSE, name="intake", version=2, source=SECOND.source, title="Intake", process="claims-intake"
    )


def shared(shared_with: str) -> TemplateShared:
    return record(TemplateShared, CAUSE, name="intake", shared_with=shared_with)


def withdrawn() -> TemplateWithdrawn:
    return record(TemplateWithdrawn, CAUSE, name="intake", reason="old")


def test_the_first_version_is_published_and_private() -> None:
    given().when(save_template, INTAKE, "", ANN, CAUSE).then(published())
    state = fold([published()])
    assert state is not None
    assert (state.shared_with, ANN.sees(state), EVE.sees(state), ADMIN.sees(state)) == ("private", True, False, True)


def test_a_further_version_is_a_revision_and_the_same_document_none() -> None:
    given(published()).when(save_template, SECOND, "", ANN, CAUSE).then(revised())
    given(published()).when(save_template, INTAKE, "", ANN, CAUSE).then()
    state = fold([published(), revised()])
    assert state is not None
    assert state.sources == (INTAKE.source, SECOND.source)


def test_a_revision_takes_a_withdrawal_back() -> None:
    given(published(), withdrawn()).when(save_template, INTAKE, "", ANN, CAUSE).then("TemplateRevised")
    state = fold([published(), withdrawn(), revised()])
    assert state is not None
    assert state.withdrawn is None


def test_only_keepers_revise() -> None:
    given(published(), shared("organisation")).when(save_template, SECOND, "", EVE, CAUSE).then(
        refused("template_name_taken")
    )
    given(published(team="desk")).when(save_template, SECOND, "", BOB, CAUSE).then("TemplateRevised")
    given(published()).when(save_template, SECOND, "", ADMIN, CAUSE).then("TemplateRevised")


def test_a_template_is_kept_with_a_team_of_its_author() -> None:
    given().when(save_template, INTAKE, "desk", ANN, CAUSE).then(published(team="desk"))
    given().when(save_template, INTAKE, "desk", EVE, CAUSE).then(Malformed)
    given().when(save_template, INTAKE, "desk", ADMIN, CAUSE).then("TemplatePublished")


@pytest.mark.parametrize(("shared_with", "seen"), [("private", ""), ("team:desk", "bob"), ("organisation", "bob eve")])
def test_it_is_seen_by_those_it_is_shared_with(shared_with: str, seen: str) -> None:
    state = fold([published(), shared(shared_with)])
    assert state is not None
    assert " ".join(name for name, caller in (("bob", BOB), ("eve", EVE)) if caller.sees(state)) == seen


def test_a_limited_caller_sees_templates_of_its_processes_alone() -> None:
    state = fold([published(), shared("organisation")])
    assert state is not None
    assert TemplateCaller("user:lim", processes=("claims-*",)).sees(state)
    assert not TemplateCaller("user:lim", processes=("loans-*",)).sees(state)
    assert not TemplateCaller("user:ann", processes=("loans-*",)).keeps(state)


def test_sharing_is_recorded_once() -> None:
    given(published()).when(share_template, "team:desk", ANN, CAUSE).then(shared("team:desk"))
    given(published(), shared("team:desk")).when(share_template, "team:desk", ANN, CAUSE).then()
    given(published()).when(share_template, "team:a b", ANN, CAUSE).then(Malformed)
    given(published(), withdrawn()).when(share_template, "organisation", ANN, CAUSE).then(refused("template_withdrawn"))


def test_others_change_nothing_and_those_who_do_not_see_it_find_nothing() -> None:
    given(published()).when(share_template, "organisation", EVE, CAUSE).then(TemplateNotFound)
    given().when(withdraw_template, "old", ANN, CAUSE).then(TemplateNotFound)
    given(published(), shared("organisation")).when(withdraw_template, "old", EVE, CAUSE).then(NotTemplateKeeper)


def test_a_withdrawal_is_recorded_once() -> None:
    given(published()).when(withdraw_template, "old", ANN, CAUSE).then(withdrawn())
    given(published(), withdrawn()).when(withdraw_template, "again", ANN, CAUSE).then()
