"""What the runners of all peers share: the line protocol, the audio, our model's tensors."""
import json
import resource
import struct
import sys
import time
import wave

import numpy as np


def load_audio(path):
    """float32 samples in [-1, 1) of a 16 kHz mono 16-bit WAV file."""
    with wave.open(path, "rb") as f:
        assert (f.getframerate(), f.getnchannels(), f.getsampwidth()) == (16000, 1, 2), path
        return np.frombuffer(f.readframes(f.getnframes()), np.int16).astype(np.float32) / 32768.0


def load_tensors(path):
    """name -> array of a safetensors file with F16 and F32 tensors."""
    with open(path, "rb") as f:
        (size,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        data = f.read()
    types = {"F16": np.float16, "F32": np.float32}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            array = np.frombuffer(data, types[entry["dtype"]], (end - begin) // np.dtype(types[entry["dtype"]]).itemsize, begin)
            tensors[name.removeprefix("model.")] = array.reshape(entry["shape"])
    return tensors


LAYER = [
    ("self_attn.q_proj", "attn.query"), ("self_attn.k_proj", "attn.key"), ("self_attn.v_proj", "attn.value"),
    ("self_attn.out_proj", "attn.out"), ("self_attn_layer_norm", "attn_ln"),
    ("encoder_attn.q_proj", "cross_attn.query"), ("encoder_attn.k_proj", "cross_attn.key"),
    ("encoder_attn.v_proj", "cross_attn.value"), ("encoder_attn.out_proj", "cross_attn.out"),
    ("encoder_attn_layer_norm", "cross_attn_ln"), ("fc1", "mlp.0"), ("fc2", "mlp.2"), ("final_layer_norm", "mlp_ln"),
]


def openai_name(name):
    """Hugging Face's name of a tensor -> openai/whisper's."""
    if name == "decoder.embed_tokens.weight":
        return "decoder.token_embedding.weight"
    if name.endswith("embed_positions.weight"):
        return name.replace("embed_positions.weight", "positional_embedding")
    if ".layers." not in name:
        return name.replace("encoder.layer_norm", "encoder.ln_post").replace("decoder.layer_norm", "decoder.ln")
    side, _, layer, rest = name.split(".", 3)
    for hugging_face, openai in LAYER:
        if rest.startswith(hugging_face + "."):
            return f"{side}.blocks.{layer}.{openai}.{rest[len(hugging_face) + 1:]}"
    raise KeyError(name)


def children_seconds():
    """Processor time of programs that this one has run to their end."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def serve(transcribe_all, about):
    """Answers each line of stdin, a JSON list of files, with a line: seconds and [text, language] per file.

    transcribe_all: list of paths -> list of (text, language), or a pair of that and the seconds it took
    about: dict for the report, sent when the model is loaded
    """
    out = sys.stdout
    sys.stdout = sys.stderr  # libraries that print must not break the protocol
    print(json.dumps({"ready": about}), file=out, flush=True)
    for line in sys.stdin:
        files = json.loads(line)
        started, children = time.perf_counter(), children_seconds()
        results = transcribe_all(files)
        seconds = time.perf_counter() - started
        if isinstance(results, tuple):
            results, seconds = results
        print(json.dumps({
            "seconds": seconds, "child_cpu_seconds": children_seconds() - children,
            "results": [list(r) for r in results]}), file=out, flush=True)
