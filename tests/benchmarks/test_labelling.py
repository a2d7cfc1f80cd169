from pathlib import Path

from labelling import ROWS


def test_names_without_repeats_stay_in_each_of_their_languages(tmp_path):
    data, folder = tmp_path / "data", tmp_path / "split"
    (data / "names").mkdir(parents=True)
    folder.mkdir()
    own = {"Czech": [f"Novak{n}" for n in range(29)], "German": [f"Bauer{n}" for n in range(19)]}
    for language, names in own.items():
        (data / "names" / f"{language}.txt").write_text("".join(f"{name}\n" for name in [*names, "Adam", *names[:7], "Adam"]))
    for row, again in (("names-once", 0), ("names", 8)):
        part = folder / row
        part.mkdir()
        parts = [Path(place) for (place,) in ROWS[row].split(data, part, 3)]
        for language, names in own.items():
            learnt, tested = ((place / f"{language}.txt").read_text().splitlines() for place in parts)
            assert sorted({*learnt, *tested}) == sorted([*names, "Adam"])
            assert len(learnt) + len(tested) == len(names) + 1 + again
            assert len(tested) == -(-(len(names) + 1 + again) // 10)
            assert again or not {*learnt} & {*tested}
