"""What is run: W1, ten steps one after the other; W2, ten at once and a join; one timer. Agents answer at once."""

AGENT = {"kind": "scripted", "script": "answers", "answers": [{"text": "x" * 190}], "usage": "none"}
STEPS = 10

W1 = (
    "name: bench-sequential\nsteps:\n"
    + "".join(
        f"  - {{id: s{n}, agent: noop, message: go{f', depends_on: s{n - 1}' if n else ''}}}\n" for n in range(STEPS)
    )
    + 'outputs: {answer: "{{ steps.s9.output.text }}"}\n'
)

W2 = (
    "name: bench-parallel\nsteps:\n"
    + "".join(f"  - {{id: s{n}, agent: noop, message: go}}\n" for n in range(STEPS))
    + f"  - {{id: join, agent: noop, message: go, depends_on: [{', '.join(f's{n}' for n in range(STEPS))}]}}\n"
    + 'outputs: {answer: "{{ steps.join.output.text }}"}\n'
)

TIMER = """name: bench-timer
input: {at: {type: string, required: true}}
steps: [{id: wait, type: timer, until: "{{ input.at }}"}]
"""

NAMES = {
    "w1": ("bench-sequential", W1, STEPS),
    "w2": ("bench-parallel", W2, STEPS + 1),
    "timer": ("bench-timer", TIMER, 1),
}
