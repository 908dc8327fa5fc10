// Une formule plus large que l'écran défile, au clavier aussi.
function scrollWideFormulas() {
  for (const formula of document.querySelectorAll("mjx-container")) {
    if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    else formula.removeAttribute("tabindex");
  }
}

window.addEventListener("load", () => {
  if (!window.MathJax?.startup) return; // une page sans formule
  MathJax.startup.promise.then(scrollWideFormulas);
  window.addEventListener("resize", scrollWideFormulas);
});
