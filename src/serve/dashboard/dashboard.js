{
  // Parts of the page are put in place as the daemon tells them; a job is called off after a question. No more than that.
  const page = document.querySelector("[data-live]");
  const sign = document.getElementById("connection");
  let stream = null, retry = 0, over = false;
  const say = (text) => { if (sign) { sign.hidden = !text; sign.textContent = text; } };
  const put = ({ id, html, title }) => {
    const old = document.getElementById(id);
    if (!old) return;
    const box = document.createElement("template");
    box.innerHTML = html;
    const fresh = box.content.firstElementChild;
    if (!fresh || fresh.id !== id) return;
    const at = document.activeElement, focus = at && old.contains(at) ? at.id : "";
    for (const open of old.querySelectorAll("details[open][id]")) fresh.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
    const boxes = [...old.querySelectorAll(".box")].map((one) => one.scrollLeft);
    old.replaceWith(fresh);
    fresh.querySelectorAll(".box").forEach((one, at) => { one.scrollLeft = boxes[at] || 0; });
    if (focus) (document.getElementById(focus) || document.getElementById("main"))?.focus({ preventScroll: true });
    if (title) document.title = title + " · scrum";
    document.dispatchEvent(new CustomEvent("scrum:changed", { detail: fresh }));
  };
  const leave = () => { clearTimeout(retry); stream?.close(); stream = null; };
  const watch = () => {
    leave();
    if (!page || over || document.hidden) return;
    stream = new EventSource(page.dataset.live);
    stream.addEventListener("open", () => say("live"));
    stream.addEventListener("put", (event) => put(JSON.parse(event.data)));
    stream.addEventListener("over", () => { over = true; leave(); say(""); });
    stream.addEventListener("error", () => {
      say("not connected; trying again");
      if (stream?.readyState === EventSource.CLOSED) retry = setTimeout(watch, 5000);
    });
  };
  // A browser has few connections to one place: pages that nobody sees need none.
  document.addEventListener("visibilitychange", () => document.hidden ? leave() : watch());
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted) watch(); });
  if (page && !page.querySelector("[data-over]")) watch();

  const question = document.getElementById("cancel"), told = document.getElementById("told");
  let asked = null;
  const tell = (text) => { told.hidden = false; told.textContent = text; };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-cancel]");
    if (!button || !question) return;
    asked = { ...button.dataset };
    document.getElementById("cancel-what").textContent = asked.what;
    question.returnValue = "no";
    question.showModal();
  });
  question?.addEventListener("close", async () => {
    if (question.returnValue !== "yes" || !asked) return;
    const { cancel, tenant, what } = asked;
    try {
      const answer = await fetch(cancel, { method: "DELETE", headers: tenant ? { "x-org-id": tenant } : {} });
      const body = await answer.json().catch(() => ({}));
      tell(answer.ok ? "Cancelled: " + what : "Not cancelled: " + (body.error?.message || answer.status));
    } catch {
      tell("Not cancelled: the daemon does not answer");
    }
  });
}
