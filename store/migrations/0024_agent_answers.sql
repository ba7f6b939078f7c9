-- The answer to an attempt that cannot be recorded, because its execution is set aside or has events of a newer release,
-- stays with the attempt: the worker that claims the attempt records the answer, and does not call the agent again
-- (store/lists/agent_answers.py). answered: the attempt that it answers; a later attempt of the step has no answer.
alter table due_steps
  add column answered int,
  add column answer bytea;
