"""Every event by its stored name. A name is a promise: it is never renamed, reused or removed."""

from domain.agents.events import AgentRegistered, AgentRetired
from domain.event import Event
from domain.executions.events import (
    CostRecorded,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionStarted,
    StepAccepted,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepReclaimed,
    StepScheduled,
    StepSkipped,
    StepStarted,
)
from domain.processes.events import ProcessArchived, ProcessDrafted, ProcessPublished, ProcessRevised

EVENTS: dict[str, type[Event]] = {
    "AgentRegistered": AgentRegistered,
    "AgentRetired": AgentRetired,
    "CostRecorded": CostRecorded,
    "ExecutionCancelled": ExecutionCancelled,
    "ExecutionCompleted": ExecutionCompleted,
    "ExecutionFailed": ExecutionFailed,
    "ExecutionStarted": ExecutionStarted,
    "ProcessArchived": ProcessArchived,
    "ProcessDrafted": ProcessDrafted,
    "ProcessPublished": ProcessPublished,
    "ProcessRevised": ProcessRevised,
    "StepAccepted": StepAccepted,
    "StepCancelled": StepCancelled,
    "StepCompleted": StepCompleted,
    "StepFailed": StepFailed,
    "StepReclaimed": StepReclaimed,
    "StepScheduled": StepScheduled,
    "StepSkipped": StepSkipped,
    "StepStarted": StepStarted,
}

STORED_NAMES: dict[type[Event], str] = {kind: name for name, kind in EVENTS.items()}
