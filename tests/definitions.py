"""Plans of processes that tests write down, as a published version gives them."""

from domain.identity import process_id
from domain.language import definition_document, load_definition, parse_definition
from domain.processes.plan import Limits, Plan, compile_plan


def plan_of(source: str, version: int = 1, limits: Limits = Limits()) -> Plan:  # noqa: B008 - immutable
    """Return the plan of a valid text, read back from the document that is stored of it."""
    parsed = parse_definition(source)
    assert parsed.definition is not None, parsed.problems
    definition = load_definition(definition_document(parsed.definition))
    return compile_plan(definition, process_id(definition.name or "p"), version, limits)
