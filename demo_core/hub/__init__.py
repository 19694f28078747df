"""The Hugging Face Hub: pushing a folder as one commit, and fetching a bundle at a pinned revision.

The only package that talks to it. Every failure becomes a :class:`HubError` with one sentence that names the
repository. The token is taken from ``HF_TOKEN`` or the login of the machine unless one is given, and is never shown.
"""

from demo_core.hub.access import Hub, HubError
from demo_core.hub.fetch import Fetched, fetch_bundle, in_cache
from demo_core.hub.push import Kind, Pushed, configure_space, push_bundle, push_folder

__all__ = [
    "Fetched",
    "Hub",
    "HubError",
    "Kind",
    "Pushed",
    "configure_space",
    "fetch_bundle",
    "in_cache",
    "push_bundle",
    "push_folder",
]
