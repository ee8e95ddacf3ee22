// The page that is shown when nothing can be reached looks by itself whether something can.

const EVERY = 3000;

async function look() {
  if (document.visibilityState !== "visible") return;
  try {
    const answer = await fetch("/healthz", { cache: "no-store" });
    if (answer.ok) location.reload();
  } catch {
    // Not yet.
  }
}

// Asked for by its own address there is nothing to come back to.
if (location.pathname !== "/offline") {
  addEventListener("online", look);
  document.addEventListener("visibilitychange", look);
  setInterval(look, EVERY + Math.random() * 1000);
}
