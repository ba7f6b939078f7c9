// What the edits of roles will do, in words.
import { EXECUTOR } from "./roles-model.js";

export const WORDS = { "": "no role", executor: "Executor", monitor: "Monitor", informed: "Informed" };
const HAS = { monitor: (agent, step) => `${agent} monitors ${step}`, informed: (agent, step) => `${agent} is informed of ${step}` };
const INSTEAD = { monitor: "monitoring it", informed: "being informed of it" };

export const counted = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

// The name of a cell for those who do not see it.
export const cellName = (step, agent, role, byDefault, may) =>
  `${step}, ${agent}: ${may ? WORDS[role] : "no role possible"}${byDefault ? ", from the defaults" : ""}`;

export const sentences = (matrix) => {
  const found = [];
  const rows = new Map();
  for (const change of matrix.changes()) rows.set(change.step, [...(rows.get(change.step) ?? []), change]);
  for (const [id, changes] of rows) {
    const { name } = matrix.steps.get(id);
    const had = changes.find(({ from }) => from === EXECUTOR)?.agent;
    const has = changes.find(({ to }) => to === EXECUTOR)?.agent;
    if (has) found.push(`${has} becomes executor of ${name}${had ? ` instead of ${had}` : ""}.`);
    else if (had) found.push(`${had} is no longer executor of ${name}, which has none then.`);
    for (const { agent, from, to } of changes) {
      if (to in HAS) {
        const instead = from in INSTEAD ? ` instead of ${INSTEAD[from]}` : "";
        found.push(`${HAS[to](agent, name)}${instead}.`);
      } else if (!to && from === "monitor") found.push(`${agent} no longer monitors ${name}.`);
      else if (!to && from === "informed") found.push(`${agent} is no longer informed of ${name}.`);
    }
  }
  return found;
};

// What a change of many cells does, in numbers.
export const inNumbers = ({ changes, refused, moved, bare }) => {
  const cells = `${counted(changes.length, "cell")} ${changes.length === 1 ? "changes" : "change"}`;
  const moves = moved ? `${counted(moved, "executor")} ${moved === 1 ? "moves" : "move"}` : "no executor moves";
  const without = bare ? `, ${counted(bare, "step")} ${bare === 1 ? "loses its" : "lose their"} executor` : "";
  return `${cells}, ${moves}${without}${refused ? `; ${counted(refused, "cell")} cannot have this role` : ""}`;
};
