// Keeps a page up to date: one event stream, whose positions make the page ask for itself again and morph in place.
(() => {
  const main = () => document.getElementById("main");
  if (!main()?.hasAttribute("data-live") || !window.htmx || "leaving" in document.documentElement.dataset) return;
  // On average the page asks once a second; what a person does makes a few changes, each shown at once.
  const PAUSE = 1000;
  const BURST = 4;
  const SHORT = 100;
  const LATE = 5000;
  // How long the notice of an act stays, whatever else changes meanwhile: long enough to be read, soon gone after that.
  const NOTICE = 20000;
  const opened = Date.now();
  let source = null;
  let shown = Number(document.documentElement.dataset.position);
  let wanted = shown;
  let asking = false;
  let last = 0;
  let left = BURST;
  let timer = 0;
  let lostSince = null;
  let era;

  const say = () => {
    const live = document.getElementById("live");
    if (!live) return;
    live.classList.toggle("lost", lostSince !== null);
    const text = live.querySelector("span");
    if (lostSince !== null) {
      const at = lostSince.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
      text.textContent = `Connection lost since ${at}`;
    }
  };

  // So many times the page may ask at once.
  const credit = () => Math.min(BURST, left + (Date.now() - last) / PAUSE);

  const refresh = async () => {
    timer = 0;
    if (asking || document.hidden || wanted <= shown) return;
    asking = true;
    left = credit() - 1;
    last = Date.now();
    const position = wanted;
    try {
      const address = new URL(location.href);
      if (Date.now() - opened > NOTICE) address.searchParams.delete("done");
      await htmx.ajax("GET", address.pathname + address.search, { target: ".app", select: ".app", swap: "outerMorph" });
      shown = position;
    } finally {
      asking = false;
      if (wanted > shown) plan();
    }
  };

  const plan = () => {
    if (timer || asking) return;
    const due = credit() < 1 ? (1 - credit()) * PAUSE : last + SHORT - Date.now();
    timer = setTimeout(refresh, Math.max(0, due));
  };

  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource("/api/stream");
    source.addEventListener("position", (event) => {
      const { position, epoch } = JSON.parse(event.data);
      if (lostSince !== null) {
        lostSince = null;
        shown = -1;
      }
      if (position < wanted || (era && era !== epoch)) shown = -1;
      era = epoch;
      wanted = position;
      plan();
    });
    source.addEventListener("error", () => {
      lostSince ??= new Date();
      say();
      if (source?.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(open, LATE);
      }
    });
  };

  const close = () => {
    source?.close();
    source = null;
  };

  // Leases, sizes and builds change without an event: such a page states how often to ask again.
  setInterval(() => {
    const every = Number(main()?.dataset.every);
    if (!every || document.hidden || lostSince !== null || Date.now() - last < every * 1000) return;
    shown = -1;
    plan();
  }, PAUSE);

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  open();
})();
