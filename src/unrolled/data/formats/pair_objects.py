"""Objects with pairs: a source under one key, its targets under others."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unrolled.data.examples import Example
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.object_lines import has_key, keys_of, listed, read_objects, shown, value_of
from unrolled.data.formats.options import group_of, require_apart
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pair_tables import SOURCE_NAMES, TARGET_NAMES
from unrolled.errors import ConfigError, DataError


class PairObjects:
    """JSON Lines: objects with a source, a text, and a target, a text or a list of texts, under the keys of the first object."""

    def read(self, path: Path, options: PairOptions) -> Iterator[Example | DataError]:
        """The pairs. An object without a key of the first one, or with something else there, is bad."""
        keys: tuple[str, ...] = ()

        def pair(placed: tuple[str, dict[str, Any]]) -> Example:
            nonlocal keys
            place, record = placed
            keys = keys or _keys(record, place, options)
            source, *targets = (_value(record, key, place, options.targets_needed or not at) for at, key in enumerate(keys))
            texts = [text for found in targets for text in (found if isinstance(found, list) else [] if found is None else [found])]
            if (
                not isinstance(source, str)
                or not all(isinstance(text, str) for text in texts)
                or (None in targets and options.targets_needed)
            ):
                told = f"{keys[0]!r} must be a text and {', '.join(map(repr, keys[1:]))} a text or a list of texts"
                raise DataError(f"{place}: {told}, got {shown(record)}. Mend the object, or pass other keys as `input` and `target`.")
            group = None if options.group is None else group_of(_value(record, options.group, place, False))
            return Example(place, text=source.strip(), texts=tuple(text.strip() for text in texts), group=group)

        return tried(read_objects(path, options.encoding), pair)

    def learnt(self, path: Path, options: PairOptions) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The keys of source and targets, and those that are left out."""
        for place, record in good(read_objects(path, options.encoding)):
            keys = _keys(record, place, options)
            return keys, tuple(key for key in keys_of(record) if key not in (*keys, options.group))
        return (), ()


def _keys(record: Mapping[str, Any], place: str, options: PairOptions) -> tuple[str, ...]:
    """The keys of source and targets: those asked for, or learnt from, or else usual ones. A target may be missing if none is needed."""
    if options.group and options.group_needed and not has_key(record, options.group):
        raise ConfigError(f"{place}: there is no key {options.group!r}; the keys are {listed(record)}. Pass one of them as `group`.")
    source = options.input or next((key for key in (*options.learnt[:1], *SOURCE_NAMES) if has_key(record, key)), None)
    asked = options.target or (options.learnt[1:] if options.learnt[:1] == (source,) else ())
    targets = asked or tuple(key for key in TARGET_NAMES if key in record and key not in (source, options.group))[:1]
    if source is None or not (targets or not options.targets_needed):
        told = f"which keys have source and target is not clear; the keys are {listed(record)}"
        raise ConfigError(f"{place}: {told}. Pass two of them as `input` and `target`.")
    if options.group_needed:
        require_apart(place, options.group, (source,), targets)
    return source, *targets


def _value(record: Any, key: str, place: str, needed: bool) -> Any:
    """What stands under a key, or under `translation.en` in the object of another one; None if it is not there and not `needed`."""
    if has_key(record, key) or not needed:
        return value_of(record, key)
    told = f"there is no key {key!r}; the keys are {listed(record)}"
    raise DataError(f"{place}: {told}. Add it, take the object out, or pass other keys as `input` and `target`.")
