"""Names for anchors and files, made from titles."""

import re


class Names:
    """Gives each title a name of letters, digits and dashes that nothing else of this list has."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def of(self, title: str) -> str:
        """Return the name of a title; the same title gets another one the second time."""
        base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].rstrip("-") or "part"
        name, number = base, 2
        while name in self._given:
            name, number = f"{base}-{number}", number + 1
        self._given.add(name)
        return name
