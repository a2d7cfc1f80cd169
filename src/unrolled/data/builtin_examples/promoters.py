"""Made-up DNA in which promoters and exons are planted.

The promoters are those of E. coli as textbooks draw them: TTGACA, 15 to 19 bases, TATAAT, 7 bases to where transcription starts.
"""

from collections.abc import Iterator
from random import Random

from unrolled.data.examples import Example

_NUMBER = 500
_BASES = "ACGT"
_UPSTREAM, _DOWNSTREAM = "TTGACA", "TATAAT"
_MUTATED = 0.08
_STOPS = ("TAA", "TAG", "TGA")
_CODONS = [a + b + c for a in _BASES for b in _BASES for c in _BASES if a + b + c not in _STOPS]


def promoters() -> Iterator[Example]:
    """Sequences of about 100 to 250 bases, each base tagged `promoter`, `exon` or `O`.

    Three in four have a promoter, and after it an exon: ATG, codons, a stop codon. The others have one of the two motifs alone, which is
    no promoter, and what looks like an exon and is none. One base of a motif in twelve is drawn anew.
    """
    random = Random(21)
    for number in range(1, _NUMBER + 1):
        parts = list(_gene(random) if random.random() < 0.75 else _decoy(random))
        tokens = "".join(bases for bases, _ in parts)
        tags = tuple(tag for bases, tag in parts for _ in bases)
        yield Example(f"builtin:promoters, {number}", tokens=tuple(tokens), tags=tags, name=f"made{number}")


def _gene(random: Random) -> Iterator[tuple[str, str]]:
    """A promoter and its exon, with bases of no meaning around them."""
    yield _any(random, 20, 60), "O"
    yield _motif(random, _UPSTREAM) + _any(random, 15, 19) + _motif(random, _DOWNSTREAM) + _any(random, 7, 7), "promoter"
    yield _any(random, 5, 12), "O"
    yield _exon(random), "exon"
    yield _any(random, 20, 60), "O"


def _decoy(random: Random) -> Iterator[tuple[str, str]]:
    """Half a promoter, and what would be an exon after a whole one."""
    yield _any(random, 20, 60) + _motif(random, random.choice((_UPSTREAM, _DOWNSTREAM))), "O"
    yield _any(random, 20, 40) + _exon(random) + _any(random, 20, 60), "O"


def _any(random: Random, least: int, most: int) -> str:
    return "".join(random.choices(_BASES, k=random.randint(least, most)))


def _motif(random: Random, motif: str) -> str:
    return "".join(random.choice(_BASES) if random.random() < _MUTATED else base for base in motif)


def _exon(random: Random) -> str:
    return "ATG" + "".join(random.choices(_CODONS, k=random.randint(10, 25))) + random.choice(_STOPS)
