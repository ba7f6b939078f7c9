// A form that tries a rule: what it would bring is shown as one types, at most a few times a second.
(() => {
  const form = document.querySelector("form[data-tries]");
  if (!form || !window.htmx) return;
  const PAUSE = 300;
  let timer = 0;
  let asking = false;
  let asked = null;
  const show = async () => {
    timer = 0;
    const query = new URLSearchParams(new FormData(form)).toString();
    if (asking || query === asked) return;
    asking = true;
    asked = query;
    // A form whose answers are no address states where they are sent.
    const sent = form.dataset.tries;
    const address = sent || `${form.getAttribute("action")}?${query}`;
    const swap = { target: "#tried", select: "#tried > *", swap: "innerHTML" };
    try {
      await htmx.ajax(sent ? "POST" : "GET", address, sent ? { ...swap, source: form } : swap);
      // Fields that other answers make superfluous.
      const out = document.getElementById("left-out")?.dataset.names.split(" ") ?? [];
      for (const each of form.querySelectorAll("[data-field]")) each.hidden = out.includes(each.dataset.field);
      if (form.hasAttribute("data-addressed")) history.replaceState(null, "", address);
    } finally {
      asking = false;
      later();
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  };
  form.addEventListener("input", later);
  // A person, or the browser, may have written before this script was there.
  if ([...form.elements].some((each) => each.defaultValue !== undefined && each.value !== each.defaultValue)) later();
})();
