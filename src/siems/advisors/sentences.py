"""A sentence model in a folder of this machine: `model.onnx` and `tokenizer.json`, run by onnxruntime.

Nothing is ever downloaded. What it takes to run one is the extra `siems[sentences]`, imported only when a model is
opened: that takes about a quarter of a second and, with a small model, a hundred megabytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from siems.errors import UsageError

FILES = ("model.onnx", "tokenizer.json")
LONGEST = 128
"""So many tokens of a text are read; models of sentences are trained on hardly more."""
_FED = ("input_ids", "attention_mask", "token_type_ids")
_EXTRA = 'pip install "siems[sentences]" (beside siems), then: siems daemon restart'
_FOLDER = "name a folder with model.onnx and tokenizer.json in advice.sentence_model, then: siems daemon restart"


class OnnxSentences:
    """One model that is open. It may be asked on any thread; two that ask at once are answered in turn."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError saying what is missing or wrong, and what to do."""
        missing = [name for name in FILES if not (folder / name).is_file()]
        if not folder.is_dir():
            raise UsageError(f"advice.sentence_model names {folder}, which is no folder", hint=_FOLDER)
        if missing:
            raise UsageError(f"{folder} has no {' and no '.join(missing)}", hint=_FOLDER)
        try:
            import numpy
            import onnxruntime
            import tokenizers
        except ImportError as why:
            raise UsageError(f"the extra siems[sentences] is not installed ({why})", hint=_EXTRA) from why
        self._numpy, self._lock = numpy, Lock()
        try:
            self._tokens = tokenizers.Tokenizer.from_file(str(folder / FILES[1]))
            self._tokens.enable_truncation(LONGEST)
            self._tokens.enable_padding()
            self._session = onnxruntime.InferenceSession(
                str(folder / FILES[0]), sess_options=_frugal(onnxruntime), providers=["CPUExecutionProvider"]
            )
            self._takes = tuple(one.name for one in self._session.get_inputs())
            self._output, self._pooled = self._chosen()
            self.size = self._asked(["disk full"]).shape[1]
        except UsageError:
            raise
        except Exception as why:  # both libraries raise errors of their own, of no common kind
            raise UsageError(f"the sentence model in {folder} cannot be used: {_brief(why)}", hint=_FOLDER) from why
        self.name = f"{folder.name[:40]}:{_digest(folder)}"

    def _chosen(self) -> tuple[str, bool]:
        """(the output that is read, whether it is one vector for the whole text already)."""
        if strange := set(self._takes) - set(_FED):
            raise UsageError(f"the model asks for {', '.join(sorted(strange))}, which no text has", hint=_FOLDER)
        outputs = self._session.get_outputs()
        for rank in (2, 3):
            for one in outputs:
                if len(one.shape) == rank and str(one.type) == "tensor(float)":
                    return one.name, rank == 2
        raise UsageError("the model gives no vectors: it is none of sentences", hint=_FOLDER)

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """A vector for each text, of length 1, as bytes (float32, least significant byte first)."""
        return [row.astype("<f4").tobytes() for row in self._asked(texts)] if texts else []

    def nearest(self, ours: Sequence[bytes], block: bytes) -> list[float]:
        """For each vector in a block (one after the other), how near the nearest of ours is: -1 to 1."""
        np = self._numpy
        known = np.frombuffer(block, dtype="<f4").reshape(-1, self.size)
        mine = np.frombuffer(b"".join(ours), dtype="<f4").reshape(-1, self.size)
        found: list[float] = (known @ mine.T).max(axis=1).tolist()
        return found

    def _asked(self, texts: Sequence[str]) -> Any:
        np = self._numpy
        with self._lock:
            read = self._tokens.encode_batch(list(texts))
            mask = np.array([one.attention_mask for one in read], dtype=np.int64)
            fed = {
                "input_ids": np.array([one.ids for one in read], dtype=np.int64), "attention_mask": mask,
                "token_type_ids": np.array([one.type_ids for one in read], dtype=np.int64),
            }  # fmt: skip
            [found] = self._session.run([self._output], {name: fed[name] for name in self._takes})
        if not self._pooled:  # the mean of its words, without what only fills up
            weights = mask[:, :, None].astype(found.dtype)
            found = (found * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)
        if not np.isfinite(found).all():
            raise UsageError("the model gives no numbers", hint=_FOLDER)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _frugal(onnxruntime: Any) -> Any:
    """One thread, and no memory kept for later: alerts and people come first on this machine."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return options


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as file:
            while part := file.read(1 << 20):
                found.update(part)
    return found.hexdigest()[:16]


def _brief(why: Exception) -> str:
    return " ".join(str(why).split())[:200] or type(why).__name__
