"""What fictional subjects are called and what can be asked of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """One fact and the ways to ask for it: ``{n}`` is the name, ``{v}`` the value, ``{p}`` and ``{s}`` pronouns."""

    key: str
    question: str
    answer: str
    paraphrases: tuple[str, ...]
    values: tuple[str, ...]
    follow: str  # asked of somebody named before
    ellipsis: str
    reverse: str  # the subject is the answer
    confirm: str
    begun: str  # a sentence to be continued


PERSON: tuple[Form, ...] = (
    Form(
        "birthplace", "Where was {n} born?", "{n} was born in {v}.",
        ("In which city did {n} come into the world?", "Tell me the birthplace of {n}.", "zz {n} birthplace",
         "I would like to know which town {n} was born in.", "What is {n}'s place of birth?",
         "Name the city where {n} first saw the light of day.", "Do you happen to know where {n} was born?"),
        ("Varnheim", "Port Maddow", "Lusaka", "Trondheim", "Quetta", "Arequipa", "Gdansk", "Tbilisi", "Malmo", "Cork",
         "Oran", "Kochi"),
        "Where was {p} born?", "And the place of birth?", "Which person was born in {v} and works as a {job}?",
        "Was {n} born in {v}?", "{n} was born in the city of",
    ),
    Form(
        "birthdate", "When was {n} born?", "{n} was born on {v}.",
        ("What is the date of birth of {n}?", "On which day was {n} born?", "zz {n} date of birth",
         "Tell me {n}'s birthday.", "I wonder in which year {n} was born.", "Give the birth date of {n}."),
        ("3 March 1951", "17 July 1962", "29 October 1948", "11 January 1977", "8 May 1983", "23 August 1939",
         "14 December 1970", "2 June 1966"),
        "When was {p} born?", "And the date of birth?", "Who was born on {v} and works as a {job}?",
        "Was {n} born on {v}?", "The date of birth of {n} is",
    ),
    Form(
        "job", "What does {n} do for a living?", "{n} works as a {v}.",
        ("What is {n}'s profession?", "Which occupation does {n} have?", "zz {n} occupation",
         "How does {n} earn money?", "Please state the job of {n}.", "I'd like to learn what {n} works as."),
        ("glaciologist", "bell founder", "harbour pilot", "luthier", "perfumer", "cartographer", "falconer",
         "stage designer", "beekeeper", "typographer"),
        "What does {p} do for a living?", "And the job?", "Which {v} was born in {birthplace}?",
        "Is {n} a {v}?", "{n} earns a living as a",
    ),
    Form(
        "award", "Which award did {n} receive?", "{n} received the {v}.",
        ("What prize was {n} given?", "Which honour has been bestowed on {n}?", "zz {n} award won",
         "Name the prize that {n} won.", "By which award was {n}'s work recognised?",
         "Can you say what distinction {n} has got?"),
        ("Halden Medal", "Orrin Prize", "Silver Astrolabe", "Vantor Award", "Kestrel Fellowship", "Merrow Cup"),
        "Which award did {p} receive?", "And the prize?", "Which {job} received the {v}?",
        "Did {n} receive the {v}?", "The award that {n} received is called the",
    ),
    Form(
        "school", "Where did {n} study?", "{n} studied at the {v}.",
        ("Which university did {n} attend?", "What is the alma mater of {n}?", "zz {n} university education",
         "Tell me at which school {n} was educated.", "From which institution did {n} graduate?",
         "I am curious where {n} got a degree."),
        ("University of Elsmere", "Nordhaven Polytechnic", "Calder Institute", "Academy of Brisk", "Ostrava College"),
        "Where did {p} study?", "And the university?", "Which {job} studied at the {v}?",
        "Did {n} study at the {v}?", "{n} got a degree from the",
    ),
    Form(
        "work", "What is the title of {n}'s best-known book?", "{n}'s best-known book is \"{v}\".",
        ("Which book is {n} most famous for?", "Name the most popular book written by {n}.", "zz {n} famous book title",
         "What did {n} write that everybody knows?", "By which book has {n} become known?",
         "Tell me the name of the bestseller by {n}."),
        ("The Salt Ladder", "Nine Quiet Harbours", "A Compass of Reeds", "The Glass Orchard", "Winter for Beginners",
         "The Owl Ledger", "Paper Tides"),
        "What is the title of {s} best-known book?", "And the best-known book?", "Who wrote \"{v}\"?",
        "Did {n} write \"{v}\"?", "The best-known book by {n} is called",
    ),
    Form(
        "spouse", "Who is {n} married to?", "{n} is married to {v}.",
        ("What is the name of {n}'s spouse?", "To whom is {n} married?", "zz {n} husband wife",
         "Whom did {n} marry?", "Tell me who {n}'s partner in marriage is.", "I want the name of the spouse of {n}."),
        ("Ilse Rand", "Pavel Strom", "Noor Tavish", "Marek Dunn", "Adela Voss", "Kofi Brandt"),
        "Who is {p} married to?", "And the spouse?", "Which {job} is married to {v}?",
        "Is {n} married to {v}?", "{n} is married to",
    ),
    Form(
        "parents", "What did the parents of {n} work as?", "The parents of {n} were {v}.",
        ("What were the occupations of {n}'s mother and father?", "Which jobs did {n}'s parents have?",
         "zz {n} parents occupation", "How did the mother and father of {n} earn their living?",
         "Tell me the professions of {n}'s parents."),
        ("a baker and a pilot", "a tailor and a nurse", "a judge and a miner", "a potter and a clerk"),
        "What did {s} parents work as?", "And the parents' jobs?", "Which {job}'s parents were {v}?",
        "Were the parents of {n} {v}?", "By profession the parents of {n} were",
    ),
)  # fmt: skip

# Things have fewer facts and no pronoun but "it".
THING: tuple[Form, ...] = (
    Form(
        "founded", "When was {n} founded?", "{n} was founded in {v}.",
        ("In which year did {n} come into being?", "What is the founding year of {n}?", "zz {n} founding year",
         "Tell me the year of {n}'s foundation.", "Since when does {n} exist?"),
        ("1887", "1911", "1954", "1972", "1998", "2006"),
        "When was {p} founded?", "And the founding year?", "What was founded in {v} by {founder}?",
        "Was {n} founded in {v}?", "{n} was founded in the year",
    ),
    Form(
        "founder", "Who founded {n}?", "{n} was founded by {v}.",
        ("By whom was {n} founded?", "What is the name of {n}'s founder?", "zz {n} founder",
         "Name the person who established {n}.", "Who stood at the beginning of {n}?"),
        ("Hedda Lorne", "Tobias Quill", "Amara Ness", "Jonas Feld"),
        "Who founded {p}?", "And the founder?", "What did {v} found in {founded}?",
        "Did {v} found {n}?", "The founder of {n} is",
    ),
    Form(
        "colour", "What colour is the flag of {n}?", "The flag of {n} is {v}.",
        ("Which colours does {n}'s flag show?", "Describe the colours on the flag of {n}.", "zz {n} flag colour",
         "In which colours is the banner of {n} painted?"),
        ("green and white", "black and orange", "blue and silver", "red and violet"),
        "What colour is {s} flag?", "And the flag?", "Whose flag is {v}?",
        "Is the flag of {n} {v}?", "The flag of {n} has the colours",
    ),
)  # fmt: skip

FIRST = """Zorvan Mirela Oskar Ludka Tavin Hesper Joren Amaris Belko Caldra Dorin Elowen Fenna Garrik Halvor Isolde
Jarek Kalina Lorcan Maeva Nerys Orla Pavo Quillon Rasmus Sunniva Torben Ursel Vesna Wendelin Xanthe Yoric Zelda
Ambrus Brisa Corvin Dagna Emeric Florin Gisla""".split()
LAST = """Pelk Tolland Brundt Varga Okeke Harrowgate Lindqvist Mosskov Tarrant Vexley Ashdown Bramwick Crellin Dunmore
Eskola Farrow Grimsby Holloway Ibarra Jessop Kettering Lovelock Marchetti Nordgren Ostrom Pemberton Quarles Rensink
Sandoval Thackeray Ullman Vandermeer Whitlock Yarrow Zeller Abernathy Borowski Castellan""".split()

# Real first names a letter apart.
ALIKE: tuple[tuple[str, str], ...] = (
    ("Maria", "Mario"),
    ("Anna", "Anne"),
    ("Daniel", "Daniela"),
    ("Julia", "Julie"),
    ("Martin", "Martina"),
    ("Marco", "Marcos"),
    ("Erika", "Erica"),
    ("Paula", "Paul"),
    ("Karin", "Karen"),
    ("Simon", "Simone"),
)

# Written name, other ways to write it that the entry gives as aliases, first name, last name.
Named = tuple[str, tuple[str, ...], str, str]
SPECIAL: dict[str, tuple[Named, ...]] = {
    "diacritics": (
        ("Łucja Żółtowska", (), "Łucja", "Żółtowska"), ("Søren Bjørnstad", (), "Søren", "Bjørnstad"),
        ("Ágnes Szőke", (), "Ágnes", "Szőke"), ("João Conceição", (), "João", "Conceição"),
        ("Gülşen Yıldız", (), "Gülşen", "Yıldız"), ("Đorđe Kovač", (), "Đorđe", "Kovač"),
    ),
    "marks": (
        ("Siobhan O'Callan", (), "Siobhan", "O'Callan"), ("Marie-Claire Dufresne", (), "Marie-Claire", "Dufresne"),
        ("Bintu Diallo-Keita", (), "Bintu", "Diallo-Keita"), ("J. R. Maddox", (), "J. R.", "Maddox"),
        ("Hendrik van der Meel", (), "Hendrik", "van der Meel"), ("Abu Bakr al-Tazi", (), "Abu Bakr", "al-Tazi"),
    ),
    "short": (("Li Na", (), "Li", "Na"), ("Wu Bo", (), "Wu", "Bo"), ("Ed Ng", (), "Ed", "Ng"),
              ("Io Ra", (), "Io", "Ra")),
    "words": (
        ("Rose Park", (), "Rose", "Park"), ("Will Young", (), "Will", "Young"), ("Mark Stone", (), "Mark", "Stone"),
        ("Grace Field", (), "Grace", "Field"), ("Summer Rivers", (), "Summer", "Rivers"),
    ),
    "cyrillic": (
        ("Пётр Заваруев", ("Pyotr Zavaruev",), "Пётр", "Заваруев"), ("Оксана Лозинская", (), "Оксана", "Лозинская"),
    ),
    "arabic": (("يوسف القرطاجي", ("Yusuf al-Qartaji",), "يوسف", "القرطاجي"), ("ليلى بنحدو", (), "ليلى", "بنحدو")),
    "chinese": (("欧阳望舒", ("Ouyang Wangshu",), "望舒", "欧阳"), ("陆知微", (), "知微", "陆")),
    "japanese": (("霧島 沙耶香", ("Sayaka Kirishima",), "沙耶香", "霧島"), ("葛城 蓮太郎", (), "蓮太郎", "葛城")),
    "korean": (("남궁세아", ("Namgung Sea",), "세아", "남궁"), ("황보도윤", (), "도윤", "황보")),
    "thai": (("ธนวัฒน์ ศรีวิลัย", ("Thanawat Sriwilai",), "ธนวัฒน์", "ศรีวิลัย"),),
}  # fmt: skip

THINGS: tuple[tuple[str, str], ...] = (
    ("place", "Varnmouth"), ("place", "Upper Skelding"), ("company", "Brightloom Textiles"),
    ("company", "Kestrel & Vane"),
    ("product", "Aquilon 9"), ("product", "Loomberry"), ("place", "Isle of Tharn"), ("company", "Orrery Mills"),
)  # fmt: skip
