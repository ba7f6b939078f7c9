// Saves the edits of roles as one change, guards those that are not saved, and shows what somebody else changed.
import { WORDS, counted, sentences } from "./roles-words.js";

export const saving = ({ root, matrix, say, paintAll, addAgent }) => {
  const { process, of } = root.dataset;
  const KEPT = `procession-roles:${process}:${of}`;
  const address = `/api/processes/${process}/roles?of=${of}`;
  const bar = document.getElementById("save");
  const button = bar.querySelector("[data-act=save]");
  const conflicts = document.getElementById("conflicts");
  let leaving = false;
  let busy = false;
  let open = [];

  const keep = (how) => {
    const changes = [...matrix.changes(), ...open.flatMap(({ edits }) => edits)];
    try {
      if (changes.length) localStorage.setItem(KEPT, JSON.stringify({ how, changes }));
      else localStorage.removeItem(KEPT);
      return true;
    } catch {
      return false; // Without room in the browser the edits are guarded by the question on leaving alone.
    }
  };
  const kept = () => {
    try {
      return JSON.parse(localStorage.getItem(KEPT));
    } catch {
      return null;
    }
  };
  const note = ({ severity, message, hint, path }) => {
    const made = document.createElement("div");
    const place = Object.assign(document.createElement("span"), { className: "mono xs", textContent: path });
    made.className = `note ${severity === "error" ? "c-bad" : "c-wait"} quick`;
    made.append(document.createElement("div"));
    made.firstChild.append(`${message}${hint ? `: ${hint}` : ""} `, place);
    return made;
  };
  const item = (text) => Object.assign(document.createElement("li"), { textContent: text });

  const draw = () => {
    const words = sentences(matrix);
    const number = matrix.changes().length;
    const first = words.length ? `: ${words[0]}${words.length > 1 ? " …" : ""}` : "";
    bar.querySelector("summary b").textContent = number ? `${counted(number, "change")}, not saved${first}` : "No changes";
    bar.querySelector("ul").replaceChildren(...words.map(item));
    bar.querySelector("[data-act=discard]").disabled = !number && !open.length;
    button.disabled = busy || open.length > 0 || !number;
    root.querySelector("[data-act=undo]").disabled = !matrix.done.length;
    root.querySelector("[data-act=redo]").disabled = !matrix.undone.length;
  };
  const changed = () => {
    draw();
    keep("left");
  };

  const drawConflicts = () => {
    conflicts.hidden = !open.length;
    conflicts.querySelector("ul").replaceChildren(...open.map((conflict) => {
      const { step, agent, theirs, mine } = conflict;
      const { name } = matrix.steps.get(step);
      const about = agent ? `${name}, ${agent}` : `Executor of ${name}`;
      const word = (value) => (agent ? WORDS[value] : value || "nobody");
      const line = item("");
      const text = document.createElement("span");
      text.className = "grow";
      text.textContent = `${about}: theirs ${word(theirs)}, yours ${word(mine)}`;
      const choose = (label, take) => {
        const made = document.createElement("button");
        made.type = "button";
        made.className = "btn sm";
        made.textContent = label;
        made.setAttribute("aria-label", `${label}: ${about}`);
        made.addEventListener("click", () => {
          open = open.filter((each) => each !== conflict);
          take();
          drawConflicts();
          paintAll();
          changed();
          (conflicts.querySelector("button") ?? button).focus();
        });
        return made;
      };
      const put = () => {
        for (const { agent: named } of conflict.edits) addAgent(named);
        const wanted = conflict.edits.filter(({ to }) => to || agent).map(({ agent: named, to }) => ({ step, agent: named, role: to }));
        if (!agent && !mine) wanted.push({ step, agent: theirs, role: "" });
        matrix.apply(matrix.plan(wanted).changes);
      };
      line.append(text, choose("Take theirs", () => {}), choose("Keep yours", put));
      return line;
    }));
  };

  // Edits of an earlier page, on the roles as they are now.
  const take = (edits) => {
    for (const { agent } of edits) addAgent(agent);
    const found = matrix.take(edits);
    open = found.conflicts;
    paintAll();
    drawConflicts();
    changed();
    const lost = found.lost.length ? `${counted(found.lost.length, "change")} of steps that are gone.` : "";
    say(open.length ? "Not saved: somebody else has saved roles meanwhile." : lost);
    conflicts.querySelector("button")?.focus();
  };

  const refused = async (answer) => {
    if (answer.status === 412) {
      // The page as it is now takes up these edits.
      leaving = keep("conflict");
      if (leaving) return location.reload();
    }
    const stated = await answer.json().catch(() => ({}));
    const problems = (stated.problems ?? []).map(({ message }) => message);
    say(`Not saved: ${problems.length ? problems.join("; ") : (stated.detail ?? stated.title ?? answer.status)}.`);
    return undefined;
  };
  const save = async () => {
    if (button.disabled) return;
    busy = true;
    button.disabled = true;
    say("Saving…");
    try {
      const answer = await fetch(address, {
        method: "PUT",
        headers: { "Content-Type": "application/json", "If-Match": `"${root.dataset.revision}"` },
        body: JSON.stringify(matrix.changeSet()),
      });
      if (!answer.ok) return await refused(answer);
      const { position } = await answer.json();
      const now = await fetch(`${address}&min_position=${position}`);
      if (!now.ok) return location.reload();
      const { revision, cells, own, problems } = await now.json();
      document.getElementById("role-problems").replaceChildren(...problems.map(note));
      if (root.dataset.begun) document.querySelector(".head p").textContent = root.dataset.begun;
      root.dataset.revision = revision;
      const saved = matrix.changes();
      matrix.store(cells, own);
      for (const { step, agent, to } of saved) matrix.put(step, agent, to);
      paintAll();
      say(problems.length ? `Saved. ${counted(problems.length, "problem")}, named above.` : "Saved.");
    } catch {
      say("Not saved: no connection.");
    } finally {
      busy = false;
      if (!leaving) changed();
    }
    return undefined;
  };

  addEventListener("beforeunload", (event) => {
    if (!leaving && (open.length || matrix.changes().length)) event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      save();
    }
  });

  let before = null;
  const offer = document.getElementById("kept");
  return {
    changed,
    begin: () => {
      before = kept();
      draw();
      if (before?.how === "conflict") take(before.changes);
      else if (before) {
        offer.hidden = false;
        offer.firstElementChild.textContent = `This browser keeps ${counted(before.changes.length, "change")} of roles that ${before.changes.length === 1 ? "was" : "were"} not saved.`;
      }
    },
    acts: {
      save,
      discard: () => {
        open = [];
        matrix.apply(matrix.changes().map(({ step, agent, from, to }) => ({ step, agent, from: to, to: from })));
        paintAll();
        drawConflicts();
        changed();
        say("Discarded. Undo brings the changes back.");
      },
      restore: () => {
        offer.hidden = true;
        take(before.changes);
      },
      forget: () => {
        offer.hidden = true;
        localStorage.removeItem(KEPT);
      },
    },
  };
};
