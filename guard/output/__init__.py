"""What of an answer may be released."""

from guard.output.guard import AnswerGuard
from guard.output.types import Asked, Held, Hit
from guard.output.watch import Watch

__all__ = ["AnswerGuard", "Asked", "Held", "Hit", "Watch"]
