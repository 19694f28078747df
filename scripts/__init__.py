"""Command lines, run as modules: ``python -m scripts.NAME``."""
