"""Makes the class list and the WordNet graph from timm's class order and NLTK's WordNet 3.0 corpus."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hiercodec.errors import HierarchyError


def nltk_wordnet(data_dir: str | None = None) -> Any:
    """NLTK's WordNet reader, checked to be version 3.0; `data_dir` is an nltk_data folder (else NLTK's own path)."""
    try:
        import nltk
        from nltk.corpus import wordnet
    except ImportError as error:
        raise HierarchyError("this needs NLTK: pip install nltk") from error
    if data_dir is not None and data_dir not in nltk.data.path:
        nltk.data.path.insert(0, data_dir)
    try:
        version = wordnet.get_version()
    except LookupError:
        raise HierarchyError("NLTK finds no WordNet corpus; give its folder with --nltk-data DIR") from None
    if version != "3.0":
        raise HierarchyError(f"the wnids are offsets of WordNet 3.0, NLTK has {version}")
    return wordnet


def imagenet_wnids() -> list[str]:
    """The 1000 wnids in standard order, from timm."""
    try:
        from timm.data import ImageNetInfo
    except ImportError as error:
        raise HierarchyError("this needs timm: pip install timm") from error
    info = ImageNetInfo("imagenet-1k")
    return [info.index_to_label_name(i) for i in range(1000)]


def graph_rows(wordnet: Any, wnids: Sequence[str]) -> list[tuple[str, str, str, tuple[int, ...]]]:
    """Rows (wnid, NLTK's synset name, first lemma, parents) of the classes, then of all their hypernyms by name."""
    start = [_synset(wordnet, wnid) for wnid in wnids]
    seen = set(start)
    front = list(start)
    while front:
        front = [p for s in front for p in _parents(s) if p not in seen and not seen.add(p)]
    synsets = start + sorted(seen - set(start), key=lambda s: s.name())
    index = {s: i for i, s in enumerate(synsets)}
    return [(_wnid(s), s.name(), _lemmas(s)[0], tuple(sorted(index[p] for p in _parents(s)))) for s in synsets]


def class_rows(wordnet: Any, wnids: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Rows (wnid, names); a first name that two classes share gets its hypernym in brackets and stays as a synonym."""
    synsets = [_synset(wordnet, wnid) for wnid in wnids]
    shared = Counter(_lemmas(s)[0].casefold() for s in synsets)
    rows = []
    for wnid, synset in zip(wnids, synsets, strict=True):
        names = _lemmas(synset)
        if shared[names[0].casefold()] > 1:
            names = [f"{names[0]} ({_lemmas(_parents(synset)[0])[0]})", *names]
        rows.append((wnid, names))
    return rows


def classes_json(wordnet: Any, wnids: Sequence[str]) -> str:
    """The text of `assets/taxonomy/classes.json`."""
    return _table("classes", class_rows(wordnet, wnids), wordnet, {})


def graph_json(wordnet: Any, wnids: Sequence[str]) -> str:
    """The text of `assets/taxonomy/wordnet.json`."""
    return _table("nodes", graph_rows(wordnet, wnids), wordnet, {"n_classes": len(wnids)})


def _table(key: str, rows: Sequence[Any], wordnet: Any, extra: dict[str, Any]) -> str:
    head = {"source": f"WordNet {wordnet.get_version()} (Princeton University) by NLTK; class order of timm", **extra}
    body = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "{key}": [\n{body}\n]}}\n'


def _synset(wordnet: Any, wnid: str) -> Any:
    return wordnet.synset_from_pos_and_offset(wnid[0], int(wnid[1:]))


def _parents(synset: Any) -> list[Any]:
    return sorted({*synset.hypernyms(), *synset.instance_hypernyms()}, key=lambda s: s.name())


def _wnid(synset: Any) -> str:
    return f"{synset.pos()}{synset.offset():08d}"


def _lemmas(synset: Any) -> list[str]:
    return [name.replace("_", " ") for name in synset.lemma_names()]
