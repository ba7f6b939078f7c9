-- A worker claims due attempts in turns, agent by agent and process by process (store/lists/turns.py). A row that a worker
-- of the release before writes has neither: the group of ('', all zeroes) is a group like any other, and the worker that
-- claims such a row reads its agent from the log. Notifications are attempts of the agent ''.
alter table due_steps
  add column agent text collate "C" not null default '',
  add column process_id uuid not null default '00000000-0000-0000-0000-000000000000';

create index due_steps_turns_idx on due_steps (agent, process_id, due_at) where owner is null;

-- As move_due_steps_v1, and it notes the agent and the process of each attempt.
create function move_due_steps_v2(
  appended bigint,
  done_executions uuid[], done_steps text[],
  next_executions uuid[], next_steps text[], next_attempts int[], next_owners uuid[],
  next_agents text[], next_processes uuid[],
  gone boolean
) returns text language plpgsql as $$
begin
  if cardinality(done_executions) > 0 then
    delete from due_steps d using unnest(done_executions, done_steps) as x(execution_id, step)
      where d.execution_id = x.execution_id and d.step = x.step;
  end if;
  if cardinality(next_executions) > 0 then
    insert into due_steps (execution_id, step, attempt, owner, agent, process_id)
      select * from unnest(next_executions, next_steps, next_attempts, next_owners, next_agents, next_processes)
      on conflict (execution_id, step) do update set attempt = excluded.attempt, owner = excluded.owner,
        due_at = excluded.due_at, agent = excluded.agent, process_id = excluded.process_id;
  end if;
  return concat_ws(' ', case when array_position(next_owners, null) is not null then 'due' end, case when gone then 'gone' end);
end $$;
