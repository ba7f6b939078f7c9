"""The state of an execution and its evolution by events, one file a concept; importing the room registers them all."""

from domain.executions.state import approval, child, compensation, cost, execution, repetition, step, timer

__all__ = ["approval", "child", "compensation", "cost", "execution", "repetition", "step", "timer"]
