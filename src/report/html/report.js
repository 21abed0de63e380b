"use strict";
// Filters issues, and keeps the filter in the address, so that a link to what is seen shows the same. All is there without it.
(() => {
  const one = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = new WeakMap();
  const textOf = (issue) => {
    if (!words.has(issue)) words.set(issue, issue.textContent.toLowerCase());
    return words.get(issue);
  };
  const checked = (name) => all(`#filters input[name=${name}]:checked`).map((box) => box.value);
  const picked = (name) => document.querySelector(`#filters select[name=${name}]`)?.selectedOptions[0];
  const TEST = { lineage: "lineages", bundle: "bundles", component: "components" };

  // What the controls say, as it stands in the address.
  function wanted() {
    const filter = new URLSearchParams();
    for (const name of ["severity", "agreement"]) if (checked(name).length) filter.set(name, checked(name).join(","));
    for (const name of Object.keys(TEST)) if (picked(name)?.dataset.at) filter.set(name, picked(name).value);
    const text = document.querySelector("#filters input[name=text]").value.trim();
    if (text) filter.set("text", text);
    return filter;
  }

  function fits(issue, filter) {
    const data = issue.dataset;
    for (const name of ["severity", "agreement"]) {
      if (filter.has(name) && !filter.get(name).split(",").includes(data[name])) return false;
    }
    for (const [name, key] of Object.entries(TEST)) {
      if (filter.has(name) && !data[key].split(" ").includes(picked(name).dataset.at)) return false;
    }
    const text = (filter.get("text") || "").toLowerCase().split(/\s+/).filter(Boolean);
    return text.every((word) => textOf(issue).includes(word));
  }

  function apply() {
    const filter = wanted();
    const rows = new Map(all("tr[data-issue]").map((row) => [row.dataset.issue, row]));
    const counts = {};
    let shown = 0;
    const issues = all(".issue");
    for (const issue of issues) {
      const is = fits(issue, filter);
      issue.hidden = !is;
      const row = rows.get(issue.id.slice(2));
      if (row) row.hidden = !is;
      if (is) {
        shown += 1;
        counts[issue.dataset.severity] = (counts[issue.dataset.severity] || 0) + 1;
      }
    }
    const by = ["BLOCK", "WARN", "INFO"].filter((word) => counts[word]).map((word) => `${counts[word]} ${word}`);
    const filtered = filter.size > 0;
    if (filtered) all(".rest").forEach((rest) => (rest.open = true));
    const number = filtered ? `${shown} of ${issues.length}` : issues.length;
    one("shown").textContent = `${number} ${issues.length === 1 ? "issue" : "issues"}${by.length ? `: ${by.join(", ")}` : ""}`;
    one("clear").hidden = !filtered;
    one("none").hidden = shown > 0;
    return filter;
  }

  function address(filter, issue, push) {
    const next = new URLSearchParams(filter);
    if (issue) next.set("issue", issue);
    const plain = issue && next.size === 1 ? `i-${issue}` : next.toString();
    const url = location.href.split("#")[0] + (plain ? `#${plain}` : "");
    if (url !== location.href) history[push ? "pushState" : "replaceState"](null, "", url);
  }

  // Sets the controls to what an address says; a name that is not there stands for no filter.
  function set(filter) {
    for (const box of all("#filters input[type=checkbox]")) {
      box.checked = (filter.get(box.name) || "").split(",").includes(box.value);
    }
    for (const select of all("#filters select")) {
      const value = filter.get(select.name);
      const option = [...select.options].findIndex((option) => option.dataset.at && option.value === value);
      select.selectedIndex = Math.max(option, 0);
    }
    document.querySelector("#filters input[name=text]").value = filter.get("text") || "";
  }

  function go(id) {
    const issue = one(`i-${id}`);
    if (!issue) return;
    if (issue.hidden) {
      set(new URLSearchParams());
      apply();
    }
    issue.open = true;
    issue.querySelector("summary").focus({ preventScroll: true });
    issue.scrollIntoView({ block: "start" });
  }

  function fromAddress() {
    const text = location.hash.slice(1);
    const filter = text.startsWith("i-") ? new URLSearchParams() : new URLSearchParams(text);
    const issue = text.startsWith("i-") ? text.slice(2) : filter.get("issue");
    if (!one("filters")) return;
    // As it stands the page shows all.
    if (filter.size || one("clear").hidden === false) {
      set(filter);
      apply();
    }
    if (issue) go(issue);
  }

  function start() {
    if (!one("filters")) return;
    one("filters").hidden = false;
    all(".tools").forEach((tools) => (tools.hidden = false));
    fromAddress();
  }

  document.addEventListener("input", (event) => {
    if (event.target.closest("#filters")) address(apply());
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#clear")) {
      set(new URLSearchParams());
      address(apply());
    }
    const open = event.target.closest("[data-open]");
    if (open) all(".issue:not([hidden])").forEach((issue) => (issue.open = open.dataset.open === "all"));
    const link = event.target.closest('a[href^="#i-"]');
    if (!link || !one("filters") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const id = link.getAttribute("href").slice(3);
    go(id);
    address(wanted(), id, true);
  });
  // j and k: the next issue and the one before.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const step = { j: 1, k: -1 }[event.key];
    const issues = step ? all(".issue:not([hidden])") : [];
    if (!issues.length) return;
    const at = issues.indexOf(document.activeElement?.closest?.(".issue"));
    const next = issues[at < 0 ? 0 : Math.min(Math.max(at + step, 0), issues.length - 1)];
    next.querySelector("summary").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  });
  window.addEventListener("hashchange", fromAddress);
  // A page that puts new content in place says so.
  document.addEventListener("scrum:changed", start);
  // Paper shows all, whatever is folded or filtered.
  const before = [];
  window.addEventListener("beforeprint", () => {
    for (const details of all("details:not([open])")) {
      before.push(details);
      details.open = true;
    }
  });
  window.addEventListener("afterprint", () => {
    for (const details of before.splice(0)) details.open = false;
  });
  start();
})();
