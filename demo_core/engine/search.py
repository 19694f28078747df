"""Finding items by their titles: as typed (suggestions) and as pasted (a list of titles or ids)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from rapidfuzz import fuzz, process

from demo_core.engine.answers import Item, Parsed, SearchAnswer, Suggestion
from demo_core.engine.questions import check_id
from demo_core.engine.titles import (
    ALTERNATIVE,
    TITLE,
    Name,
    article_first,
    catalogue_items,
    label,
    names_of,
    normalised,
    shown,
    without_alternatives,
)
from demo_core.sequences import Catalogue

LONGEST_QUERY = 200
LONGEST_PASTE = 20_000
MOST_ENTRIES = 200
# rapidfuzz ratio in per cent: a swapped pair of letters in a word of five gives 80, unrelated words stay near 50.
ALIKE = 65.0

_LIST_MARK = re.compile(r"^(?:[-*•]|\d+[.)])\s+")
_ID = re.compile(r"^#?\s*([0-9]{1,12})$")
_QUOTES = "\"“”' "

# How a name matches a query, best first.
_EXACT, _PREFIX, _WORDS, _INSIDE = range(4)


class TitleSearch:
    """Search over one catalogue. Nothing changes after construction, so threads may share it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.noun = catalogue.noun
        self.items = catalogue_items(catalogue)
        self._counts = catalogue.counts
        self._names = [name for item in self.items for name in names_of(item)]
        self._padded = [f" {name.text}" for name in self._names]
        self._undated = [name for name in self._names if not name.dated]
        self._undated_texts = [name.text for name in self._undated]
        by_text: dict[str, list[Name]] = defaultdict(list)
        for name in self._names:
            by_text[name.text].append(name)
        self._by_text = {text: sorted(names, key=self._order) for text, names in by_text.items()}

    def item(self, id: int) -> Item:
        """The item with this id; raises ``InputError`` naming the allowed range."""
        check_id(id, len(self.items), self.noun)
        return self.items[id - 1]

    def suggest(self, query: str, k: int = 8) -> SearchAnswer:
        """At most ``k`` items whose names match: exact first, then prefix, words, inside; popular ones first. Without
        one, those spelt like it.
        """
        if len(query) > LONGEST_QUERY:
            return SearchAnswer(query[:LONGEST_QUERY], (), f"Type at most {LONGEST_QUERY} characters.")
        if not query.strip():
            return SearchAnswer(query, (), None)
        found = self._direct(query)
        suggestions = [Suggestion(self.items[id - 1], False) for id in found]
        suggestions = suggestions or [Suggestion(self.items[id - 1], True) for id in self._alike(query)]
        return SearchAnswer(query, tuple(suggestions[:k]), None if suggestions else self._nothing(query))

    def parse(self, text: str) -> Parsed:
        """Titles or ids, one a line or separated by commas -> items in that order, and a message for every entry that
        was not understood. A number is an id. Titles may hold commas themselves.
        """
        messages = []
        if len(text) > LONGEST_PASTE:
            text = text[:LONGEST_PASTE]
            messages.append(f"Only the first {LONGEST_PASTE} characters were read.")
        entries = [entry for line in text.splitlines() for entry in self._entries(line)]
        if len(entries) > MOST_ENTRIES:
            messages.append(f"Only the first {MOST_ENTRIES} of {len(entries)} entries were read.")
        items = []
        for entry in entries[:MOST_ENTRIES]:
            item, message = self.resolve(entry)
            items += [] if item is None else [item]
            messages += [] if message is None else [message]
        return Parsed(tuple(items), tuple(messages))

    def resolve(self, entry: str) -> tuple[Item | None, str | None]:
        """One title or id -> the item meant, if any, and what there is to say about it.

        A name that several items share means the most popular one, and the message says so.
        """
        number = _ID.match(entry.strip())
        names = self._exact(entry)
        if number:
            return self._numbered(int(number[1]), names if not entry.strip().startswith("#") else [])
        if not names:
            return None, self._unknown(entry)
        item = self.items[names[0].id - 1]
        rivals = {name.id for name in names if name.kind == names[0].kind}
        if len(rivals) > 1:
            rule = "Add the year" if len({self.items[id - 1].year for id in rivals}) > 1 else "Use the id"
            return (
                item,
                f"{len(rivals)} {self.noun}s are called “{shown(entry)}”, read as {label(item)}. {rule} to choose.",
            )
        return item, None

    def _numbered(self, id: int, namesakes: list[Name]) -> tuple[Item | None, str | None]:
        if not 1 <= id <= len(self.items):
            return None, self._no_id(id)
        item = self.items[id - 1]
        others = [name.id for name in namesakes if name.id != id and name.kind == TITLE]
        if others:
            return item, f"{id} is read as an id: {label(item)}. The {self.noun} called {id} has the id {others[0]}."
        return item, None

    def _nothing(self, query: str) -> str:
        number = _ID.match(query.strip())
        if number and not 1 <= int(number[1]) <= len(self.items):
            return self._no_id(int(number[1]))
        return f"No {self.noun} is called “{shown(query)}”, and none is spelt like it."

    def _no_id(self, id: int) -> str:
        return f"No {self.noun} has the id {id}: ids run from 1 to {len(self.items)}."

    def _unknown(self, entry: str) -> str:
        near = self.suggest(entry.strip()[:LONGEST_QUERY], 1).suggestions
        hint = f" Did you mean {label(near[0].item)}?" if near else ""
        return f"No {self.noun} “{shown(entry)}”.{hint}"

    def _entries(self, line: str) -> Iterator[str]:
        """A line is one entry if it is a title, else its comma-separated parts, joined again where that is a title."""
        line = line.strip()
        if not self._exact(line):
            line = _LIST_MARK.sub("", line)
        parts = [part.strip() for part in line.split(",")]
        start = 0
        while start < len(parts):
            # No title has more than a handful of commas; longer joins are not tried.
            ends = range(min(len(parts), start + 8), start, -1)
            end = next((end for end in ends if self._exact(", ".join(parts[start:end]))), start + 1)
            entry = ", ".join(parts[start:end]).strip(_QUOTES)
            if entry:
                yield entry
            start = end

    def _exact(self, text: str) -> list[Name]:
        """The names that are this text, with or without its alternatives in brackets; the likeliest first."""
        text = text.strip(_QUOTES)
        names = self._by_text.get(normalised(article_first(text)))
        return names or self._by_text.get(normalised(article_first(without_alternatives(text))), [])

    def _direct(self, query: str) -> list[int]:
        """Ids of the items that match, best first."""
        wanted = normalised(article_first(query.strip()))
        best: dict[int, tuple[int, int]] = {}
        number = _ID.match(query.strip())
        if number and 1 <= int(number[1]) <= len(self.items):
            best[int(number[1])] = (_EXACT, ALTERNATIVE + 1)
        if wanted and not query.strip().startswith("#"):
            for name, how in self._matches(wanted):
                best[name.id] = min(best.get(name.id, (how, name.kind)), (how, name.kind))
        return sorted(best, key=lambda id: (*best[id], -self._counts[id - 1], id))

    def _matches(self, wanted: str) -> Iterator[tuple[Name, int]]:
        words = [f" {word}" for word in wanted.split()]
        for name, padded in zip(self._names, self._padded, strict=True):
            if name.text.startswith(wanted):
                yield name, _EXACT if name.text == wanted else _PREFIX
            elif all(word in padded for word in words):
                yield name, _WORDS
            elif len(wanted) >= 3 and wanted in name.text:
                yield name, _INSIDE

    def _alike(self, query: str) -> list[int]:
        """Ids of the items with a name, or the beginning of one, spelt like the query; the most alike first."""
        wanted = normalised(article_first(query.strip()))
        if len(wanted) < 3:
            return []
        beginnings = [text[: len(wanted)] for text in self._undated_texts]
        scores: dict[int, float] = {}
        # Half a title counts a little less than a whole one.
        for texts, worth in ((self._undated_texts, 1.0), (beginnings, 0.9)):
            for _, score, at in process.extract(wanted, texts, scorer=fuzz.ratio, score_cutoff=ALIKE / worth, limit=40):
                id = self._undated[at].id
                scores[id] = max(scores.get(id, 0.0), score * worth)
        return sorted(scores, key=lambda id: (-scores[id], -self._counts[id - 1], id))

    def _order(self, name: Name) -> tuple[int, int, int]:
        return name.kind, -self._counts[name.id - 1], name.id
