"""The rows of the attacks' tests."""

from tests.benchmarks.attacks.conftest import ground as ground
from tests.benchmarks.attacks.conftest import ignorant as ignorant
from tests.benchmarks.attacks.conftest import victim as victim
