"""Writes our weights in whisper.cpp's ggml format, f16. Arguments: weights tokenizer.json file."""
import json
import struct
import sys

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from runner import load_tensors, openai_name

weights, tokenizer, out = sys.argv[1:]
tensors = load_tensors(weights)
vocabulary_size, width = tensors["decoder.embed_tokens.weight"].shape
layers = lambda side: 1 + max(int(n.split(".")[2]) for n in tensors if n.startswith(side + ".layers."))
mels = tensors["encoder.conv1.weight"].shape[1]

# GPT-2's mapping of bytes to printable characters, backwards.
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
characters = {b: chr(b) for b in printable}
for b in range(256):
    if b not in characters:
        characters[b] = chr(256 + len(characters) - len(printable))
byte_of = {c: b for b, c in characters.items()}

with open(tokenizer, encoding="utf-8") as f:
    vocabulary = {id: token for token, id in json.load(f)["model"]["vocab"].items()}
words = []
while len(words) in vocabulary and all(c in byte_of for c in vocabulary[len(words)]):
    words.append(bytes(byte_of[c] for c in vocabulary[len(words)]))
words = words[:50257]  # special tokens start here

with open(out, "wb") as f:
    f.write(struct.pack("12i", 0x67676D6C, vocabulary_size, 1500, width, width // 64, layers("encoder"), 448, width,
                        width // 64, layers("decoder"), mels, 1))
    filters = FeatureExtractor(feature_size=mels).mel_filters.astype(np.float32)
    f.write(struct.pack("2i", *filters.shape) + filters.tobytes())
    f.write(struct.pack("i", len(words)))
    for word in words:
        f.write(struct.pack("i", len(word)) + word)
    for source, tensor in tensors.items():
        name = openai_name(source)
        if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
            tensor = tensor.reshape(-1, 1)
        half = tensor.ndim >= 2 and not name.endswith("positional_embedding") and not name.endswith(".bias")
        data = np.ascontiguousarray(tensor.astype(np.float16 if half else np.float32))
        encoded = name.encode()
        f.write(struct.pack("3i", data.ndim, len(encoded), int(half)))
        f.write(struct.pack(f"{data.ndim}i", *reversed(data.shape)) + encoded + data.tobytes())
