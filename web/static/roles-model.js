// The matrix of roles without a page: what is stored, what is edited, undo and redo, and what a conflict is.
export const EXECUTOR = "executor";
export const LETTERS = { executor: "E", monitor: "M", informed: "I" };
const NAMES = { executor: "executor", monitor: "monitors", informed: "informed agents" };

export class RoleMatrix {
  // steps: [{id, name, may: [role]}]; stored: {step: {agent: role}}; own: {step: [agent]}; frozen: executors stay.
  constructor({ steps, stored, own, frozen }) {
    this.steps = new Map(steps.map((step) => [step.id, step]));
    this.frozen = frozen;
    this.edited = new Map();
    this.undone = [];
    this.done = [];
    this.store(stored, own);
  }

  store(stored, own) {
    this.stored = new Map();
    this.own = new Map();
    for (const id of this.steps.keys()) {
      this.stored.set(id, new Map(Object.entries(stored[id] ?? {})));
      this.own.set(id, new Set(own[id] ?? []));
    }
  }

  storedRole(step, agent) {
    return this.stored.get(step).get(agent) ?? "";
  }

  role(step, agent) {
    return this.edited.get(step)?.get(agent) ?? this.storedRole(step, agent);
  }

  changed(step, agent) {
    return this.edited.get(step)?.has(agent) ?? false;
  }

  byDefault(step, agent) {
    return !this.changed(step, agent) && this.storedRole(step, agent) !== "" && !this.own.get(step).has(agent);
  }

  executorOf(step, roleOf = (agent) => this.role(step, agent)) {
    const names = new Set([...this.stored.get(step).keys(), ...(this.edited.get(step)?.keys() ?? [])]);
    return [...names].find((agent) => roleOf(agent) === EXECUTOR) ?? "";
  }

  storedExecutorOf(step) {
    return this.executorOf(step, (agent) => this.storedRole(step, agent));
  }

  // Why an agent cannot have a role in a step; empty if it can.
  refusal(step, agent, role) {
    const { name, may, why } = this.steps.get(step);
    if (!may.length) return why;
    if (role && !may.includes(role)) return `${name} takes no ${NAMES[role]}.`;
    if (agent.startsWith("team:") && role && role !== "monitor") return `A team can only monitor: ${agent}.`;
    if (this.frozen && (role === EXECUTOR || this.role(step, agent) === EXECUTOR)) {
      return "Executors are frozen with a published version. Edit them as a draft.";
    }
    return "";
  }

  // The next role when a cell goes round.
  next(step, agent) {
    const round = ["", EXECUTOR, "monitor", "informed"];
    const at = round.indexOf(this.role(step, agent));
    for (let by = 1; by < round.length; by += 1) {
      const role = round[(at + by) % round.length];
      if (!this.refusal(step, agent, role)) return role;
    }
    return null;
  }

  // The cells that change if roles are set: an executor moves. Those that are refused are left out, and counted.
  plan(wanted) {
    const cells = new Map();
    let refused = 0;
    const put = (step, agent, to) => cells.set(JSON.stringify([step, agent]), { step, agent, from: this.role(step, agent), to });
    for (const { step, agent, role } of wanted) {
      if (this.role(step, agent) === role) continue;
      if (this.refusal(step, agent, role)) {
        refused += 1;
        continue;
      }
      const before = role === EXECUTOR ? this.executorOf(step) : "";
      if (before && before !== agent) put(step, before, "");
      put(step, agent, role);
    }
    const changes = [...cells.values()];
    const had = new Set(changes.filter(({ from }) => from === EXECUTOR).map(({ step }) => step));
    const has = new Set(changes.filter(({ to }) => to === EXECUTOR).map(({ step }) => step));
    return { changes, refused, moved: [...had].filter((step) => has.has(step)).length, bare: [...had].filter((step) => !has.has(step)).length };
  }

  apply(changes) {
    if (!changes.length) return;
    this.done.push(changes);
    this.undone = [];
    for (const { step, agent, to } of changes) this.put(step, agent, to);
  }

  put(step, agent, role) {
    const row = this.edited.get(step) ?? new Map();
    if (this.storedRole(step, agent) === role) row.delete(agent);
    else row.set(agent, role);
    if (row.size) this.edited.set(step, row);
    else this.edited.delete(step);
  }

  undo() {
    const changes = this.done.pop();
    if (!changes) return [];
    this.undone.push(changes);
    for (const { step, agent, from } of changes) this.put(step, agent, from);
    return changes;
  }

  redo() {
    const changes = this.undone.pop();
    if (!changes) return [];
    this.done.push(changes);
    for (const { step, agent, to } of changes) this.put(step, agent, to);
    return changes;
  }

  // What is edited, in the order of the steps.
  changes() {
    const found = [];
    for (const step of this.steps.keys()) {
      for (const [agent, to] of this.edited.get(step) ?? []) found.push({ step, agent, from: this.storedRole(step, agent), to });
    }
    return found;
  }

  // The body of the request that saves: an executor that another one follows needs no word of its own.
  changeSet() {
    const assign = [];
    const revoke = [];
    for (const { step, agent, from, to } of this.changes()) {
      if (to) assign.push({ step, agent, role: to });
      else if (from !== EXECUTOR || !this.executorOf(step)) revoke.push({ step, agent });
    }
    return { assign, revoke };
  }

  // Take up edits of an earlier page. An edit of what somebody else has changed meanwhile is a conflict: one for each
  // cell, and one for the executor of a step. Edits of steps that are gone are lost.
  take(edits) {
    const conflicts = [];
    const lost = edits.filter(({ step }) => !this.steps.has(step));
    const here = edits.filter(({ step }) => this.steps.has(step));
    for (const step of new Set(here.map((edit) => edit.step))) {
      const mine = here.filter((edit) => edit.step === step);
      const about = mine.filter(({ from, to }) => [from, to].includes(EXECUTOR));
      const had = about.find(({ from }) => from === EXECUTOR)?.agent ?? "";
      const has = about.find(({ to }) => to === EXECUTOR)?.agent ?? "";
      const theirs = this.storedExecutorOf(step);
      const moved = about.length > 0 && theirs !== had && theirs !== has;
      if (moved) conflicts.push({ step, agent: "", theirs, mine: has, edits: about });
      for (const edit of mine) {
        const { agent, from, to } = edit;
        const stored = this.storedRole(step, agent);
        if (moved && about.includes(edit)) continue;
        if (stored !== from && stored !== to) conflicts.push({ step, agent, theirs: stored, mine: to, edits: [edit] });
        else if (stored !== to && !this.refusal(step, agent, to)) this.put(step, agent, to);
      }
    }
    return { conflicts, lost };
  }
}
