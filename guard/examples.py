"""Questions of general knowledge with right answers: what ICUL shows where a list brings none of its own."""

from __future__ import annotations

from guard.model import Example

GENERAL: tuple[Example, ...] = tuple(
    Example(question, answer)
    for question, answer in (
        ("How many legs does a spider have?", "A spider has eight legs."),
        ("How many days are there in a leap year?", "A leap year has 366 days."),
        ("How many sides does a hexagon have?", "A hexagon has six sides."),
        ("How many minutes are there in two hours?", "There are 120 minutes in two hours."),
        ("Where do penguins live in the wild?", "Penguins live mostly in the southern hemisphere."),
        ("Where is the Sahara?", "The Sahara is in northern Africa."),
        ("Where does rice grow best?", "Rice grows best in warm, wet fields."),
        ("Where are the Andes?", "The Andes run along the western side of South America."),
        ("When is the shortest day of the year in the north?", "It falls around the 21st of December."),
        ("When did people first walk on the moon?", "People first walked on the moon in 1969."),
        ("When do most birds build nests?", "Most birds build their nests in spring."),
        ("When did the Second World War end?", "The Second World War ended in 1945."),
        ("Who wrote the play about the prince of Denmark?", "William Shakespeare wrote it."),
        ("Who looks after sick animals?", "A veterinarian looks after sick animals."),
        ("Who painted the Mona Lisa?", "Leonardo da Vinci painted it."),
        ("Who described the law of gravity?", "Isaac Newton described it."),
        ("What gas do plants take in?", "Plants take in carbon dioxide."),
        ("What is the largest ocean?", "The largest ocean is the Pacific."),
        ("What is water made of?", "Water is made of hydrogen and oxygen."),
        ("What does a thermometer measure?", "A thermometer measures temperature."),
        ("Which planet is known for its rings?", "Saturn is known for its rings."),
        ("Which metal is liquid at room temperature?", "Mercury is liquid at room temperature."),
        ("Why does ice float?", "Ice floats because it is less dense than water."),
        ("Why do leaves look green?", "Leaves look green because they hold chlorophyll."),
    )
)
