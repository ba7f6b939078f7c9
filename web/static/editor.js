// The editor: CodeMirror over the text field, problems and diagram while you type, unsaved text guarded.
(() => {
  const form = document.getElementById("editor");
  const area = document.getElementById("source");
  if (!form || !area || !window.CodeMirror) return;
  const { EditorView, EditorState, keymap, tags, HighlightStyle } = CodeMirror;
  const PAUSE = 150;
  const KEPT = `procession-text:${form.action}`;
  const first = area.value;
  let problems = [];
  let timer = 0;
  let checking = null;
  let leaving = false;
  let drawnText = document.getElementById("drawing").childElementCount ? first : null;
  let drawnPicture = null;
  let schemaSource = null;
  let names = null;

  const style = HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], fontWeight: "560", color: "var(--ink)" },
    { tag: [tags.string, tags.content], color: "var(--ink-2)" },
    { tag: [tags.comment, tags.lineComment], color: "var(--ink-3)", fontStyle: "italic" },
    { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--ink-3)" },
  ]);
  const theme = EditorView.theme({
    "&": { backgroundColor: "var(--surface)", color: "var(--ink)", fontSize: ".8125rem", maxHeight: "72vh" },
    "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", minHeight: "22rem", overflow: "auto" },
    ".cm-gutters": { backgroundColor: "var(--sunk)", color: "var(--ink-3)", border: "0" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
      backgroundColor: "var(--accent-bg)",
    },
    ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "var(--b2)" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-bg)", color: "var(--ink)" },
    ".cm-diagnosticAction": { backgroundColor: "var(--ink)", color: "var(--surface)", borderRadius: "4px" },
    // In place of the pictures that CodeMirror would load from data: addresses.
    ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy 1px" },
    ".cm-lintRange-error": { backgroundImage: "none", textDecorationColor: "var(--bad)" },
    ".cm-lintRange-warning": { backgroundImage: "none", textDecorationColor: "var(--wait-f)" },
    ".cm-lintRange-info, .cm-lintRange-hint": { backgroundImage: "none", textDecorationColor: "var(--edge)" },
    ".cm-lint-marker-error": { content: "'\\25CF'", color: "var(--bad)" },
    ".cm-lint-marker-warning": { content: "'\\25B2'", color: "var(--wait-f)" },
    ".cm-lint-marker-info": { content: "'\\25CB'", color: "var(--edge)" },
    ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
    ".cm-diagnostic-warning": { borderLeftColor: "var(--wait-f)" },
  });

  // Columns of problems count characters; those of the editor count UTF-16 units.
  const placeOf = (doc, line, column) => {
    if (line > doc.lines) return doc.length;
    const { from, text } = doc.line(Math.max(1, line));
    return from + [...text].slice(0, column - 1).join("").length;
  };
  const spanOf = (doc, problem) => {
    if (problem.fix) {
      const { line, column, end_line: endLine, end_column: endColumn } = problem.fix;
      return [placeOf(doc, line, column), placeOf(doc, endLine, endColumn)];
    }
    const from = placeOf(doc, problem.line ?? 1, problem.column ?? 1);
    const line = doc.lineAt(from);
    const rest = line.text.slice(from - line.from);
    return [from, from + (rest.match(/^(?:[\w.-]+|\S+)/)?.[0].length ?? 0)];
  };
  const mend = (number) => {
    const { fix } = problems[number];
    const [from, to] = spanOf(view.state.doc, problems[number]);
    view.dispatch({ changes: { from, to, insert: fix.text }, selection: { anchor: from + fix.text.length } });
    view.focus();
  };
  const marks = () =>
    problems
      .filter((problem) => problem.line)
      .map((problem) => {
        const [from, to] = spanOf(view.state.doc, problem);
        const severity = { error: "error", warning: "warning" }[problem.severity ?? "error"] ?? "info";
        const hint = problem.hint ? `; ${problem.hint}` : "";
        const apply = () => mend(problems.indexOf(problem));
        const actions = problem.fix ? [{ name: problem.fix.label, apply }] : [];
        return { from, to: Math.max(from, to), severity, message: `${problem.message}${hint}`, actions };
      });

  // The lines of the text with the id of a step, from the first to the last.
  const ID = /(?:^|[\s{,])(["']?)id\1:\s*(["']?)([\w-]+)\2\s*(?:[,}#]|$)/g;
  let stepLines = null;
  const linesOfSteps = () => {
    if (stepLines) return stepLines;
    const found = [];
    let within = false;
    let number = 0;
    for (const text of view.state.doc.iterLines()) {
      number += 1;
      if (/^[\w"']/.test(text)) within = /^["']?steps["']?:/.test(text);
      // A text in JSON has no key at the start of a line.
      else if (/^\s{0,4}"steps":/.test(text)) within = true;
      if (within) for (const [, , , id] of text.matchAll(ID)) found.push({ id, number });
    }
    return (stepLines = found);
  };
  const markStep = () => {
    const here = view.state.doc.lineAt(view.state.selection.main.head).number;
    const step = linesOfSteps().findLast(({ number }) => number <= here)?.id;
    const place = document.getElementById("drawing");
    const link = step && place.querySelector(`a[href="#step-${CSS.escape(step)}"]`);
    for (const marked of place.querySelectorAll("a.sel")) if (marked !== link) marked.classList.remove("sel");
    link?.classList.add("sel");
  };
  const goTo = (step) => {
    const found = linesOfSteps().find(({ id }) => id === step);
    if (!found) return;
    const { from } = view.state.doc.line(found.number);
    view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    view.focus();
  };

  const draw = async (text, signal) => {
    const place = document.getElementById("drawing");
    let good = text === drawnText;
    if (!good) {
      const answer = await fetch(`${form.dataset.base}/drawing`, { method: "POST", body: text, signal });
      good = answer.status === 200;
      if (good) {
        const picture = await answer.text();
        // Most texts that are typed have the same diagram; a large one takes longer to show than to compare.
        if (picture !== drawnPicture) {
          place.innerHTML = drawnPicture = picture;
          markStep();
        }
        drawnText = text;
      }
    }
    place.classList.toggle("stale", !good && place.childElementCount > 0);
    document.getElementById("drawn").textContent = good
      ? "of the text"
      : place.childElementCount ? "the last text without errors" : "the text has errors";
  };
  const check = async () => {
    timer = 0;
    checking?.abort();
    const { signal } = (checking = new AbortController());
    const text = view.state.sliceDoc();
    try {
      const answer = await fetch(`${form.dataset.base}/check`, { method: "POST", body: text, signal });
      if (!answer.ok) return;
      const found = await answer.json();
      if (signal.aborted) return;
      problems = found.problems;
      names = found.names ?? names;
      document.getElementById("problems").innerHTML = found.listed;
      const schedules = document.getElementById("schedules");
      if (found.schedules !== null) schedules.innerHTML = found.schedules;
      else if (schedules.querySelector("li")) schedules.querySelector("p").textContent = "of the last text without errors";
      view.dispatch(CodeMirror.setDiagnostics(view.state, marks()));
      await draw(text, signal);
    } catch (error) {
      if (error.name !== "AbortError" && !leaving) document.getElementById("drawn").textContent = "not checked: no connection";
    }
  };
  const unsaved = () => form.hasAttribute("data-unsaved") || view.state.sliceDoc() !== first;
  const typed = () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
    area.value = view.state.sliceDoc();
    try {
      if (unsaved()) localStorage.setItem(KEPT, area.value);
      else localStorage.removeItem(KEPT);
    } catch {
      // Without room in the browser the text is guarded by the question on leaving alone.
    }
  };
  const press = (act) => () => {
    form.querySelector(`button[value=${act}]`).click();
    return true;
  };
  // For two seconds after Esc, Tab leaves the editor.
  const leave = (editor) => {
    editor.setTabFocusMode(2000);
    return false;
  };
  // Chrome keeps the look of a text that is typed over by an inline style, which the policy of the page refuses.
  const typeOver = (event, editor) => {
    const plain = event.inputType === "insertText" && !event.isComposing && event.data !== null;
    if (!plain || editor.state.selection.main.empty) return false;
    event.preventDefault();
    editor.dispatch(editor.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  };
  const suggest = async (context) => {
    const expression = expressionCompletion(context, names);
    if (expression !== undefined) return expression;
    // Of a query that ends with nothing CodeMirror forgets what was typed meanwhile: typing starts it anew.
    context.addEventListener("abort", () => {}, { onDocChange: true });
    schemaSource ??= fetch("/api/schema").then(async (answer) => schemaCompletion(await answer.json()));
    try {
      return (await schemaSource)(context);
    } catch {
      // Without a connection there are no suggestions; the next query asks again.
      schemaSource = null;
      return null;
    }
  };

  const view = new EditorView({
    doc: first,
    parent: area.parentElement,
    extensions: [
      EditorView.cspNonce.of(form.dataset.nonce),
      CodeMirror.lineNumbers(),
      CodeMirror.history(),
      CodeMirror.drawSelection(),
      CodeMirror.highlightActiveLine(),
      CodeMirror.highlightActiveLineGutter(),
      CodeMirror.bracketMatching(),
      CodeMirror.indentUnit.of("  "),
      EditorState.tabSize.of(2),
      CodeMirror.yaml(),
      CodeMirror.syntaxHighlighting(style),
      CodeMirror.lintGutter(),
      CodeMirror.autocompletion({ override: [suggest], icons: false, defaultKeymap: false }),
      theme,
      EditorView.domEventHandlers({ beforeinput: typeOver }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "Definition of the process", tabindex: "0" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          stepLines = null;
          typed();
        }
        if (update.docChanged || update.selectionSet) markStep();
      }),
      keymap.of([
        { key: "Escape", run: leave },
        { key: "Mod-s", run: press("save"), preventDefault: true },
        { key: "F8", run: CodeMirror.nextDiagnostic },
        ...CodeMirror.completionKeymap,
        ...CodeMirror.historyKeymap,
        ...CodeMirror.searchKeymap,
        CodeMirror.indentWithTab,
        ...CodeMirror.defaultKeymap,
      ]),
    ],
  });
  area.before(view.dom);
  area.hidden = true;

  form.addEventListener("submit", () => {
    leaving = true;
    area.value = view.state.sliceDoc();
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && unsaved()) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const fix = event.target.closest("[data-fix]");
    if (fix && problems[fix.dataset.fix]?.fix) {
      event.preventDefault();
      mend(Number(fix.dataset.fix));
    }
    const step = event.target.closest("#drawing a")?.getAttribute("href");
    if (step) {
      event.preventDefault();
      goTo(step.slice("#step-".length));
    }
    const kept = event.target.closest("[data-kept]")?.dataset.kept;
    if (!kept) return;
    const text = localStorage.getItem(KEPT);
    if (kept === "restore" && text !== null) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    else localStorage.removeItem(KEPT);
    document.getElementById("kept").hidden = true;
    view.focus();
  });

  const kept = localStorage.getItem(KEPT);
  const asked = new URLSearchParams(location.search).get("done") === "draft-saved";
  if (asked || kept === first) localStorage.removeItem(KEPT);
  else if (kept !== null && !form.hasAttribute("data-unsaved")) document.getElementById("kept").hidden = false;
  check();
})();
