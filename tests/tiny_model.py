"""A sentence model that is tiny but real: an ONNX graph and a tokenizer of words, some of which mean the same."""

from __future__ import annotations

import random
from pathlib import Path

import onnx
from onnx import TensorProto, helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

SIZE = 16
MEANINGS = (
    ("unreachable", "offline", "down", "lost"), ("host", "node", "server", "machine"), ("ping", "reply", "answer"),
    ("disk", "volume", "storage"), ("full", "space", "exhausted"), ("cpu", "processor"), ("busy", "load", "usage"),
)  # fmt: skip
"""Words of one line are given vectors that lie close together."""


def tiny_model(folder: Path, *, seed: int = 7, pooled: bool = False) -> Path:
    """Writes `model.onnx` and `tokenizer.json` there; `pooled`: the graph takes the mean of the words itself."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["[PAD]", "[UNK]", *(word for line in MEANINGS for word in line)]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    onnx.save(_graph(_vectors(words, seed), pooled=pooled), str(folder / "model.onnx"))
    return folder


def _vectors(words: list[str], seed: int) -> list[float]:
    """A direction for each meaning, and a little of its own for each word; what is unknown says nothing."""
    dice = random.Random(seed)
    found = dict.fromkeys(words, [0.0] * SIZE)
    found["[PAD]"] = [9.0] * SIZE  # who counts what only fills up will notice
    for line in MEANINGS:
        meaning = [dice.gauss(0, 1) for _ in range(SIZE)]
        for word in line:
            found[word] = [one + dice.gauss(0, 0.1) for one in meaning]
    return [number for word in words for number in found[word]]


def _graph(vectors: list[float], *, pooled: bool) -> onnx.ModelProto:
    table = helper.make_tensor("table", TensorProto.FLOAT, [len(vectors) // SIZE, SIZE], vectors)
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    shape = ["texts", "words"]
    fed = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, SIZE])
    if pooled:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["flat"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["flat", "two"], ["mask"]),
            helper.make_node("Mul", ["last_hidden_state", "mask"], ["heard"]),
            helper.make_node("ReduceSum", ["heard", "axes"], ["sentence_embedding"], keepdims=0),
        ]
        output = helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["texts", SIZE])
    two = helper.make_tensor("two", TensorProto.INT64, [1], [2])
    graph = helper.make_graph(nodes, "tiny", fed, [output], [table, axes, two] if pooled else [table])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    onnx.checker.check_model(made)
    return made
