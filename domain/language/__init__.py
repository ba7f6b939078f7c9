"""The process language: from text to a definition with every problem located, and back to text."""

from domain.language.checking.agents import agent_problems
from domain.language.checking.notifications import channel_problems
from domain.language.checking.schedules import interval_problems
from domain.language.checking.secrets import secret_problems
from domain.language.documents import definition_document, json_schema, load_definition, print_definition
from domain.language.parsed import Parsed
from domain.language.parsing import parse_definition

__all__ = [
    "Parsed",
    "agent_problems",
    "channel_problems",
    "definition_document",
    "interval_problems",
    "json_schema",
    "load_definition",
    "parse_definition",
    "print_definition",
    "secret_problems",
]
