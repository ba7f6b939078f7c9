// The matrix of roles: a grid for mouse and keys, whose edits stay in the page until they are saved as one change.
import { EXECUTOR, LETTERS, RoleMatrix } from "./roles-model.js";
import { cellName } from "./roles-words.js";
import { bulk } from "./roles-bulk.js";
import { saving } from "./roles-saving.js";

const root = document.getElementById("roles");
const table = root.querySelector("table");
const scroll = table.parentElement;
const body = table.tBodies[0];
const frozen = root.dataset.of === "published";
const ROLE_OF = { e: "executor", m: "monitor", i: "informed" };
const rows = [...body.rows];
const agents = [];
const column = new Map();
const rowOf = new Map(rows.map((row) => [row.id.slice("step-".length), row]));
const idOf = (row) => row.id.slice("step-".length);

const read = () => {
  const stored = {};
  const own = {};
  for (const row of rows) {
    const id = idOf(row);
    stored[id] = {};
    own[id] = [];
    for (const cell of row.querySelectorAll(".cell")) {
      const agent = agents[cell.parentElement.cellIndex - 1];
      stored[id][agent] = ROLE_OF[cell.classList.item(1)];
      if (!cell.classList.contains("inh")) own[id].push(agent);
    }
  }
  return { stored, own };
};
const heads = () => [...table.tHead.rows[0].cells].slice(1);
const learn = (head) => {
  column.set(head.dataset.agent, agents.length + 1);
  agents.push(head.dataset.agent);
};
heads().forEach(learn);
const steps = rows.map((row) => ({
  id: idOf(row),
  name: row.cells[0].querySelector(".cut").textContent,
  may: row.dataset.may.split(" ").filter(Boolean),
  why: row.cells[0].querySelector("small").textContent,
}));
const matrix = new RoleMatrix({ steps, ...read(), frozen });

const said = document.getElementById("said");
const say = (text) => {
  said.textContent = text;
};

// Draw one cell as the matrix has it.
const paint = (id, agent) => {
  const at = column.get(agent);
  const row = rowOf.get(id);
  if (at === undefined) return;
  const cell = row.cells[at];
  const role = matrix.role(id, agent);
  const byDefault = matrix.byDefault(id, agent);
  const step = matrix.steps.get(id);
  if (role) {
    const mark = cell.firstElementChild ?? cell.appendChild(document.createElement("abbr"));
    mark.className = `cell ${LETTERS[role].toLowerCase()}${byDefault ? " inh" : ""}`;
    mark.textContent = LETTERS[role];
    mark.removeAttribute("title");
  } else cell.replaceChildren();
  const name = cellName(step.name, agent, role, byDefault, step.may.length > 0);
  cell.setAttribute("aria-label", matrix.changed(id, agent) ? `${name}, changed` : name);
  cell.classList.toggle("chg", matrix.changed(id, agent));
  const fixed = !step.may.length || (frozen && role === EXECUTOR);
  if (fixed) cell.setAttribute("aria-readonly", "true");
  else if (cell.hasAttribute("aria-readonly")) cell.removeAttribute("aria-readonly");
};
const missing = (id) => {
  const mark = rowOf.get(id).cells[0].querySelector(".worse");
  if (mark) mark.hidden = matrix.executorOf(id) !== "";
};
const paintAll = () => {
  for (const { id } of steps) {
    for (const agent of agents) paint(id, agent);
    missing(id);
  }
};
const shown = (changes) => {
  for (const { step, agent } of changes) {
    if (!column.has(agent)) addAgent(agent);
    paint(step, agent);
    missing(step);
  }
  save.changed();
  many.changed();
};
const apply = (changes) => {
  matrix.apply(changes);
  shown(changes);
};

// A column for an agent that has no role yet.
const addAgent = (agent) => {
  if (column.has(agent)) return;
  const head = document.createElement("th");
  head.scope = "col";
  head.dataset.agent = agent;
  const name = document.createElement("span");
  name.className = "cut";
  name.title = name.textContent = agent;
  const kind = document.createElement("small");
  const registered = [...document.querySelectorAll("#agents option")].some((each) => each.value === agent);
  kind.textContent = agent.startsWith("team:") ? "people" : registered ? "added" : "not registered";
  head.append(name, kind);
  table.tHead.rows[0].append(head);
  for (const row of rows) row.append(document.createElement("td"));
  for (const row of table.rows) row.lastElementChild.tabIndex = -1;
  learn(head);
  for (const { id } of steps) paint(id, agent);
  many.agents();
};

const set = (id, agent, role) => {
  const refusal = matrix.refusal(id, agent, role);
  if (refusal) return say(refusal);
  say("");
  apply(matrix.plan([{ step: id, agent, role }]).changes);
};
const goRound = (cell) => {
  const id = idOf(cell.parentElement);
  const agent = agents[cell.cellIndex - 1];
  const next = matrix.next(id, agent);
  if (next === null) say(matrix.refusal(id, agent, EXECUTOR));
  else set(id, agent, next);
};

// The focus: one cell of the grid is reached by Tab, the keys move it.
let here = null;
let anchor = null;
const reach = (cell) => {
  if (here) here.tabIndex = -1;
  here = cell;
  cell.tabIndex = 0;
};
const focus = (cell) => {
  if (!cell) return;
  reach(cell);
  cell.focus();
};
table.addEventListener("focusin", (event) => event.target !== here && reach(event.target.closest("td, th")));
const visible = (each) => !each.hidden;
const allRows = () => [table.tHead.rows[0], ...rows.filter(visible)];
const move = (rowBy, columnBy, { far = false, corner = false } = {}) => {
  const list = allRows();
  let row = list.indexOf(here.parentElement);
  if (corner) row = columnBy < 0 ? 1 : list.length - 1;
  else row = Math.max(0, Math.min(list.length - 1, row + rowBy));
  const cells = [...list[row].cells].filter(visible);
  let at = cells.findIndex((cell) => cell.cellIndex === here.cellIndex);
  if (far) at = columnBy < 0 ? Math.min(1, cells.length - 1) : cells.length - 1;
  else at = Math.max(0, Math.min(cells.length - 1, at + columnBy));
  focus(cells[at]);
};

const select = (row, on) => (on ? row.setAttribute("aria-selected", "true") : row.removeAttribute("aria-selected"));
const selected = () => rows.filter((row) => visible(row) && row.hasAttribute("aria-selected"));
const selectRange = (row) => {
  const list = rows.filter(visible);
  const ends = [list.indexOf(anchor ?? row), list.indexOf(row)].sort((a, b) => a - b);
  list.forEach((each, at) => select(each, at >= ends[0] && at <= ends[1]));
  many.changed();
};
const toggle = (row) => {
  select(row, !row.hasAttribute("aria-selected"));
  anchor = row;
  many.changed();
};
const toggleAll = () => {
  const list = rows.filter(visible);
  const on = list.some((row) => !row.hasAttribute("aria-selected"));
  for (const row of list) select(row, on);
  many.changed();
};
const press = (cell, shift) => {
  const row = cell.parentElement;
  if (row.parentElement === table.tHead) return cell.cellIndex ? many.choose(cell.dataset.agent) : toggleAll();
  if (shift) return selectRange(row);
  anchor = row;
  return cell.cellIndex ? goRound(cell) : toggle(row);
};

table.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
table.addEventListener("click", (event) => {
  const cell = event.target.closest("td, th");
  if (!cell) return;
  focus(cell);
  press(cell, event.shiftKey);
});
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
table.addEventListener("keydown", (event) => {
  const { key, shiftKey } = event;
  if (event.altKey || !here) return;
  const modified = event.ctrlKey || event.metaKey;
  const cell = here;
  if (key in MOVES && !modified) {
    const row = cell.parentElement;
    if (shiftKey && row.parentElement === body) anchor ??= row;
    else if (!shiftKey) anchor = null;
    move(...MOVES[key]);
    if (shiftKey && here.parentElement.parentElement === body) selectRange(here.parentElement);
  } else if (key === "Home" || key === "End") {
    move(0, key === "Home" ? -1 : 1, { far: true, corner: modified });
  } else if (modified) return;
  else if (key === " " || key === "Enter") press(cell, shiftKey);
  else if (cell.cellIndex && cell.parentElement.parentElement === body) {
    const role = key === "Delete" || key === "Backspace" ? "" : ROLE_OF[key.toLowerCase()];
    if (role === undefined) return;
    set(idOf(cell.parentElement), agents[cell.cellIndex - 1], role);
  } else return;
  event.preventDefault();
  event.stopPropagation();
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.closest("input, dialog")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  act[key === "y" || event.shiftKey ? "redo" : "undo"]();
});

const act = {
  undo: () => shown(matrix.undo()),
  redo: () => shown(matrix.redo()),
  add: () => document.getElementById("add").showModal(),
  close: () => document.getElementById("add").close(),
};
root.addEventListener("click", (event) => {
  const name = event.target.closest("[data-act]")?.dataset.act;
  (act[name] ?? save.acts[name])?.();
});
document.querySelector("#add form").addEventListener("submit", (event) => {
  event.preventDefault();
  const agent = event.target.elements.agent.value.trim();
  event.target.closest("dialog").close();
  event.target.reset();
  addAgent(agent);
  const row = rows.find(visible);
  if (row) focus(row.cells[column.get(agent)]);
});

// Filters hide rows and columns; the focus goes to a cell that is left.
const filter = () => {
  const [step, agent] = ["steps", "agents"].map((of) => document.getElementById(`filter-${of}`).value.trim().toLowerCase());
  for (const row of rows) row.hidden = !`${idOf(row)} ${row.cells[0].textContent}`.toLowerCase().includes(step);
  const hidden = agents.map((name) => !name.toLowerCase().includes(agent));
  for (const row of [table.tHead.rows[0], ...rows]) hidden.forEach((off, at) => (row.cells[at + 1].hidden = off));
  if (!here || here.hidden || here.parentElement.hidden) {
    reach([...(rows.find(visible) ?? table.tHead.rows[0]).cells].find((cell) => cell.cellIndex && visible(cell)) ?? table.tHead.rows[0].cells[0]);
  }
  many.changed();
};
for (const of of ["steps", "agents"]) document.getElementById(`filter-${of}`).addEventListener("input", filter);

const page = { root, matrix, agents, say, apply, paintAll, addAgent, rows, idOf, visible, selected };
const save = saving(page);
const many = bulk(page);
table.setAttribute("role", "grid");
table.setAttribute("aria-multiselectable", "true");
scroll.removeAttribute("tabindex");
for (const each of root.querySelectorAll(".with-script")) each.hidden = false;
for (const each of root.querySelectorAll(".without-script")) each.hidden = true;
for (const cell of table.querySelectorAll("td, th")) cell.tabIndex = -1;
paintAll();
many.agents();
reach(rows[0]?.cells[1] ?? table.tHead.rows[0].cells[0]);
save.begin();
