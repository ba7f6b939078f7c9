"""The workloads: ten steps in a row (W1) or at once (W2), a parent and its child (W4), a long list (W9), and others."""

from typing import NamedTuple

AGENT = {"kind": "scripted", "script": "answers", "answers": [{"text": "x" * 190}], "usage": "none"}
SLOW_AGENT = {"kind": "scripted", "script": "slow", "delay": "40s", "usage": "none"}
STEPS = 10
CHILD_STEPS = 3


class Workload(NamedTuple):
    """A process, and the number of units that one execution of it counts for."""

    name: str
    source: str
    units: int
    unit: str = "steps"


def _sequential(name: str, steps: int) -> str:
    return (
        f"name: {name}\nsteps:\n"
        + "".join(
            f"  - {{id: s{n}, agent: noop, message: go{f', depends_on: s{n - 1}' if n else ''}}}\n"
            for n in range(steps)
        )
        + f'outputs: {{answer: "{{{{ steps.s{steps - 1}.output.text }}}}"}}\n'
    )


W1 = _sequential("bench-sequential", STEPS)

W2 = (
    "name: bench-parallel\nsteps:\n"
    + "".join(f"  - {{id: s{n}, agent: noop, message: go}}\n" for n in range(STEPS))
    + f"  - {{id: join, agent: noop, message: go, depends_on: [{', '.join(f's{n}' for n in range(STEPS))}]}}\n"
    + 'outputs: {answer: "{{ steps.join.output.text }}"}\n'
)

SLOW = "name: bench-slow\nsteps: [{id: s0, agent: slow, message: go}]\n"

TIMER = """name: bench-timer
input: {at: {type: string, required: true}}
steps: [{id: wait, type: timer, until: "{{ input.at }}"}]
"""

CHILD = _sequential("bench-child", CHILD_STEPS)

W4 = """name: bench-parent
steps: [{id: call, type: sub_process, process: bench-child, wait: true}]
outputs: {answer: "{{ steps.call.output.answer }}"}
"""

W9 = """name: bench-items
input: {items: {type: array, required: true}}
steps:
  - id: each
    type: sub_process
    for_each: {items: "{{ input.items }}", max_parallel: 100}
    steps: [{id: s0, agent: noop, message: go}]
    outputs: {answer: "{{ steps.s0.output.text }}"}
outputs: {count: "{{ steps.each.output | length }}"}
"""

# In the order of publication: a child before its parent.
WORKLOADS = {
    "w1": Workload("bench-sequential", W1, STEPS),
    "w2": Workload("bench-parallel", W2, STEPS + 1),
    "slow": Workload("bench-slow", SLOW, 1),
    "timer": Workload("bench-timer", TIMER, 1),
    "child": Workload("bench-child", CHILD, CHILD_STEPS),
    "w4": Workload("bench-parent", W4, 1, "parents"),
    "w9": Workload("bench-items", W9, 1, "lists"),
}
