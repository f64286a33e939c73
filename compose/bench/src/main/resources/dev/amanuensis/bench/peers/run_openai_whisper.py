"""Runs openai/whisper, fp32, on our weights. Arguments: JSON settings."""
import json
import sys
from importlib.metadata import version

import torch
from runner import load_audio, load_tensors, openai_name, serve
from whisper.model import ModelDimensions, Whisper

settings = json.loads(sys.argv[1])
torch.set_num_threads(settings["threads"])

tensors = load_tensors(settings["weights"])
n_vocab, n_state = tensors["decoder.embed_tokens.weight"].shape
layers = lambda side: 1 + max(int(n.split(".")[2]) for n in tensors if n.startswith(side + ".layers."))
model = Whisper(ModelDimensions(
    n_mels=tensors["encoder.conv1.weight"].shape[1], n_audio_ctx=1500, n_audio_state=n_state, n_audio_head=n_state // 64,
    n_audio_layer=layers("encoder"), n_vocab=n_vocab, n_text_ctx=448, n_text_state=n_state, n_text_head=n_state // 64,
    n_text_layer=layers("decoder")))
model.load_state_dict({openai_name(k): torch.from_numpy(v.astype("float32")) for k, v in tensors.items()})
model.eval()


def transcribe_all(files):
    results = []
    for file in files:
        r = model.transcribe(load_audio(file), language=settings["language"], fp16=False,
                             temperature=tuple(settings["temperatures"]))
        results.append((r["text"], r["language"]))
    return results


serve(transcribe_all, {
    "versions": f"openai-whisper {version('openai-whisper')}, torch {torch.__version__}",
    "isa": torch.backends.cpu.get_cpu_capability(),
})
