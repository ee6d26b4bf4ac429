"""Which settings a running server takes over, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from guard.snapshot import SnapshotManager
from server.access.setup import Access, AccessConfig
from server.logs import configure
from server.proxy import PROXY_HOT, Proxy, ProxyConfig
from server.reloading import Hot
from server.settings import Settings


def hot_settings(
    proxy: Proxy,
    manager: SnapshotManager,
    access: Access,
    *,
    proxy_config: Callable[[Settings], ProxyConfig],
    access_config: Callable[[Settings], AccessConfig],
) -> Sequence[Hot]:
    """All of them; the rest needs a restart."""
    return (
        Hot(("log_level",), lambda s: configure(s.log_level)),
        Hot(PROXY_HOT, lambda s: proxy.configure(proxy_config(s))),
        Hot(
            ("client_keys", "clients", "requests_per_minute", "concurrent_requests"),
            lambda s: access.change(access_config(s)),
        ),
        Hot(("false_positive_rate",), lambda s: manager.retune(s.false_positive_rate)),
    )
