"""Bundled templates that cannot be used: listed with the reason beside the others, which they do not disturb."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from commands.template_uses import TemplateUses, UseTemplate
from domain.refusal import Forbidden
from domain.templates.access import TemplateCaller
from domain.templates.references import TemplateReference
from gateway.catalogue import BUNDLED, Catalogue, release
from queries.templates.detail import get_template
from queries.templates.library import TemplateFilter, list_templates
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.views import TemplateSummary
from tests.api.conftest import Installation, cause

ANN = TemplateCaller("user:ann")


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """A folder of templates, most of which are broken."""
    found = BUNDLED.find("content-review")
    assert found is not None
    good = found.source.replace("version: 1", "version: 2", 1)
    (tmp_path / "content-review.yaml").write_text(good)
    (tmp_path / "content-review@1.yaml").write_text(found.source)
    (tmp_path / "future.yaml").write_text(good.replace('engine: ">=0.1"', 'engine: ">=99"'))
    (tmp_path / "latin.yaml").write_bytes(b"template: \xff\xfe")
    (tmp_path / "list.yaml").write_text("- not\n- a template\n")
    (tmp_path / "open.yaml").write_text("template: {id: open\nprocess: [")
    (tmp_path / "undeclared.yaml").write_text(good.replace("parameters.writer", "parameters.nobody"))
    (tmp_path / "empty.yaml").write_text("")
    return Catalogue(tmp_path)


def listed(installation: Installation, catalogue: Catalogue) -> dict[str, TemplateSummary]:
    surroundings = TemplateSurroundings(release(), catalogue=catalogue)
    page = list_templates(installation.reading, surroundings, ANN, TemplateFilter(), limit=50)
    return {each.template_id.partition(":")[2]: each for each in page.items}


def test_broken_templates_are_listed_with_the_reason(
    client: TestClient, installation: Installation, catalogue: Catalogue
) -> None:
    installation.project()
    found = listed(installation, catalogue)
    assert {name: each.status for name, each in found.items()} == {
        "content-review": "ok",
        "empty": "invalid",
        "future": "incompatible",
        "latin": "invalid",
        "list": "invalid",
        "open": "invalid",
        "undeclared": "invalid",
    }
    assert all(each.problems for name, each in found.items() if name != "content-review")
    assert ">=99" in found["future"].problems[0].message
    assert "unknown_parameter" in {problem.code for problem in found["undeclared"].problems}


def test_one_broken_template_is_shown_and_makes_nothing(
    client: TestClient, installation: Installation, catalogue: Catalogue
) -> None:
    installation.project()
    surroundings = TemplateSurroundings(release(), catalogue=catalogue)
    uses = TemplateUses(installation.log, installation.processes, catalogue)
    for name, status in (("open", "invalid"), ("future", "incompatible"), ("latin", "invalid")):
        reference = TemplateReference("bundled", name)
        shown = get_template(installation.reading, surroundings, ANN, reference)
        assert (shown.status, shown.definition is None) == (status, status == "invalid")
        with pytest.raises(Forbidden) as refused:
            uses.use(UseTemplate(reference, ANN, "made"), cause())
        assert refused.value.code == f"template_{status}"


def test_an_earlier_version_stays_usable(client: TestClient, installation: Installation, catalogue: Catalogue) -> None:
    installation.project()
    reference = TemplateReference("bundled", "content-review")
    uses = TemplateUses(installation.log, installation.processes, catalogue)
    assert uses.use(UseTemplate(reference, ANN, "first", 1), cause()).facts["template_version"] == 1
    assert uses.use(UseTemplate(reference, ANN, "second"), cause()).facts["template_version"] == 2
    surroundings = TemplateSurroundings(release(), catalogue=catalogue)
    installation.project()
    shown = get_template(installation.reading, surroundings, ANN, reference)
    assert [(each.version, each.uses) for each in shown.versions] == [(2, 1), (1, 1)]
