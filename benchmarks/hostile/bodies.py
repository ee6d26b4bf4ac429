"""Bodies: keys twice, numbers and depth beyond all, other encodings, compressed, and large."""

from __future__ import annotations

import base64
import gzip
import json
import zlib

from benchmarks.faults.scripted import GUARDED
from benchmarks.hostile.case import ASKED, Attack, hostile


def _said(text: str) -> str:
    return '{"role":"user","content":"' + text + '"}'


_SAFE, _BAD = _said("Hello"), _said(GUARDED)


def _body(messages: str, more: str = "") -> bytes:
    return f'{{"model":"m","messages":[{messages}]{more}}}'.encode()


async def _each(attack: Attack, bodies: dict[str, bytes], **headers: str) -> None:
    for name, body in bodies.items():
        await attack.post(body, name, **headers)


@hostile("keys twice")
async def twice(attack: Attack) -> None:
    """Whichever of two the proxy reads, the model server must get the same."""
    await _each(attack, {
        "messages, the second bad": _body(_SAFE, f',"messages":[{_BAD}]'),
        "messages, the first bad": _body(_BAD, f',"messages":[{_SAFE}]'),
        "escaped": _body(_SAFE, f',"mess\\u0061ges":[{_BAD}]'),
        "content, the second bad": _body(_SAFE[:-1] + f',"content":"{GUARDED}"}}'),
        "content, the first bad": _body(_BAD[:-1] + ',"content":"Hello"}'),
        "role and content": _body('{"role":"user","role":"user","content":"","content":"' + GUARDED + '"}'),
        "of another case": _body(_SAFE, f',"Messages":[{_BAD}]'),
        "beside a prompt": _body(_SAFE, f',"prompt":"{GUARDED}"'),
        "beside an input": _body(_SAFE, f',"input":"{GUARDED}"'),
    })  # fmt: skip


@hostile("numbers beyond all")
async def numbers(attack: Attack) -> None:
    """In every field that takes one."""
    huge = ("1e999", "-1e999", "9" * 400, "-" + "9" * 400, "1" + "0" * 5000, "NaN", "Infinity", "-0", "1e-400", "0.1e1")
    for field in ("n", "max_tokens", "max_completion_tokens", "temperature", "top_logprobs", "seed", "stream"):
        for number in huge:
            await attack.post(_body(_BAD, f',"{field}":{number}'), f"{field} {number[:9]}")
            await attack.post(_body(_SAFE, f',"{field}":{number}'), f"{field} {number[:9]}")
    for n in (128, 10**6, 10**18):
        await attack.post(_body(_BAD, f',"n":{n}'), f"n {n}")
    prompts = json.dumps({"model": "m", "prompt": [GUARDED] * 4000, "n": 128}).encode()
    await attack.post(prompts, "4,000 prompts, 128 answers to each", "/v1/completions")


@hostile("depth")
async def depth(attack: Attack) -> None:
    """Lists, objects, JSON in strings in JSON, schemas."""
    for levels in (60, 70, 1000, 100_000):
        await attack.post(_body(_BAD, ',"x":' + "[" * levels + "]" * levels), f"lists {levels}")
        await attack.post(_body(_BAD, ',"x":' + '{"a":' * levels + "1" + "}" * levels), f"objects {levels}")
    nested = GUARDED
    for _ in range(12):
        nested = json.dumps([nested])
    await attack.post(json.dumps({"model": "m", "messages": [{"role": "user", "content": nested}]}).encode(), "strings")
    await attack.post(b"[" * 5_000_000, "an end that never comes")


@hostile("encodings of JSON")
async def encodings(attack: Attack) -> None:
    """UTF-8's mark, UTF-16, comments, escapes, halves of pairs, NUL."""
    text = ASKED.decode()
    escaped = "".join(f"\\u{ord(c):04x}" for c in GUARDED)
    await _each(attack, {
        "a mark of byte order": b"\xef\xbb\xbf" + ASKED,
        "UTF-16": text.encode("utf-16"), "UTF-32": text.encode("utf-32"), "latin-1": ASKED.replace(b"?", b"\xe9"),
        "a comment": b"/* */" + ASKED, "more behind": ASKED + b"{}", "a comma too many": ASKED[:-1] + b",}",
        "escapes": _body(_said(escaped)),
        "half a pair": _body(_said(GUARDED + " \\ud800")),
        "NUL": _body('{"role":"user","content":"Where was Zorvan\\u0000 Pelk born?"}'),
        "NUL as a byte": ASKED.replace(b"Zorvan", b"Zor\0van"),
        "overlong": ASKED.replace(b"Zorvan", b"\xc1\x9aorvan"),
    })  # fmt: skip


@hostile("types of content that are not JSON")
async def types(attack: Attack) -> None:
    """The body is read as what it is, whatever its header says."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "a/b; c=" +
                 "d" * 5000, "application/json; charset=utf-16"):  # fmt: skip
        await attack.post(ASKED, kind[:40], **{"content-type": kind})
    form = b'--x\r\nContent-Disposition: form-data; name="messages"\r\n\r\n' + ASKED + b"\r\n--x--\r\n"
    await attack.post(form, "a form", **{"content-type": "multipart/form-data; boundary=x"})


@hostile("compressed bodies, and bombs")
async def compressed(attack: Attack) -> None:
    """1 GiB of zeros in 1 MiB; nothing is unpacked."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    for name in ("gzip", "deflate", "br", "zstd", "identity, gzip", "GZIP", "x-gzip", "gzip, gzip", ""):
        await attack.post(gzip.compress(ASKED), name, **{"content-encoding": name})
    await attack.post(bomb, "bomb", **{"content-encoding": "gzip"})
    await attack.post(bomb, "bomb, unsaid")
    await attack.post(bomb, "bomb, imported", "/admin/v1/lists/people/import", **{"content-encoding": "gzip"})


@hostile("large bodies")
async def large(attack: Attack) -> None:
    """As many messages, parts, tools and characters as fit, and more."""
    word = "Zorvan "
    await attack.post(_body(",".join([_SAFE] * 5000)), "5,000 messages")
    await attack.post(json.dumps({"model": "m", "messages": [{"role": "user", "content": word * 150_000}]}).encode(),
                      "a megabyte of one name's half")  # fmt: skip
    await attack.post(_body('{"role":"user","content":"' + "a" * (33 << 20) + '"}'), "33 MiB")
    parts = [{"type": "text", "text": c} for c in GUARDED]
    await attack.post(json.dumps({"model": "m", "messages": [{"role": "user", "content": parts}]}).encode(), "letters")
    keys = {f"k{i}": i for i in range(100_000)}
    await attack.post(json.dumps(json.loads(ASKED) | keys).encode(), "100,000 keys")


@hostile("texts made to be slow to read")
async def slow_texts(attack: Attack) -> None:
    """Runs that look like codes, letters apart, nested encodings, marks without end."""
    nested = GUARDED.encode()
    for _ in range(8):
        nested = base64.b64encode(nested)
    texts = {
        "letters apart": " ".join("Zorvan Pelk" * 3000), "one letter": "a" * 200_000, "spaces": " " * 200_000,
        "base64 in base64": nested.decode(), "base64": base64.b64encode(bytes(150_000)).decode(),
        "hex": "5a" * 60_000, "percent": "%5A" * 40_000, "entities": "&#90;" * 30_000, "brackets": "(" * 100_000,
        "marks": "Z" + "\u0301" * 50_000, "format characters": "Zor" + "\u200b" * 100_000 + "van Pelk",
        "one mark at each": "\u0301".join("Zorvan Pelk " * 2000), "digits": "7" * 200_000,
        "leet": "20rv4n p31k " * 5000,
        "mixed": "".join(chr(0x61 + i % 26) + chr(0x430 + i % 32) for i in range(40_000)),
        "newlines": "\n" * 100_000, "dots": "Z.o.r." * 20_000, "rot13": "Mbeina Cryx " * 4000,
    }  # fmt: skip
    for name, text in texts.items():
        await attack.post(json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode(), name)
