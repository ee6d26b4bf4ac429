"""Whether a piece of text is in a language that the encoder reads, which is English."""

from __future__ import annotations

import re

from classifiers.weights import in_vocabulary

_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    """the of and to is are were who what where when which why how did does with at by it this that you can about his
    her their have has for tell please name born my your""".split()
)
# Words that questions are asked with in other languages of Latin letters, unless they are English too.
_OTHER = frozenset(
    """dónde donde quién quien qué cuándo cuando cómo cuál cual nació es el los las una del con por está se de dedica
    où qui quand comment quel quelle est né née le les des avec une dans
    wo wer wann wie ist der das wurde mit von hat geboren welche welcher
    dove chi che quando quale è il nato nata sono della di
    onde quem qual como nasceu foi com uma
    waar wie wanneer welke geboren gdzie kto kiedy jest nerede kim nedir var vem när född hvor hvem dimana siapa
    ở đâu ai""".split()
)
_FEWEST = 2


def foreign(text: str) -> bool:
    """Whether ``text``, names left out, is in another language than English."""
    words = [w.casefold() for w in _WORD.findall(text)]
    if sum(not w.isascii() and ord(max(w)) > 0x24F for w in words) * 2 > len(words):
        return True
    english, other = sum(w in _ENGLISH for w in words), sum(w in _OTHER for w in words)
    if len(words) < _FEWEST or english > other:
        return False
    if other:
        return True
    return sum(not in_vocabulary(w) for w in words) * 2 > len(words)
