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
    const address = `${form.getAttribute("action")}?${query}`;
    try {
      await htmx.ajax("GET", address, { target: "#tried", select: "#tried > *", swap: "innerHTML" });
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
})();
