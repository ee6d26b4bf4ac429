"""What an operator is told when the proxy is up: where to point a client, and with what key."""

from __future__ import annotations

from collections.abc import Iterable

from guard.model import ForgetList
from server import __version__
from server.keys import admin_key, is_loopback, key_file
from server.settings import Settings, default_cache

_WATCHING = """
  ************************************************************************
  *  NOTHING IS ENFORCED: every request goes to the model as it comes,   *
  *  those about a forget list too. What would be done is only logged.   *
  *  Start without --no-enforce (LETHEWARD_ENFORCE=false) to guard.      *
  ************************************************************************
"""


def banner(settings: Settings, port: int, lists: Iterable[ForgetList]) -> str:
    """The whole text, with an example to try."""
    shown = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    url = f"http://{shown}:{port}"
    named = ", ".join(f"{item.name} ({item.policy})" for item in lists) or "none yet"
    own_cache = f"LETHEWARD_CACHE_DIR={settings.cache_dir} " if settings.cache_dir != default_cache() else ""
    where = settings.upstream_urls
    model = f"as served by {', '.join(where)}" if where else settings.model
    own_keys = " of yours" if settings.client_keys or settings.clients else ""
    doing, warning = ("guards the model", "") if settings.enforce else ("only WATCHES", _WATCHING)
    return f"""
Letheward {__version__} {doing}. Stop it with Ctrl-C.
{warning}
  Point a client at   {url}/v1    (model: {model}, any API key{own_keys})
  Admin key           {_key(settings)}
  Forget lists        {named}

Try, in another terminal:

  {own_cache}.venv/bin/letheward check --url {url} "What is the capital of France?"
"""


def _key(settings: Settings) -> str:
    """The key itself on one's own machine; elsewhere logs go to others, who are told where it is."""
    if settings.admin_key is not None and settings.admin_key.get_secret_value():
        return "as set in LETHEWARD_ADMIN_KEY"
    return admin_key(settings) if is_loopback(settings.host) else f"in {key_file(settings)}"
