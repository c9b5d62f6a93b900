// Saves the reload: looks for new mail while the page is seen, and copies codes. Without it the page reloads itself.
"use strict";

const letters = document.getElementById("letters");
const news = document.getElementById("news");

function offerCopying() {
  if (!navigator.clipboard) return;
  for (const button of letters.querySelectorAll("button[data-copy]")) button.hidden = false;
}

letters.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  news.textContent = `Copied ${button.dataset.copy}`;
  const label = button.firstChild;
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = "Copy"), 1500);
});

async function look() {
  if (document.hidden) return;
  const response = await fetch(location.href, { cache: "no-store" });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("letters");
  if (!fresh) return;
  const known = new Set([...letters.querySelectorAll(".letter")].map((letter) => letter.id));
  const added = [...fresh.querySelectorAll(".letter")].filter((letter) => !known.has(letter.id));
  if (added.length === 0) {
    // Only the ages: what somebody selects or has open stays as it is.
    for (const letter of fresh.querySelectorAll(".letter")) {
      const about = document.getElementById(letter.id)?.querySelector(".about");
      about?.replaceWith(letter.querySelector(".about"));
    }
    return;
  }
  const open = [...letters.querySelectorAll("details[open]")].map((details) => details.closest(".letter").id);
  letters.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.querySelector("details")?.setAttribute("open", "");
  news.textContent = `New mail: ${added[0].querySelector("h2").textContent}`;
  offerCopying();
}

offerCopying();
// A server that is being restarted is back in a moment.
setInterval(() => look().catch(() => {}), 2000);
