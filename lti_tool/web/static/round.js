// The trainer's pages of a pairing round. Without this script the page of a calculation is loaded anew every few
// seconds, and what a move would cost is on the page of each person.

const working = document.querySelector("[data-run]");

async function look() {
  try {
    const answer = await fetch(working.dataset.run, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    const { going, done, doing } = await answer.json();
    if (!going) {
      location.reload();
      return;
    }
    working.querySelector("progress").value = done;
    working.querySelector("[data-run-doing]").textContent = doing;
  } catch {
    // The connection is away for a moment; the next look tries again.
  }
  setTimeout(look, 1500);
}

if (working) setTimeout(look, 1000);

// A person's ways of being moved open under their line, instead of on a page of their own.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-person]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const line = link.closest("li");
  const open = line.querySelector(".round-inline");
  const isSame = open?.dataset.of === link.href;
  open?.remove();
  line.querySelectorAll("a[data-person]").forEach((each) => each.removeAttribute("aria-expanded"));
  if (isSame) return;
  const part = document.createElement("div");
  part.className = "round-inline";
  part.dataset.of = link.href;
  part.setAttribute("role", "status");
  part.textContent = line.closest("[data-wait]").dataset.wait;
  link.setAttribute("aria-expanded", "true");
  line.append(part);
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    part.replaceChildren(...page.querySelector("[data-moves]").childNodes);
  } catch {
    location.assign(link.href);
  }
});
