// Roles in many cells at once: an agent's role, or that of another agent, in the steps that are selected or shown.
import { WORDS, counted, inNumbers } from "./roles-words.js";

const CONFIRMED = 10;

export const bulk = ({ matrix, agents, apply, rows, idOf, visible, selected }) => {
  const [form, steps, agent, role, preview] = ["bulk", "bulk-steps", "bulk-agent", "bulk-role", "bulk-preview"].map(
    (id) => document.getElementById(id),
  );
  const dialog = document.getElementById("confirm");
  const option = (value, text) => new Option(text, value);

  const plan = () => {
    const list = steps.value === "selected" ? selected() : rows.filter(visible);
    const like = role.value.startsWith("like:") ? role.value.slice("like:".length) : null;
    return matrix.plan(
      list.map(idOf).map((step) => ({ step, agent: agent.value, role: like === null ? role.value : matrix.role(step, like) })),
    );
  };
  const changed = () => {
    const number = selected().length;
    const of = steps.options[1];
    of.textContent = number ? `${counted(number, "step")} selected` : "no step selected";
    preview.textContent = agent.value ? inNumbers(plan()) : "";
  };
  const refill = () => {
    const chosen = [agent.value, role.value];
    agent.replaceChildren(...agents.map((name) => option(name, name)));
    const roles = ["executor", "monitor", "informed", ""].map((each) => option(each, each ? WORDS[each] : "No role"));
    role.replaceChildren(...roles, ...agents.map((name) => option(`like:${name}`, `The same as ${name}`)));
    if (agents.includes(chosen[0])) agent.value = chosen[0];
    role.value = chosen[1] && [...role.options].some((each) => each.value === chosen[1]) ? chosen[1] : "monitor";
    changed();
  };

  let planned = null;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    planned = plan();
    if (planned.changes.length <= CONFIRMED) return apply(planned.changes);
    document.getElementById("h-confirm").textContent = `${inNumbers(planned)}?`;
    dialog.returnValue = "";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && apply(planned.changes));
  for (const each of [steps, agent, role]) each.addEventListener("change", changed);

  let selectedBefore = 0;
  return {
    agents: refill,
    choose: (name) => {
      agent.value = name;
      changed();
      agent.focus();
    },
    // The steps that are selected are meant as soon as there are some.
    changed: () => {
      const number = selected().length;
      if (Boolean(number) !== Boolean(selectedBefore)) steps.value = number ? "selected" : "shown";
      selectedBefore = number;
      changed();
    },
  };
};
