"""What the readers of a text look things up in, made once for a vocabulary and each part with its first use."""

from functools import cached_property

from anatembed.language.query.completion import Completion
from anatembed.language.query.finding_reader import FindingReader
from anatembed.language.query.foreign_names import ForeignNames
from anatembed.language.query.foreign_words import ForeignWords
from anatembed.language.query.name_decision import NameDecision
from anatembed.language.query.numbered_structures import NumberedStructures
from anatembed.language.query.phrase_index import PhraseIndex
from anatembed.language.query.place_reader import PlaceReader
from anatembed.language.query.place_words import load_place_words
from anatembed.language.query.suggested_names import SuggestedNames
from anatembed.language.query_words import load_query_words
from anatembed.language.vocabulary import Vocabulary
from anatembed.shipped_file import shipped_file

GUARD_PATH = shipped_file("guard_words.txt")


class Knowledge:
    """The tables and the indexes over the names of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.tables = load_query_words()

    @cached_property
    def index(self) -> PhraseIndex:
        guards = frozenset(GUARD_PATH.read_text(encoding="utf-8").split())
        return PhraseIndex(self.vocabulary, self.tables, guards)

    @cached_property
    def numbers(self) -> NumberedStructures:
        return NumberedStructures(self.vocabulary, self.tables, self.index.known, self.index.is_real)

    @cached_property
    def decision(self) -> NameDecision:
        return NameDecision(self.vocabulary, self.index, self.tables)

    @cached_property
    def places(self) -> PlaceReader:
        return PlaceReader(self.vocabulary, self.tables, load_place_words())

    @cached_property
    def findings(self) -> FindingReader:
        return FindingReader(self.vocabulary, self.tables, self.index)

    @cached_property
    def foreign(self) -> ForeignNames:
        return ForeignNames(self.vocabulary, ForeignWords(self.tables, self.index.native))

    @cached_property
    def suggested(self) -> SuggestedNames:
        return SuggestedNames(self.vocabulary, self._load_suggestions, self.decision.could_name)

    @cached_property
    def completion(self) -> Completion:
        return Completion(self.vocabulary)

    def _load_suggestions(self):
        from anatembed.language.query.suggestions import Suggestions  # NumPy and six megabytes, for few texts
        from anatembed.language.text_encoder import TextEncoder

        return Suggestions(self.vocabulary, TextEncoder.load())
