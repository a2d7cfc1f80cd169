"""How often each symbol occurs."""

from collections import Counter

from unrolled.data.counting import count_symbols


def test_rare_words_are_forgotten_when_there_are_too_many() -> None:
    rare = [f"w{i}" for i in range(1000)]
    counts = count_symbols((f"often {word} " for word in rare), "word", most=100)
    assert len(counts) <= 100 and counts["often"] == 1000
    assert set(count_symbols([" ".join(rare)], "word", most=1000)) == set(rare)


def test_characters_are_counted_exactly() -> None:
    texts = ["abba\n", "é漢é", "", "😀a"]
    assert count_symbols(texts, "char") == Counter("".join(texts))
