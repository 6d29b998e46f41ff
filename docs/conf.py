"""Sphinx, as `docs/make.py site` calls it. Nothing here reaches out: no intersphinx, no fonts or scripts of others."""

from perfcalc import __version__

project = "perfcalc"
author = "The perfcalc authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
default_role = "py:obj"  # a name in single backticks is code, and a link where it is documented
myst_heading_anchors = 4  # as forges make them, so that one link serves both
autodoc_typehints_format = "short"
strip_signature_backslash = True  # or the parameter `from_` loses its last letter
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 80
highlight_language = "none"
smartquotes = False  # two hyphens are an option

html_theme = "furo"
html_title = f"perfcalc {__version__}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {"top_of_page_buttons": []}
