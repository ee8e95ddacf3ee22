// Light or dark, as somebody chose in this browser: a plain script in the head of every page, so that
// it is decided before anything is painted.
(() => {
  const MEDIA = { light: "not all", dark: "all" };
  const BARS = { light: ["all", "not all"], dark: ["not all", "all"] };
  const bars = [...document.querySelectorAll("meta[name=theme-color]")];
  const asBrowser = bars.map(({ media }) => media);

  function apply() {
    let choice = null;
    try {
      choice = localStorage.getItem("theme");
    } catch {
      // Without storage nothing was chosen.
    }
    document.getElementById("night").media = MEDIA[choice] ?? "(prefers-color-scheme: dark)";
    document.documentElement.style.colorScheme = choice in MEDIA ? choice : "";
    bars.forEach((bar, index) => (bar.media = (BARS[choice] ?? asBrowser)[index]));
  }

  apply();
  // Chosen in this tab, or in another one.
  addEventListener("theme", apply);
  addEventListener("storage", ({ key }) => (key === "theme" || key === null) && apply());
})();
