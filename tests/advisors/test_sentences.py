"""A real model is loaded and asked; a folder that holds none says what to do."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from siems.advisors.sentences import OnnxSentences
from siems.errors import UsageError
from tiny_model import SIZE, tiny_model

DOWN, OFFLINE, FULL = "host unreachable no ping", "node offline no reply", "disk full on volume"


@pytest.mark.parametrize("pooled", [False, True])
def test_texts_that_mean_the_same_are_near(tmp_path: Path, pooled: bool) -> None:
    model = OnnxSentences(tiny_model(tmp_path, pooled=pooled))
    ours, *theirs = model.embed([DOWN, OFFLINE, FULL, "quux"])
    offline, full, nothing = model.nearest([ours], b"".join(theirs))
    assert offline > 0.9
    assert full < 0.5
    assert nothing == 0, "words that it does not know say nothing"
    assert model.nearest([ours, theirs[1]], b"".join(theirs))[:2] == pytest.approx([offline, 1.0])


def test_a_vector_is_the_same_in_whatever_company_its_text_is_read(tmp_path: Path) -> None:
    model = OnnxSentences(tiny_model(tmp_path))
    texts = [DOWN, "cpu", f"{FULL} " * 40, "", "quux"]
    together, alone = model.embed(texts), [model.embed([text])[0] for text in texts]
    assert {len(one) for one in together} == {4 * SIZE}
    for one, other in zip(together[:3], alone[:3], strict=True):
        assert model.nearest([one], other) == pytest.approx([1.0]), "of length 1, and what fills up does not count"
    assert together[3:] == alone[3:]
    assert model.embed([]) == []


def test_another_file_is_another_model(tmp_path: Path) -> None:
    names = [OnnxSentences(tiny_model(tmp_path / "m", seed=seed)).name for seed in (1, 2, 1)]
    assert names[0] == names[2] != names[1]
    assert all(name.startswith("m:") for name in names)


def refused(folder: Path) -> UsageError:
    with pytest.raises(UsageError) as why:
        OnnxSentences(folder)
    assert "siems daemon restart" in why.value.hint
    return why.value


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    assert "is no folder" in refused(tmp_path / "nowhere").message
    assert "has no model.onnx and no tokenizer.json" in refused(tmp_path).message
    tiny_model(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    assert "cannot be used" in refused(tmp_path).message
    (tmp_path / "tokenizer.json").unlink()
    assert refused(tmp_path).message.endswith("has no tokenizer.json")
    tiny_model(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    assert "cannot be used" in refused(tmp_path).message


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    why = refused(tiny_model(tmp_path))
    assert "siems[sentences] is not installed" in why.message
    assert 'pip install "siems[sentences]"' in why.hint


def test_near_is_the_same_from_either_side(tmp_path: Path) -> None:
    model = OnnxSentences(tiny_model(tmp_path))
    found = model.embed([DOWN, OFFLINE, FULL])
    for one, other in pairwise(found):
        assert model.nearest([one], other) == pytest.approx(model.nearest([other], one))
