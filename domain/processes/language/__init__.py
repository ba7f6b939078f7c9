"""The process language: from text to a definition with every problem located, and back."""

from domain.processes.language.agents import agent_problems
from domain.processes.language.children import process_problems
from domain.processes.language.documents import definition_document, json_schema, load_definition, print_definition
from domain.processes.language.notifications import channel_problems
from domain.processes.language.parsed import Parsed
from domain.processes.language.parsing import parse_definition

__all__ = [
    "Parsed",
    "agent_problems",
    "channel_problems",
    "definition_document",
    "json_schema",
    "load_definition",
    "parse_definition",
    "print_definition",
    "process_problems",
]
