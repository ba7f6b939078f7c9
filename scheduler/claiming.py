"""The duty of claiming due steps: recording that their attempts start, and calling their agents."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.agents.calls import AgentCall
from domain.executions.decisions.step import start_step
from domain.executions.engine.unfolding import Take
from scheduler.appending import Again, Work
from scheduler.batch import Batch, Decision
from scheduler.duty import DecidingDuty, Desk
from scheduler.lists import Attempt
from scheduler.timekeeper import Timekeeper
from store.lists.agent_limits import LimitedTurns
from store.lists.turns import MAX_GROUPS, UNKNOWN, StepGroup, StepTurn

MAX_CLAIM = 200


class Claiming(DecidingDuty[Attempt]):
    """Claims due attempts that no worker has, as many as it may take, and begins every attempt recorded as started.

    Each agent and process that waits has its turn; an agent of which the worker may have no more calls waits until one
    of them ends. An alarm wakes the duty when the rate, the tokens or the pause of an agent admit the next call.
    Attempts of executions that are on their way into the log are held, and count as open, until these have arrived.
    """

    word = "due"
    overlaps = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._last: StepGroup = UNKNOWN
        self._more = False
        self._vain_since: StepGroup | None = None
        self._timekeeper = Timekeeper("limits", desk.alarms, self.rouse)
        self._ensured: set[str] = set()
        self._awaits_end = False
        self._held: dict[Attempt, str] = {}  # with their agents
        self._blocked = False  # all that are held wait for batches on their way
        desk.states.epochs.subscribe(self.forget_all)

    def forget_all(self) -> None:
        """Ensure the rows of agents again; callable from any thread."""
        self._ensured = set()

    @property
    def ready(self) -> bool:
        """Whether attempts may be due, or are held, and the worker may take some."""
        appending, capacity = self.desk.appending, self.desk.capacity
        if appending.full:
            return False
        if self._held and not self._blocked:
            return True
        return (self._awake or self._more or capacity.ended) and capacity.left(appending.taking) > 0

    def wake(self, detail: str = "") -> None:
        """Note that attempts may be due, and that those held may be decided on."""
        super().wake()
        self._blocked = False

    def work(self) -> None:
        """Claim due attempts and record that they start; strike off attempts that are not due by the log."""
        claimed = self._free_of_batches(self._claim_due())
        if not claimed:
            return
        desk, appending = self.desk, self.desk.appending
        batch, idle, rest = self.decide(list(claimed))
        if idle:
            self.decide_afresh(idle, batch)
        for attempt in rest:
            self._hold(attempt, claimed.pop(attempt))
        if not appending.busy and not self._more and not desk.answers and desk.quiet():
            self._after(claimed, appending.now(batch))
        else:
            appending.later(Work(batch, lambda again: self._after(claimed, again), lambda: None))

    def recorded(self, batch: Batch) -> None:
        """Begin the attempts that the batch took; an agent that is full may have ended calls of it."""
        self._blocked = False
        # Attempts may wait for the end of a call that never begins, as its decision was not recorded.
        self._awake = self._awake or self._awaits_end or bool(batch.conflicts or batch.failures)
        if batch.taken:
            for execution_id, step, error in self.desk.calling.begin(batch.taken):
                self.desk.calling.abandon(execution_id, step)
                self.desk.aside.add(execution_id, error)

    def execution_of(self, item: Attempt) -> UUID:
        """Return the execution whose attempt is due."""
        return item[0]

    def decision(self, item: Attempt, at: datetime, take: Take) -> Decision:
        """Return the decision to start the attempt."""
        _, step, attempt = item
        cause = self.desk.cause(f"start:{step}:{attempt}", at)
        return lambda execution: start_step(execution, step, attempt, cause)

    def needless(self, items: list[Attempt], batch: Batch) -> None:
        """Drop attempts that are not due by the log; leave executions that this worker cannot read to other workers."""
        alone = self.desk.states.left_alone
        desk, steps = self.desk, [(id, step) for id, step, _ in items]
        desk.lists.postpone_steps(desk.worker_id, [step for step in steps if step[0] in alone])
        desk.lists.drop_steps(desk.worker_id, [step for step in steps if step[0] not in alone])

    def _claim_due(self) -> dict[Attempt, str]:
        """Claim due attempts, if there may be any; return those that the worker begins, with their agents."""
        desk, capacity, taking = self.desk, self.desk.capacity, self.desk.appending.taking
        limit = min(MAX_CLAIM, capacity.left(taking))
        if limit == 0 or not (self._awake or self._more or capacity.ended):
            return {}
        if self._awake or capacity.ended:
            self._awake = capacity.ended = False
            self._vain_since = None
        # An agent that admits no call now may be one that this worker has not met.
        desk.calling.read_limits(capacity.agents() | capacity.closed_agents)
        rooms = capacity.rooms(taking)
        made = self._claim(min(limit, capacity.share(taking)), rooms)
        turns = made.turns
        capacity.waiting = still_waiting(turns, capacity.waiting)
        self._more = self._may_go_on(turns, made.rooms)
        self._await(made)
        self._record_answers([attempt for turn in turns for attempt in turn.answered])
        return self._fitting(made)

    def _free_of_batches(self, claimed: dict[Attempt, str]) -> dict[Attempt, str]:
        """Return the attempts, those held included, that may be decided on now; hold the others."""
        in_flight = self.desk.appending.in_flight
        if not in_flight and not self._held:
            return claimed
        for agent in self._held.values():
            self.desk.capacity.open.add(agent, -1)
        waiting, self._held = {**self._held, **claimed}, {}
        for attempt in [each for each in waiting if each[0] in in_flight]:
            self._hold(attempt, waiting.pop(attempt))
        self._blocked = True
        return waiting

    def _hold(self, attempt: Attempt, agent: str) -> None:
        self._held[attempt] = agent
        self._blocked = False
        self.desk.capacity.open.add(agent)

    def _after(self, started: Collection[Attempt], again: Again) -> None:
        """Decide afresh on the attempts that met a conflict."""
        if again:
            self.decide_afresh([attempt for attempt in started if attempt[0] in again])

    def _claim(self, limit: int, rooms: Mapping[str, int]) -> LimitedTurns:
        desk, limited = self.desk, self.desk.capacity.listed_only()
        ensured = self._ensured
        unknown = limited.keys() - ensured
        if unknown:
            desk.lists.ensure_limits(sorted(unknown))
            ensured |= unknown
        return desk.lists.claim_steps(desk.worker_id, limit, rooms, self._last, limited)

    def _await(self, made: LimitedTurns) -> None:
        """Expect the times at which agents admit more calls; note whether one waits for the end of a call."""
        capacity = self.desk.capacity
        if made.waits:
            self._timekeeper.expect(self.desk.clock.now() + min(made.waits.values()))
        self._awaits_end = any(
            limits.max_open is not None and agent in capacity.waiting for agent, limits in capacity.limited.items()
        )

    def _may_go_on(self, turns: Sequence[StepTurn], rooms: Mapping[str, int]) -> bool:
        """Return whether another claim may find more at once, and note where it begins.

        If not all groups fit a claim, claims go on until groups all around had a turn in vain.
        """
        if not turns:
            return False
        before, self._last = self._last, last_served(turns, rooms)
        if any(turn.claimed for turn in turns):
            self._vain_since = None
            return len(turns) == MAX_GROUPS or any(len(turn.claimed) == turn.quota > 0 for turn in turns)
        if self._vain_since is None:
            self._vain_since = before
        if len(turns) == MAX_GROUPS and not is_between(self._vain_since, before, self._last):
            return True
        self._vain_since = None
        return False

    def _fitting(self, made: LimitedTurns) -> dict[Attempt, str]:
        """Return the claimed attempts that this worker may begin, with their agents; put the others back.

        The worker reads the limits of an agent, and the agent of a row that does not state it, after its first claim.
        """
        desk, turns = self.desk, made.turns
        claimed = [(each, turn.group) for turn in turns for each in turn.claimed if each not in turn.answered]
        if any(group == UNKNOWN for _, group in claimed):
            claimed = self._grouped(claimed)
        desk.calling.read_limits({agent for _, (agent, _) in claimed})
        shares = desk.take()
        taken: list[str] = []
        fitting: dict[Attempt, str] = {}
        others: list[tuple[UUID, str, StepGroup]] = []
        for attempt, group in claimed:
            agent = group[0]
            if group == UNKNOWN or agent in made.admitted or shares.grant(agent, taken.copy):
                taken.append(agent)
                fitting[attempt] = agent
            else:
                others.append((attempt[0], attempt[1], group))
                desk.capacity.waiting.add(agent)
        if others:
            desk.lists.regroup_steps(desk.worker_id, others)
            limited = desk.capacity.listed_only()
            self._awake = self._awake or any(group[0] in limited for _, _, group in others)
        under_way: set[Attempt] = set()
        if made.counted:
            under_way = desk.calling.attempts() | desk.appending.attempts() | self._held.keys()
        for agent, counted in made.counted.items():
            attempts = [attempt for attempt, group in claimed if group[0] == agent]
            desk.reports.claim(attempts, counted, under_way)
        return fitting

    def _record_answers(self, answered: Sequence[Attempt]) -> None:
        """Have the answers recorded that are kept with claimed attempts; their agents are not called again."""
        if not answered:
            return
        desk = self.desk
        answers = desk.lists.kept_answers(desk.worker_id, answered)
        desk.answers.extend((AgentCall(*attempt, "", "", 0, None), answer) for attempt, answer in answers)
        rest = {attempt[:2] for attempt in answered} - {attempt[:2] for attempt, _ in answers}
        if rest:
            desk.lists.postpone_steps(desk.worker_id, sorted(rest))

    def _grouped(self, claimed: list[tuple[Attempt, StepGroup]]) -> list[tuple[Attempt, StepGroup]]:
        """Return the attempts with the groups that the log has for them, where the list states none."""
        states = self.desk.states.load({attempt[0] for attempt, group in claimed if group == UNKNOWN})

        def group_of(attempt: Attempt, group: StepGroup) -> StepGroup:
            execution = states.get(attempt[0])
            if group != UNKNOWN or execution is None or attempt[1] not in execution.steps:
                return group
            return execution.steps[attempt[1]].agent, execution.plan.process_id

        return [(attempt, group_of(attempt, group)) for attempt, group in claimed]


def last_served(turns: Sequence[StepTurn], rooms: Mapping[str, int]) -> StepGroup:
    """Return the group after which the next claim begins: the last one before a group that was passed over.

    A group is passed over if it had no turn although there was room for its agent.
    """
    last = turns[0].group
    for turn in turns:
        if turn.quota == 0 and (turn.group == UNKNOWN or rooms.get(turn.group[0], 1) > 0):
            break
        last = turn.group
    return last


def still_waiting(turns: Sequence[StepTurn], before: set[str]) -> set[str]:
    """Return the agents of which attempts may be due still, after those in `before`; not all groups had a turn."""
    met = {turn.group[0] for turn in turns}
    if not met:
        return set()
    return {turn.group[0] for turn in turns if len(turn.claimed) >= turn.quota} | (before - met)


def is_between(group: StepGroup, after: StepGroup, until: StepGroup) -> bool:
    """Return whether a walk over the groups in their order, from their end to their beginning, comes by `group`.

    The walk begins after the group `after` and ends with `until`.
    """
    if after < until:
        return after < group <= until
    return group > after or group <= until
