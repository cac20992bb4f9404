"""The docs. Sphinx's source is the root, so that a lesson is rendered from `steps/` itself."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

project = "Modern Continuous Delivery"
author = "Peter Bittner and contributors"
project_copyright = "Peter Bittner and contributors. Text: CC BY 4.0, code: MIT"
release = metadata.version("modern-continuous-delivery")

extensions = [
    "myst_nb",  # Markdown, and notebooks that are executed
    "sphinx_design",  # cards, tabs, dropdowns
    "sphinx_copybutton",
    "sphinx_argparse_cli",  # the command reference, from the parser itself
    "workshop.sphinxext",  # what stands in the stages
]

root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "steps/*/index.md",
    "steps/*/trainer.md",
    "katas/*/*.md",
    "notebooks/index.md",
    "notebooks/0*.ipynb",
]
exclude_patterns = [".*", "build", "dist", "src", "tests", "solutions", "benchmarks"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

nitpicky = True
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
smartquotes_action = "q"  # curly quotes; dashes and dots stay: the talk is quoted to the letter

# A notebook is executed once, and again when it changes. One that fails stops the build.
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parent / "build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 120

# A prompt at the beginning of a line is not part of the command; nor is what was printed.
copybutton_prompt_text = "$ "
copybutton_line_continuation_character = "\\"
copybutton_copy_empty_lines = False

html_theme = "sphinx_rtd_theme"
html_theme_options = {"navigation_depth": 2, "collapse_navigation": False}
html_title = project
html_static_path = ["docs/_static"]
html_css_files = ["workshop.css"]
templates_path = ["docs/_templates"]
html_additional_pages = {"index": "redirect.html"}  # whoever opens the folder finds the home page
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
pygments_style = "xcode"  # every colour has a contrast of 5 or more on white
