"""Templates of the organisation for tests of pages: recorded as they are, whatever their documents say."""

import dataclasses
from datetime import UTC, datetime

import msgspec

from domain.event import Cause
from domain.identity import template_id
from domain.templates.access import TemplateCaller
from domain.templates.decisions import TemplateContent, save_template, share_template
from domain.templates.samples import needs_of_source
from domain.templates.state import ORGANISATION, fold
from store.log import Log, Unit

EVERY_TYPE = """template:
  id: every-type
  name: Every type
  description: Asks for a value of each type.
  tags: [post, report]
  parameters:
    writer: {type: agent, title: Who writes}
    topic: {type: string, title: Topic, default: rain, pattern: "^[a-z ]+$"}
    words: {type: integer, title: Words, default: 300, minimum: 10, maximum: 5000}
    style: {type: enum, title: Style, enum: [plain, formal], default: plain}
    signed: {type: boolean, title: Signed by a person, default: false}
    people: {type: array, items: string, title: Who signs, default: [ann], when: parameters.signed}
    times: {type: cron, title: Times, default: "0 7 * * 1-5"}
    zone: {type: timezone, title: Zone, default: Europe/Berlin}
    wait: {type: duration, title: Wait, default: 15m}
    limit: {type: money, title: Daily limit, default: {amount: "5.00", currency: EUR}}
    extra: {type: object, title: More, default: {}}
  samples: [{writer: writer, signed: true}]
process:
  name: every-type
  steps:
    - id: write
      agent: ${{ parameters.writer }}
      message: "Write ${{ parameters.words }} ${{ parameters.style }} words about ${{ parameters.topic }}"
      parameters: {more: "${{ parameters.extra }}", signed: "${{ parameters.signed }}"}
    - {id: pause, type: timer, duration: "${{ parameters.wait }}", depends_on: write}
    - {id: sign, type: human_approval, title: Out?, approvers: "${{ parameters.people }}", depends_on: pause}
  triggers:
    - {type: schedule, id: often, cron: "${{ parameters.times }}", timezone: "${{ parameters.zone }}"}
  costs: {daily: "${{ parameters.limit }}"}
"""


def keep_template(log: Log, name: str, source: str, *, title: str = "", tags: tuple[str, ...] = ("post",)) -> str:
    """Record a template that everybody sees, or its next version; return its id."""
    cause, caller = Cause(datetime.now(UTC), "user:ann", "request", "test"), TemplateCaller("user:ann")
    stream = template_id(name)
    events = log.stream(stream)
    needed = msgspec.to_builtins(dataclasses.asdict(needs_of_source(source)))
    content = TemplateContent(name, source, title or name, "Of a test.", tags, "tests", name, 0, needed)
    new = save_template(fold(events), content, "", caller, cause)
    if not events:
        new += share_template(fold(new), ORGANISATION, caller, cause)
    log.append(Unit(stream, len(events), new))
    return f"org:{name}"
