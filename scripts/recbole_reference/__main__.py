"""``python -m scripts.recbole_reference``."""

from scripts.recbole_reference import main

main()
