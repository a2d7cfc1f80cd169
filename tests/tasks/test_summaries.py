"""What is said when training begins: what is input, what is target, and how much there is of it."""

import re

import pytest

import unrolled as un
from heard import Heard
from unrolled.cells import find_cell
from unrolled.tasks import find_recipe
from unrolled.tasks.configuration import Configuration

SMALL = {"hidden": 4, "embedding": 3, "epochs": 1, "evaluations": 1}


def summary_of(name, source, **options):
    """That of a run that is about to begin."""
    recipe = find_recipe(name)
    configuration = Configuration.from_flat(name, recipe.options, {**SMALL, "sources": [str(source)], **options})
    data = recipe.read(configuration, lambda *_: None)
    configuration = recipe.resolve(configuration, data.codecs)
    return recipe.task(recipe.build(configuration, data.codecs, find_cell("lstm")), data, configuration).summary


@pytest.fixture
def reviews(tmp_path):
    """A table with two columns that nobody asks for, and one that counts its rows."""
    path = tmp_path / "reviews.csv"
    rows = "".join(f"{n},a {'fine' if n % 3 else 'bad'} film,{n % 5},{'good' if n % 3 else 'bad'}\n" for n in range(20))
    path.write_text(f"id,review,stars,mood\n{rows}", encoding="utf-8")
    return path


def test_of_a_table(reviews):
    asked = {"input": "review", "target": "mood"}
    assert summary_of("classify", reviews, held_out=0.0, **asked) == (
        "20 sequences of 60 steps to learn, 0 held out. Input (from 'review'): 5 words with their characters. "
        "Target (from 'mood'): 2 labels: good (13), bad (7). Left out: 'stars'. The first: 'a bad film' → bad."
    )
    held = summary_of("classify", reviews, level="word", **asked)
    assert held.startswith(
        "18 sequences of 54 steps to learn, 2 held out. Of those held out 2 are learnt, too. Input (from 'review'): 5 words. "
        "Target (from 'mood'): 2 labels: "
    )
    first, second = (int(n) for n in re.findall(r"\((\d+)\)", held))
    assert first > second and first + second == 18
    assert "Target (from 'stars'): 5 labels: 0 (4), 1 (4), 2 (4), 3 (4), 4 (4). Left out: 'mood'." in summary_of(
        "classify", reviews, held_out=0.0, input="review"
    )


def test_of_numbers_and_of_objects(tmp_path):
    rows = "".join(f"{s},{t},{t * s},{s % 3},{'odd' if s % 2 else 'even'}\n" for s in range(12) for t in range(4))
    (tmp_path / "long.csv").write_text(f"s,t,a,b,kind\n{rows}", encoding="utf-8")
    assert summary_of("classify", tmp_path / "long.csv", series="s", time="t", target="kind", held_out=0.0) == (
        "12 sequences of 48 steps to learn, 0 held out. Input: 2 numbers a step (a, b). Target (from 'kind'): 2 labels: even (6), odd (6). "
        "The first: [0, 0], [0, 0], [0, 0], [0, 0] → even."
    )
    (tmp_path / "some.jsonl").write_text(
        "".join(f'{{"id": {n}, "text": "ab", "label": ["x", "y"], "by": "Ada"}}\n' for n in range(3)), encoding="utf-8"
    )
    said = summary_of("classify", tmp_path / "some.jsonl", held_out=0.0, level="char", output="multi-label")
    assert said == (
        "3 sequences of 6 steps to learn, 0 held out. Input (from 'text'): 3 characters. Target (from 'label'): 2 labels: x (3), y (3). "
        "Left out: 'by'. The first: 'ab' → x, y."
    )


def test_what_is_left_out_of_a_table_with_an_index_and_of_sensors(tmp_path):
    rows = "".join(f"{n},a {'fine' if n % 3 else 'bad'} film,{'good' if n % 3 else 'bad'},\n" for n in range(20))
    (tmp_path / "index.csv").write_text(f",text,label,\n{rows}", encoding="utf-8")
    assert " Left out: column 0, column 3. The first: 'a bad film' → bad." in summary_of("classify", tmp_path / "index.csv")
    names = [f"x{n}" for n in range(12)]
    rows = "".join(f"{n},{n // 4},{','.join(str(n * k % 7) for k in range(1, 13))},{'ab'[n // 20]}\n" for n in range(40))
    (tmp_path / "sensors.csv").write_text(f",s,{','.join(names)},kind\n{rows}", encoding="utf-8")
    said = summary_of("classify", tmp_path / "sensors.csv", series="s", target="kind", held_out=0.0)
    assert (
        f"Input: 12 numbers a step ({', '.join(names[:10])}, …). Target (from 'kind'): 2 labels: a (5), b (5). Left out: column 0." in said
    )


def test_of_conllu(tmp_path):
    lines = (f"{n}\t{word}\t_\t{tag}\tXX\t_\t_\t_\t_\t_\n" for n, word, tag in ((1, "it", "PRON"), (2, "is", "AUX")))
    (tmp_path / "a.conllu").write_text("".join(lines) + "\n", encoding="utf-8")
    said = summary_of("tag", tmp_path / "a.conllu", held_out=0.0, level="word")
    assert "Input (from 'form'): 3 words. Target (from 'upos'): 2 tags: AUX (1), PRON (1)." in said


def test_of_tags(tmp_path):
    path = tmp_path / "people.conll"
    path.write_text("Dr O\nAda B-per\nFox I-per\n\nAda B-per\nwalks O\n\n" * 4, encoding="utf-8")
    assert summary_of("tag", path, held_out=0.0, level="word") == (
        "8 sequences of 20 steps to learn, 0 held out. Input: 5 words. Target: 3 tags (BIO): B-per (8), O (8), I-per (4). "
        "The first: 'Dr Ada Fox' → O B-per I-per."
    )


def test_of_texts_and_of_event_logs(tmp_path):
    (tmp_path / "text.txt").write_text("The king is dead.\nLong live the king!\n" * 20, encoding="utf-8")
    assert summary_of("lm", tmp_path / "text.txt") == (
        "684 tokens to learn, 76 held out. Input and target: each char of the text, from 20 symbols; "
        "it begins 'The king is dead.\\nLong live the king!\\nTh'."
    )
    said = summary_of("lm", tmp_path / "text.txt", level="word")
    assert re.search(r"each word of the text, from 11 symbols; it begins 'The king is dead.\\nLong live the king!", said)
    log = "".join(f"{n},{c},{a},{'xy'[c % 2]}\n" for c in range(30) for n, a in enumerate(("open it", "close")))
    (tmp_path / "log.csv").write_text(f",case,what,who\n{log}", encoding="utf-8")
    said = summary_of("lm", tmp_path / "log.csv", case="case", activity="what")
    assert said.startswith("81 tokens to learn, 9 held out. Input and target: each event of the text, from 4 symbols; it begins ")
    assert '"open it" close' in said and said.endswith(" Left out: column 0, 'who'.")
    said = summary_of("classify", tmp_path / "log.csv", case="case", activity="what", target="who", held_out=0.0)
    assert "Input (from 'what'): " in said


def test_of_pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("red cat\tchat rouge\n\tseul\nthe dog\tle chien\n", encoding="utf-8")
    assert summary_of("translate", path, held_out=0.0, level="word") == (
        f"3 pairs; 1 with an empty side left out, first {path}, line 2. 2 to learn, of 6 written symbols, 0 sources held out. "
        "Input (from column 0): 6 symbols (word). Target (from column 1): 6 symbols. The first: 'red cat' → 'chat rouge'."
    )


def test_it_is_said_first_and_again_when_a_run_goes_on(reviews, tmp_path):
    heard, again = Heard(), Heard()
    options = {"input": "review", "target": "mood", "characters": 2, "character_hidden": 2}
    un.train_classifier(reviews, out=tmp_path / "run", display=heard, **options, **SMALL)
    un.train_classifier(out=tmp_path / "run", resume=True, epochs=2, display=again)
    summary, network, *_ = heard.said
    assert summary == summary_of("classify", reviews, **options) and again.said[:2] == [summary, network]
    assert re.fullmatch(r"\d+(,\d+)? parameters on \w+(:\d)?, \d+ threads?\. Ctrl-C saves and stops\.", network)
