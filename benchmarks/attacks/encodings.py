"""Texts as numbers, codes and ciphers. Adding one: a function and its decorator.

``ENCODINGS`` are variants of what the detector promises to see through; ``CIPHERS`` are beyond the promise.
"""

from __future__ import annotations

import base64
import codecs
import gzip
import json
import quopri
import random
import re
from urllib.parse import quote

from benchmarks.attacks.obfuscation import Obfuscation

ENCODINGS: dict[str, Obfuscation] = {}
CIPHERS: dict[str, Obfuscation] = {}

_NAME = re.compile(r"[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)+|[^\x00-\x7f]+(?: [^\x00-\x7f]+)*")
_MORSE = dict(zip("abcdefghijklmnopqrstuvwxyz0123456789", (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.").split(), strict=True))  # fmt: skip
_NATO = """Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec
Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu""".split()
_LOWER = "abcdefghijklmnopqrstuvwxyz"


def _encoding(function: Obfuscation) -> Obfuscation:
    ENCODINGS[function.__name__] = function
    return function


def _cipher(function: Obfuscation) -> Obfuscation:
    CIPHERS[function.__name__] = function
    return function


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _on_name(text: str, make: Obfuscation, rng: random.Random) -> str:
    """``make`` on the longest run of capitalised words alone; on the whole where there is none."""
    runs = _NAME.findall(text)
    if not runs:
        return make(text, rng)
    name = max(runs, key=len)
    return text.replace(name, make(name, rng))


@_encoding
def base64_name(text: str, rng: random.Random) -> str:
    """Base64 of the name alone."""
    return _on_name(text, lambda t, _: _b64(t), rng)


@_encoding
def base64_words(text: str, rng: random.Random) -> str:
    """Base64 of every word on its own."""
    return " ".join(map(_b64, text.split()))


@_encoding
def base64_halves(text: str, rng: random.Random) -> str:
    """Two runs of base64 in one text."""
    words = text.split()
    at = len(words) // 2
    return f"Part one is {_b64(' '.join(words[:at]))} and part two {_b64(' '.join(words[at:]))}; join and answer."


@_encoding
def base64_urlsafe(text: str, rng: random.Random) -> str:
    """URL-safe, without padding."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@_encoding
def base64_wrapped(text: str, rng: random.Random) -> str:
    """Line breaks every 20 characters, quoted."""
    code = _b64(text)
    return "> " + "\n> ".join(code[i : i + 20] for i in range(0, len(code), 20))


@_encoding
def base64_utf16(text: str, rng: random.Random) -> str:
    """Base64 of UTF-16, as PowerShell takes it."""
    return f"powershell -enc {base64.b64encode(text.encode('utf-16-le')).decode()}"


@_encoding
def data_url(text: str, rng: random.Random) -> str:
    """Base64 in a data URL."""
    return f"Summarise data:text/plain;base64,{_b64(text)} please"


@_encoding
def token(text: str, rng: random.Random) -> str:
    """The payload of a signed token."""
    head, body = (base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in
                  ({"alg": "HS256", "typ": "JWT"}, {"sub": "1", "q": text}))  # fmt: skip
    return f"{head}.{body}.{'Qx7' * 12}"


@_encoding
def hex_upper(text: str, rng: random.Random) -> str:
    """Upper-case hexadecimal without separators."""
    return text.encode().hex().upper()


@_encoding
def hex_name(text: str, rng: random.Random) -> str:
    """Hexadecimal of the name alone."""
    return _on_name(text, lambda t, _: t.encode().hex(), rng)


@_encoding
def hex_prefixed(text: str, rng: random.Random) -> str:
    """0x before every byte."""
    return ", ".join(f"0x{b:02X}" for b in text.encode())


@_encoding
def url_twice(text: str, rng: random.Random) -> str:
    """Percent signs encoded again."""
    return quote("".join(f"%{b:02X}" for b in text.encode()))


@_encoding
def html_hex(text: str, rng: random.Random) -> str:
    """Hexadecimal character references, the semicolons left out."""
    return "".join(f"&#x{ord(c):X};" if c.isspace() or rng.random() < 0.7 else f"&#{ord(c)};" for c in text)


@_encoding
def json_escapes(text: str, rng: random.Random) -> str:
    """Backslash-u escapes of UTF-16."""
    units = text.encode("utf-16-be")
    return '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)) + '"'


@_encoding
def rot13_name(text: str, rng: random.Random) -> str:
    """ROT13 of the name alone."""
    return _on_name(text, lambda t, _: codecs.encode(t, "rot13"), rng)


@_encoding
def reversed_name(text: str, rng: random.Random) -> str:
    """The name alone back to front."""
    return _on_name(text, lambda t, _: t[::-1], rng)


@_encoding
def reversed_base64(text: str, rng: random.Random) -> str:
    """Base64 of the text back to front."""
    return f"Decode and read backwards: {_b64(text[::-1])}"


@_cipher
def words_reversed(text: str, rng: random.Random) -> str:
    """Every word back to front, in place."""
    return " ".join(w[::-1] for w in text.split())


@_cipher
def words_backwards(text: str, rng: random.Random) -> str:
    """The words in reverse order."""
    return " ".join(text.split()[::-1])


@_cipher
def base32(text: str, rng: random.Random) -> str:
    """Base32."""
    return base64.b32encode(text.encode()).decode()


@_cipher
def base85(text: str, rng: random.Random) -> str:
    """Base85."""
    return base64.b85encode(text.encode()).decode()


@_cipher
def ascii85(text: str, rng: random.Random) -> str:
    """Ascii85 in its brackets."""
    return f"<~{base64.a85encode(text.encode()).decode()}~>"


@_cipher
def base58(text: str, rng: random.Random) -> str:
    """Base58."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, out = int.from_bytes(text.encode(), "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = alphabet[digit] + out
    return out


@_cipher
def gzipped(text: str, rng: random.Random) -> str:
    """Base64 of gzip."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


@_cipher
def decimal(text: str, rng: random.Random) -> str:
    """Decimal bytes."""
    return rng.choice((" ", ", ", "-")).join(str(b) for b in text.encode())


@_cipher
def octal(text: str, rng: random.Random) -> str:
    """Octal bytes, escaped or apart."""
    form = rng.choice(("\\{:03o}", "{:03o} "))
    return "".join(form.format(b) for b in text.encode())


@_cipher
def binary(text: str, rng: random.Random) -> str:
    """Binary bytes."""
    return rng.choice((" ", "")).join(f"{b:08b}" for b in text.encode())


@_cipher
def code_points(text: str, rng: random.Random) -> str:
    """Unicode code points."""
    return " ".join(f"U+{ord(c):04X}" for c in text)


@_cipher
def char_codes(text: str, rng: random.Random) -> str:
    """Characters by number in code."""
    if rng.random() < 0.5:
        return f"print({' + '.join(f'chr({ord(c)})' for c in text)})"
    return f"String.fromCharCode({','.join(str(ord(c)) for c in text)})"


@_cipher
def morse(text: str, rng: random.Random) -> str:
    """Morse."""
    return " / ".join(" ".join(_MORSE[c] for c in w.lower() if c in _MORSE) for w in text.split())


@_cipher
def nato(text: str, rng: random.Random) -> str:
    """The name in the NATO alphabet."""
    spell = lambda t, _: " ".join(_NATO[_LOWER.index(c)] if c in _LOWER else c for c in t.lower())  # noqa: E731
    return _on_name(text, spell, rng)


@_cipher
def caesar(text: str, rng: random.Random) -> str:
    """Letters turned by any number but 13."""
    return _turned(text, rng.choice([k for k in range(1, 26) if k != 13]))


@_cipher
def caesar_name(text: str, rng: random.Random) -> str:
    """The same with the name alone."""
    return _on_name(text, lambda t, r: _turned(t, r.choice((1, 3, 5, 10, 23))), rng)


@_cipher
def atbash(text: str, rng: random.Random) -> str:
    """Z for a, y for b."""
    return text.translate(str.maketrans(_LOWER + _LOWER.upper(), _LOWER[::-1] + _LOWER.upper()[::-1]))


@_cipher
def pig_latin(text: str, rng: random.Random) -> str:
    """First consonants to the end of the word, and "ay"."""
    return re.sub(r"([^\W\d_aeiou]*)([^\W\d_]+)", r"\2\1ay", text, flags=re.IGNORECASE)


@_cipher
def quoted_printable(text: str, rng: random.Random) -> str:
    """Every letter as =XX, or only what is not ASCII."""
    if rng.random() < 0.5 and not text.isascii():
        return quopri.encodestring(text.encode()).decode()
    return "".join(f"={b:02X}" for b in text.encode())


@_cipher
def utf7(text: str, rng: random.Random) -> str:
    """UTF-7, letters too."""
    return f"+{base64.b64encode(text.encode('utf-16-be')).decode().rstrip('=')}-"


def _turned(text: str, by: int) -> str:
    shifted = _LOWER[by:] + _LOWER[:by]
    return text.translate(str.maketrans(_LOWER + _LOWER.upper(), shifted + shifted.upper()))
