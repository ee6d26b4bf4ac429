"""Keys that are guessed, and keys where none belongs."""

from __future__ import annotations

import secrets

import httpx

from benchmarks.hostile.case import Attack, hostile, shown

_TRIES = 100


async def _guessed(attack: Attack, **headers: str) -> int:
    """So many keys, each another; how many were looked at."""
    looked = 0
    async with httpx.AsyncClient(base_url=attack.house.service.url, trust_env=False) as client:
        for i in range(_TRIES):
            key = f"chosen-{secrets.token_urlsafe(6)}"  # keys that we make are not to be guessed, and not counted
            own = {name: value.format(i=i) for name, value in headers.items()}
            answer = await client.get("/admin/v1/lists", headers={"Authorization": f"Bearer {key}"} | own)
            attack.note(shown(answer.status_code, answer.headers.get("content-type", ""), answer.content))
            looked += answer.status_code == 401
    return looked


@hostile("odd keys: empty, of 1 MiB, of other schemes, with NUL, in the URL")
async def odd(attack: Attack) -> None:
    """Each is refused, and none is a fault of the server's."""
    key = attack.house.service.key.encode()
    get = b"GET /admin/v1/lists HTTP/1.1\r\nHost: x\r\n"
    for name, line in {
        "none": b"", "empty": b"Authorization: \r\n", "scheme alone": b"Authorization: Bearer\r\n",
        "spaces": b"Authorization: Bearer    \r\n", "basic": b"Authorization: Basic " + key + b"\r\n",
        "long": b"Authorization: Bearer " + b"a" * 60_000 + b"\r\n", "latin": b"Authorization: Bearer \xff\xfe\r\n",
        "prefix": b"Authorization: Bearer " + key[:-1] + b"\r\n", "suffix": b"Authorization: Bearer " + key + b"a\r\n",
        "twice": b"Authorization: Bearer x\r\nAuthorization: Bearer y\r\n",
        "quoted": b'Authorization: Bearer "' + key + b'"\r\n',
    }.items():  # fmt: skip
        got = await attack.send(get + line + b"\r\n", name, patience=3.0)
        if got.startswith("200"):
            attack.wrong.append(f"{name}: let in")
    await attack.send(b"GET /admin/v1/lists?key=" + key + b" HTTP/1.1\r\nHost: x\r\n\r\n", "in the URL", patience=3.0)


@hostile("guessing keys: 100 from one address")
async def guessed(attack: Attack) -> None:
    """After ten, none is looked at for a while; the right key still comes in once that is over."""
    looked = await _guessed(attack)
    if looked > _TRIES // 4:
        attack.wrong.append(f"{looked} of {_TRIES} keys were looked at")


@hostile("guessing keys: 100 from loopback, each said to be forwarded for another address")
async def forwarded(attack: Attack) -> None:
    """The header is not believed: after ten, none is looked at for a while."""
    looked = await _guessed(attack, **{"X-Forwarded-For": "10.1.2.{i}"})
    if looked > _TRIES // 4:
        attack.wrong.append(f"{looked} of {_TRIES} keys were looked at")
