"""Writes our weights as a CTranslate2 model, float16 as they are. Arguments: weights tokenizer.json directory."""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from ctranslate2.converters import utils
from ctranslate2.specs import WhisperSpec, common_spec
from runner import load_tensors

weights, tokenizer, directory = sys.argv[1:]
tensors = load_tensors(weights)
vocabulary_size, width = tensors["decoder.embed_tokens.weight"].shape
count = lambda side: 1 + max(int(n.split(".")[2]) for n in tensors if n.startswith(side + ".layers."))
spec = WhisperSpec(count("encoder"), width // 64, count("decoder"), width // 64)


def linear(target, name):
    target.weight = tensors[name + ".weight"]
    if name + ".bias" in tensors:
        target.bias = tensors[name + ".bias"]
    return target


def layer_norm(target, name):
    target.gamma, target.beta = tensors[name + ".weight"], tensors[name + ".bias"]


def attention(target, name, crosses):
    q, k, v = (linear(common_spec.LinearSpec(), f"{name}.{p}_proj") for p in "qkv")
    k.bias = np.zeros_like(q.bias)  # Whisper has none
    if crosses:
        utils.fuse_linear(target.linear[0], [q])
        utils.fuse_linear(target.linear[1], [k, v])
    else:
        utils.fuse_linear(target.linear[0], [q, k, v])
    linear(target.linear[-1], name + ".out_proj")


for side, part in (("encoder", spec.encoder), ("decoder", spec.decoder)):
    part.position_encodings.encodings = tensors[side + ".embed_positions.weight"]
    layer_norm(part.layer_norm, side + ".layer_norm")
    for i, layer in enumerate(part.layer):
        name = f"{side}.layers.{i}"
        attention(layer.self_attention, name + ".self_attn", False)
        layer_norm(layer.self_attention.layer_norm, name + ".self_attn_layer_norm")
        if side == "decoder":
            attention(layer.attention, name + ".encoder_attn", True)
            layer_norm(layer.attention.layer_norm, name + ".encoder_attn_layer_norm")
        linear(layer.ffn.linear_0, name + ".fc1")
        linear(layer.ffn.linear_1, name + ".fc2")
        layer_norm(layer.ffn.layer_norm, name + ".final_layer_norm")
linear(spec.encoder.conv1, "encoder.conv1")
linear(spec.encoder.conv2, "encoder.conv2")
spec.decoder.embeddings.weight = tensors["decoder.embed_tokens.weight"]
spec.decoder.projection.weight = tensors["decoder.embed_tokens.weight"]

with open(tokenizer, encoding="utf-8") as f:
    file = json.load(f)
tokens = [None] * vocabulary_size
for token, id in file["model"]["vocab"].items():
    tokens[id] = token
for added in file["added_tokens"]:
    tokens[added["id"]] = added["content"]
first_timestamp = vocabulary_size - 1501
for i in range(1501):
    tokens[first_timestamp + i] = f"<|{i * 0.02:.2f}|>"
assert None not in tokens
spec.register_vocabulary(tokens)
start = tokens.index("<|startoftranscript|>")
spec.config.lang_ids = list(range(start + 1, tokens.index("<|translate|>")))
spec.config.suppress_ids = []
spec.config.suppress_ids_begin = []
spec.config.alignment_heads = [[layer, head] for layer in range(3, 6) for head in range(8)]  # for words only
spec.validate()
spec.optimize(quantization="float16")
out = Path(directory)
out.mkdir(parents=True)
spec.save(directory)
shutil.copyfile(tokenizer, out / "tokenizer.json")
