"""Custom HTML components: Python, script and style side by side."""
