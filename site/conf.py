"""Réglages de Sphinx pour le site ; site/build.py prépare les sources et le lance."""

project = "Les réseaux de neurones en partant de zéro"
author = "les auteurs du cours"
copyright = "les auteurs du cours, licence MIT"
language = "fr"

extensions = ["myst_nb"]
templates_path = ["_templates"]
nb_execution_mode = "off"
nb_code_prompt_show = "Voir la réponse"
nb_code_prompt_hide = "Cacher la réponse"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4

# Tout vient du site lui-même : MathJax 3 en un fichier, où sont aussi ses polices. Sans
# son menu, qui ferait de chaque formule un arrêt de la touche de tabulation.
mathjax_path = "mathjax.js"
mathjax3_config = {"options": {"enableMenu": False}}

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["cours.css"]
html_js_files = ["cours.js"]
html_favicon = "_static/neurone.svg"
html_context = {"default_mode": "auto"}  # clair ou sombre : comme le reste de l'écran
html_use_index = False
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "search_bar_text": "Chercher dans le cours…",
    "navbar_persistent": [],
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "use_download_button": False,
    "toc_title": "Sur cette page",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
