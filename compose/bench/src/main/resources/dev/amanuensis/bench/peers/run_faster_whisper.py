"""Runs faster-whisper on our weights. Arguments: JSON settings."""
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import ctranslate2
from faster_whisper import BatchedInferencePipeline, WhisperModel
from runner import load_audio, serve

settings = json.loads(sys.argv[1])
side_by_side = settings["threads"] if settings["mode"] == "parallel" else 1
model = WhisperModel(
    settings["ct2"], device="cpu", compute_type=settings["compute_type"],
    cpu_threads=settings["threads"] // side_by_side, num_workers=side_by_side, local_files_only=True)
batched = BatchedInferencePipeline(model) if settings["mode"] == "batched" else None
common = dict(language=settings["language"], beam_size=1, best_of=1, temperature=settings["temperatures"])


def transcribe(file):
    audio = load_audio(file)
    if batched:
        segments, info = batched.transcribe(audio, batch_size=8, **common)
    else:
        segments, info = model.transcribe(audio, **common)
    return "".join(s.text for s in segments), info.language


def transcribe_all(files):
    if side_by_side == 1:
        return [transcribe(f) for f in files]
    with ThreadPoolExecutor(side_by_side) as pool:
        return list(pool.map(transcribe, files))


serve(transcribe_all, {
    "versions": f"faster-whisper {version('faster-whisper')}, ctranslate2 {version('ctranslate2')}",
    "isa": settings["isa"],
})
