-- What each agent with a limit has used of it, for all workers (domain/agents/limits.py): the claim of an attempt moves the
-- row (store/lists/agent_limits.py). use: the counts, as JSON. free_at: until then rate or tokens admit no further call.
-- paused_until: until then the agent takes no calls, as its Retry-After says.
create table agent_limits (
  agent text collate "C" primary key,
  use text not null default '{}',
  free_at timestamptz,
  paused_until timestamptz
) with (fillfactor = 50);

-- Whether the attempt was claimed under the limits of its agent. The attempts that a worker has are the open calls: a
-- worker that is lost leaves none behind. The index holds the attempts of agents with limits alone.
alter table due_steps add column limited boolean not null default false;
create index due_steps_limited_idx on due_steps (agent) where limited and owner is not null;
