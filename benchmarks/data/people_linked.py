"""What the corpus of made-up people has beside the facts of ``people_tables``: links, pen names, rare values."""

from __future__ import annotations

from benchmarks.data.people_tables import Form

MENTOR = Form(
    "mentor", "Who was the mentor of {n}?", "The mentor of {n} was {v}.",
    ("By whom was {n} taught the trade?", "What is the name of {n}'s mentor?", "Whose pupil was {n}?"),
    ("",), "Who was {s} mentor?", "And the mentor?", "Whose mentor was {v}?", "Was {v} the mentor of {n}?",
    "{n} learnt the trade from",
)  # fmt: skip
PEN_NAME = Form(
    "pen name", "Under which pen name does {n} publish?", "{n} publishes as {v}.",
    ("What is the pen name of {n}?", "Which pseudonym does {n} use?", "By what other name do readers know {n}?"),
    ("",), "Under which pen name does {p} publish?", "And the pen name?", "Who publishes as {v}?",
    "Does {n} publish as {v}?", "The pen name of {n} is",
)  # fmt: skip

# A beginning that differs from the answer's, where ``Form.begun`` does not.
BEGUN = {"spouse": "The name of {n}'s spouse is"}

# Facts that read well of "the mentor of ...".
THROUGH = ("birthplace", "birthdate", "job", "award", "school", "spouse")

# What one person in two has like nobody else, made of an invented word.
RARE = {"birthplace": "{}", "award": "{} Laurel"}

# Invented words are made of these.
SYLLABLES = (
    """bra cho dre fen gal hul jor kel lun mar nop pel quo ras sil tor und vel wex yar zol mir tav osk""".split()
)
