"""The decision about one execution that follows from an event in another: pure, from event to decision."""

from collections.abc import Callable

from domain.event import Cause
from domain.executions.decisions.child import close_child, end_child, start_child
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.child import ChildStarted, SubProcessClosed
from domain.executions.events.execution import ExecutionEnded
from domain.executions.state.model import Execution
from store.lists.outbox import Message


def whenever(message: Message, cause: Cause, take: Take, descendants: int = 0) -> Callable[[Execution], Unfolding]:
    """Return the decision that a message requires about its recipient.

    descendants: for a message that starts a child, the number of executions that its root has started so far. Raises
    TypeError for an event that requires nothing of another execution.
    """
    match message.event:
        case ChildStarted() as started:
            return lambda child: start_child(child, started, message.source, cause, take, descendants=descendants)
        case SubProcessClosed() as closed:
            return lambda child: close_child(child, closed, message.source, cause, take)
        case ExecutionEnded() as end:
            return lambda parent: end_child(parent, message.source, end, cause, take)
        case other:
            raise TypeError(f"{type(other).__name__} asks nothing of another execution")
