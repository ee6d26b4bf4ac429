"""The APIs that clients speak: where the texts are, and how one is told in another."""
