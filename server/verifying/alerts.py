"""Says that a deletion is no longer proved: in the log, and to a webhook where there is one."""

from __future__ import annotations

from typing import Any, Literal

import httpx
import structlog

from guard.verification.signing import Signer

log = structlog.get_logger("letheward.verifying")

Reason = Literal["does_not_hold", "undecided", "failed", "list_changed", "model_changed"]
_TIMEOUT = 10.0  # seconds


class Alerts:
    """``webhook`` gets a signed JSON object, as a record is signed; one that does not answer is only logged."""

    def __init__(
        self, signer: Signer, webhook: str | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._signer = signer
        self._webhook = webhook
        self._transport = transport

    async def tell(self, reason: Reason, list_name: str, verification: str) -> None:
        """Tell of a list, and of the verification that showed it."""
        log.warning("verification_alert", reason=reason, forget_list=list_name, verification=verification)
        if self._webhook is None:
            return
        told: dict[str, Any] = {
            "kind": "letheward alert",
            "reason": reason,
            "list": list_name,
            "verification": verification,
        }
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, transport=self._transport) as client:
                response = await client.post(self._webhook, json=self._signer.sign(told))
                response.raise_for_status()
        except httpx.HTTPError as error:
            log.warning("webhook_failed", kind=type(error).__name__, reason=reason, forget_list=list_name)
