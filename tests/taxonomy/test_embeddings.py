from __future__ import annotations

import io
import sys
import types
import zipfile

import numpy as np
import pytest

from hiercodec.errors import HierarchyError
from hiercodec.taxonomy import embeddings as em


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def test_rows_are_normalised_and_neighbours_exclude_oneself():
    e = em.from_bytes(npy(np.array([[3.0, 4], [4, 3], [0, 2]], np.float16)), n=3)
    assert np.linalg.norm(e.vectors, axis=1) == pytest.approx(1)
    assert e.vectors.dtype == np.float64
    assert e.nearest(1).ravel().tolist() == [1, 0, 0]
    assert e.similarity[0, 1] == pytest.approx(0.96)
    assert e.provenance["dimensions"] == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a .npy file"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'", "not a .npy file"),
        (npy(np.array([object()]), allow_pickle=True), "not a .npy file"),
        (npy(np.ones((3, 2), int)), "floating-point"),
        (npy(np.ones(3)), "floating-point"),
        (npy(np.ones((2, 2))), "2 rows for 3 classes"),
        (npy(np.array([[1.0, 0], [0, 0], [1, 1]])), "row 1 is zero"),
        (npy(np.array([[1.0, 0], [1, 1], [np.nan, 1]])), "row 2 is zero or not finite"),
    ],
)
def test_files_that_are_no_embeddings(data, message):
    with pytest.raises(HierarchyError, match=message):
        em.from_bytes(data, n=3)


def test_an_archive_is_not_an_array():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3))
    assert zipfile.is_zipfile(buffer)
    with pytest.raises(HierarchyError, match="archive"):
        em.from_bytes(buffer.getvalue())


def test_folder_in_the_order_of_the_known_ones(tmp_path, monkeypatch):
    for name in ("zebra", "x_ViT-L-14_y", "clip_a-photo-of-a_1"):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(0).normal(size=(3, 2)))
    found = em.from_folder(tmp_path, n=3)
    assert list(found) == ["clip-b16", "clip-l14", "zebra"]
    assert found["clip-l14"].provenance["pretrained"] == "openai"
    monkeypatch.setenv(em.ENV, str(tmp_path))
    assert list(em.from_folder(n=3)) == list(found)
    monkeypatch.delenv(em.ENV)
    assert em.from_folder() == {}


@pytest.fixture
def fake_clip(monkeypatch, tmp_path):
    """An open_clip whose text vectors are letter counts; `calls` lists what was encoded."""
    torch = pytest.importorskip("torch")
    calls = []

    class Net:
        def eval(self):
            return self

        def to(self, device):
            return self

        def encode_text(self, tokens):
            calls.append(len(tokens))
            return tokens

    def tokenizer(texts):
        return torch.tensor([[1.0 + text.count(c) for c in "abcdefg"] for text in texts])

    def create(model, pretrained):
        if model != "tiny":
            raise RuntimeError("no network\nsecond line")
        return Net()

    tags = {"tiny": ["t"], "huge": ["x", "y"]}
    module = types.SimpleNamespace(
        create_model=create,
        get_tokenizer=lambda model: tokenizer,
        list_pretrained_tags_by_model=lambda model: tags.get(model, []),
    )
    monkeypatch.setitem(sys.modules, "open_clip", module)
    monkeypatch.setenv("HOME", str(tmp_path))  # what was encoded is kept there
    return calls


def test_open_clip_is_asked_once_and_cached_by_text(fake_clip):
    names = [f"thing {i}" for i in range(70)]
    first = em.from_open_clip("tiny", "t", names)
    again = em.from_open_clip("tiny", "t", names)
    assert fake_clip == [64, 6]
    assert np.array_equal(first.vectors, again.vectors)
    assert first.provenance["template"] == "a photo of a {}"
    em.from_open_clip("tiny", "t", names, template="{} badge")
    assert len(fake_clip) == 4


def test_a_model_that_cannot_be_had_is_one_clear_line(fake_clip):
    with pytest.raises(HierarchyError, match=r"no weights for 'huge' / 'x'.*no network.*local \.npy") as caught:
        em.from_open_clip("huge", "x", ["a"])
    assert "\n" not in str(caught.value)
    with pytest.raises(HierarchyError, match="'huge' / 'z': its tags are x, y"):
        em.from_open_clip("huge", "z", ["a"])
    with pytest.raises(HierarchyError, match="no such model"):
        em.from_open_clip("nonsense", "z", ["a"])


def test_without_open_clip_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(HierarchyError, match="pip install open_clip_torch"):
        em.from_open_clip("ViT-B-16", "openai", ["a"])


@pytest.mark.parametrize("template", ["{{}}{:>2000000}", "a {} in {0.__class__}", "{} {", "} {name} {}"])
def test_a_template_is_text_and_never_a_format(fake_clip, monkeypatch, template):
    texts = []
    tokenizer = sys.modules["open_clip"].get_tokenizer("tiny")
    monkeypatch.setattr(
        sys.modules["open_clip"], "get_tokenizer", lambda model: lambda t: texts.extend(t) or tokenizer(t)
    )
    em.from_open_clip("tiny", "t", ["dog", "{}cat{0}"], template=template)
    before, _, after = template.partition("{}")
    assert texts == [f"{before}dog{after}", f"{before}{{}}cat{{0}}{after}"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a photo", "must have one"),
        ("{0}", "must have one"),
        ("{} and {}", "must have one"),
        ("{}" + "x" * 200, "202 characters; at most 200"),
    ],
)
def test_a_template_without_one_place_for_the_name_is_refused(fake_clip, template, message):
    with pytest.raises(HierarchyError, match=message):
        em.from_open_clip("tiny", "t", ["a"], template=template)
    assert not fake_clip
