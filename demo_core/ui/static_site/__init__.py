"""A site without a server: the app's own page over answers that were computed before.

It can be opened from a disk and put wherever files are served, for instance as a static Space. No Gradio runs.
"""

from demo_core.ui.static_site.folder import FolderError
from demo_core.ui.static_site.site import PEOPLE, SiteError, write_site

__all__ = ["PEOPLE", "FolderError", "SiteError", "write_site"]
