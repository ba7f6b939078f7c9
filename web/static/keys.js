// Keys without a modifier, outside fields: / ? g j k [ ] Esc. Settings switches them off, Esc aside.
(() => {
  const root = document.documentElement;
  const FIELDS = "input,select,textarea,[contenteditable=true],.cm-editor,[role=grid]";
  const ROWS = "#main :is(.list > li a.b, tbody tr[id] th a, .gantt li > a)";
  const GO_MS = 1500;
  let going = 0;

  const shown = (each) => each.checkVisibility();
  const help = () => document.getElementById("keys-help");

  // Lead to the next or previous row; a page with a list beside it names the links itself.
  const move = (key) => {
    const named = document.querySelector(`[data-key="${key}"]`);
    if (named) return named.click();
    const rows = [...document.querySelectorAll(ROWS)].filter(shown);
    const at = rows.findIndex((row) => row === document.activeElement);
    const next = at < 0 ? 0 : at + (key === "j" ? 1 : -1);
    rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
  };

  // Close what is open around the focus, and leave the focus on what opened it.
  const leave = (target) => {
    const open = target.closest?.("details.act[open]") ?? document.querySelector("details.act[open]");
    if (!open) return target.matches?.("#search") && target.blur();
    open.open = false;
    open.querySelector("summary").focus();
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    // The focus stays for a moment on the button of a dialog that has closed.
    if (target.closest?.("dialog[open], .cm-editor")) return;
    if (key === "Escape") return leave(target);
    if (root.dataset.keys === "off" || target.closest?.(FIELDS)) return;
    const went = Date.now() - going < GO_MS;
    going = 0;
    if (went) {
      const to = document.querySelector(`#nav [data-go="${CSS.escape(key)}"]`);
      if (to) {
        event.preventDefault();
        location.assign(to.href);
      }
    } else if (key === "g") {
      going = Date.now();
    } else if (key === "/") {
      event.preventDefault();
      document.getElementById("search")?.focus();
    } else if (key === "?") {
      event.preventDefault();
      help()?.showModal();
    } else if (key === "j" || key === "k") {
      move(key);
    } else if (key === "[" || key === "]") {
      document.querySelector(`[data-key="${key}"]`)?.click();
    }
  });
})();
