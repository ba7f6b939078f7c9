// The script of every page: the reader's zone and theme, kept in cookies that the server reads.
(() => {
  const root = document.documentElement;
  const keep = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const chosen = root.hasAttribute("data-zone-chosen");
  const tries = Number(sessionStorage.getItem("procession-zone")) || 0;
  if (zone && !chosen && root.dataset.zone !== zone && tries < 3) {
    keep("procession-zone", zone);
    sessionStorage.setItem("procession-zone", tries + 1);
    // The other scripts leave a page alone that is about to go. A browser may drop a reload while it loads the page.
    root.dataset.leaving = "";
    location.reload();
    addEventListener("load", () => setTimeout(() => location.reload(), 1000));
    return;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (!button) return;
    root.dataset.theme = button.dataset.themeSet;
    keep("procession-theme", button.dataset.themeSet);
    for (const each of document.querySelectorAll("[data-theme-set]")) {
      each.setAttribute("aria-pressed", String(each === button));
    }
  });
  // Browsers let a page write the clipboard over TLS or on this machine; elsewhere the buttons stay hidden.
  if (navigator.clipboard) root.dataset.copies = "";
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const name = button.getAttribute("aria-label");
    await navigator.clipboard.writeText(button.dataset.copy);
    button.setAttribute("aria-label", "Copied");
    button.setAttribute("title", "Copied");
    setTimeout(() => { button.setAttribute("aria-label", name); button.removeAttribute("title"); }, 2000);
  });
  document.addEventListener("submit", (event) => {
    // A form that a script answers, or a dialog, stays.
    if (event.defaultPrevented || event.target.method === "dialog") return;
    for (const button of event.target.querySelectorAll("button")) setTimeout(() => { button.disabled = true; });
  });
  // A browser that goes back shows the page as it was left: its buttons work again.
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form button:disabled")) button.disabled = false;
  });
  // The slider of time travel leads there when it is let go; without this script its button does.
  document.addEventListener("change", (event) => {
    if (event.target.id === "travel") event.target.form.requestSubmit();
  });
})();
