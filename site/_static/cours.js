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

// Sur un téléphone, JupyterLab ne laisse rien au carnet ; la page d'un seul carnet, si.
document.addEventListener("DOMContentLoaded", () => {
  if (!matchMedia("(max-width: 700px)").matches) return;
  for (const link of document.querySelectorAll(".boutons a"))
    link.href = link.href.replace("/lite/lab/", "/lite/notebooks/");
});

// Ces étiquettes, dont une en anglais, cachent à un lecteur d'écran le texte visible.
document.addEventListener("DOMContentLoaded", () => {
  const labelled = "summary[aria-label], .search-button-field[aria-label]";
  for (const element of document.querySelectorAll(labelled))
    element.removeAttribute("aria-label");
});
