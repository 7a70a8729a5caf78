"""Reading hand-worked pages: Markdown, LaTeX, text, HTML, notebooks and answer sheets."""
