#!/usr/bin/env python3
"""Writes transcribe_cases.json: what openai/whisper's transcribe() makes of scripted decoder outputs.

The decoder and the alignment are replaced by random scripts, so that the rules around them are all that runs.
Usage: transcribe_cases.py OUTPUT [CASES [SEED]]
       transcribe_cases.py OUTPUT SEED,SEED,...
Needs: pip install openai-whisper==20250625
"""
import importlib
import itertools
import json
import random
import sys
import warnings

import numpy as np
import torch

transcribe_module = importlib.import_module("whisper.transcribe")
timing = importlib.import_module("whisper.timing")
from whisper.decoding import DecodingResult
from whisper.tokenizer import get_tokenizer

TEXTS = [" Hello", " world", " I don't know.", " Mr. O'Neil", " \"Yes,\"", " (he", " said)", " -", " ...", "!", " na\u00efve",
         " 12,000", " \u65e5\u672c\u8a9e", "\u306f", "\u3002", " \u041f\u0440\u0438\u0432\u0435\u0442", " \u00bfQu\u00e9?", " \U0001f600", " and", " so", " my", " fellow", " ", "!", ",", "."]


class Dims:
    n_mels, n_audio_ctx, n_text_ctx = 80, 1500, 448


class Excluded(Exception):
    """Too long, or a window on which the worker departs from the reference on purpose."""


class Scripted:
    """Stands for the model: gives random results and notes what it was asked."""

    device = torch.device("cpu")
    dims = Dims
    is_multilingual = True
    num_languages = 99

    def __init__(self, rng, tokenizer, frames):
        self.rng, self.tokenizer, self.frames = rng, tokenizer, frames
        self.windows, self.last_seek = [], -1

    def text(self):
        r = self.rng
        if r.random() < 0.05:
            return r.choice([[], [220]])
        out = []
        for _ in range(r.choice([1, 2, 3, 6, 10])):
            if r.random() < 0.12:
                out.append(r.randrange(50257))
            else:
                out += self.tokenizer.encode(r.choice(TEXTS))
        return out

    def tokens(self, frames):
        r, zero = self.rng, self.tokenizer.timestamp_begin
        kind = r.choice(["single", "open", "closed", "one", "two", "zero", "none"])
        if kind == "none":
            return self.text() or [11]
        if kind == "one":
            return [zero + r.randrange(50)] + self.text()
        if kind == "zero":
            return [zero] + self.text() + [zero]
        last = max(3, frames // 2 + (5 if r.random() < 0.1 else 0))
        if kind == "two":
            return [zero + r.randrange(2)] + self.text() + [zero + r.randrange(1, last)]
        points = sorted(r.randrange(1, last) for _ in range(r.choice([1, 2, 3, 4])))
        out, start = [], r.choice([0, 0, min(10, points[0])])
        for p in points:
            out += [zero + start] + self.text() + [zero + p]
            start = p
        if kind == "open":
            out += [zero + points[-1]] + self.text()
        elif kind == "closed":
            out += [zero + points[-1]]
        return out

    def decode(self, segment, options):
        r = self.rng
        frames, seek = segment.shape[-1], int(segment[0, 0])
        # The reference decodes a window for ever if its last word ends where it starts, and gives words
        # negative times in a window of one frame.
        if len(self.windows) >= 8 or frames < 2 or seek <= self.last_seek:
            raise Excluded()
        self.last_seek = seek
        tokens = self.tokens(frames)
        result = DecodingResult(audio_features=None, language=options.language, tokens=tokens,
                                text=self.tokenizer.decode(tokens).strip(),
                                avg_logprob=-r.choice([0.1, 0.5, 0.9, 1.0, 1.4]),
                                no_speech_prob=r.choice([0.01, 0.3, 0.6, 0.7, 0.95]),
                                temperature=r.choice([0.0, 0.0, 0.2, 0.6]), compression_ratio=1.25)
        self.windows.append({"frames": frames, "prompt": list(options.prompt), "tokens": tokens,
                             "avg_logprob": result.avg_logprob, "no_speech_prob": result.no_speech_prob,
                             "temperature": result.temperature})
        return result

    def align(self, model, tokenizer, text_tokens, mel, num_frames, **_):
        if not text_tokens:
            return []
        r = self.rng
        pace = r.choice([[0, 1, 2, 3], [0, 0, 1, 3, 8, 12, 20], [8, 12, 20, 60, 120, 180], [5, 6, 7, 8], [6, 6, 6, 200]])
        frames, at = [], r.choice([0, 0, 10, 40, 120, 400])
        for _ in range(len(text_tokens) + 1):
            frames.append(min(at, num_frames // 2))
            at += r.choice(pace)
        odds = r.choice([0.02, 0.5, 0.9])
        probabilities = [float(np.float32(r.random() * (0.2 if r.random() < odds else 1))) for _ in text_tokens]
        self.windows[-1]["align"] = {"text": list(text_tokens), "start_frames": frames, "probabilities": probabilities}
        words, pieces = tokenizer.split_to_word_tokens(text_tokens + [tokenizer.eot])
        out, begin = [], 0
        for word, piece in list(zip(words, pieces))[:-1]:
            end = begin + len(piece)
            out.append(timing.WordTiming(word, piece, np.float64(frames[begin] / 50), np.float64(frames[end] / 50),
                                         np.mean(probabilities[begin:end])))
            begin = end
        return out


def options(rng, content):
    r = rng
    o = {"language": r.choice(["en", "en", "en", "ja", "ru"]), "temperature": (0.0,),
         "word_timestamps": r.random() < 0.6, "condition_on_previous_text": r.random() < 0.7,
         "initial_prompt": r.choice([None, None, "Names: O'Neil, Quiroga.", " many words" * 60, "word " * 230]),
         "carry_initial_prompt": r.random() < 0.4,
         "no_speech_threshold": r.choice([0.6, 0.6, 0.6, None]), "logprob_threshold": r.choice([-1.0, -1.0, None]),
         "clip_timestamps": [0.0]}
    if o["word_timestamps"] and r.random() < 0.5:
        o["hallucination_silence_threshold"] = r.choice([0.1, 0.5, 2.0])
    if r.random() < 0.25:
        o["clip_timestamps"] = sorted({round(r.uniform(0, content), 3) for _ in range(r.choice([1, 2, 3, 4]))})
    return o


def plain(value):
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else (value.item() if hasattr(value, "item") else value)


def case(seed):
    rng = random.Random(seed)
    frames = rng.choice([5, 700, 1500, 2999, 3000, 4100, 5000])
    opts = options(rng, frames / 100)
    tokenizer = get_tokenizer(True, num_languages=99, language=opts["language"], task="transcribe")
    model = Scripted(rng, tokenizer, frames)
    mel = torch.tensor([[float(i) for i in range(frames + 3000)]])  # each frame knows its number
    transcribe_module.log_mel_spectrogram = lambda *_a, **_k: mel
    transcribe_module.pad_or_trim = lambda mel, *_a, **_k: mel
    timing.find_alignment = model.align
    result = transcribe_module.transcribe(model, None, **opts, fp16=False)
    keys = ("id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "no_speech_prob")
    segments = []
    for s in result["segments"]:
        d = {k: plain(s[k]) for k in keys}
        d["words"] = [{k: plain(v) for k, v in w.items()} for w in s.get("words", [])]
        segments.append(d)
    return {"seed": seed, "frames": frames, "options": opts, "windows": model.windows, "text": result["text"], "segments": segments}


def main():
    warnings.simplefilter("ignore")
    output, wanted = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    seeds = [int(s) for s in wanted.split(",")] if "," in wanted else itertools.count(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    count = wanted.count(",") + 1 if "," in wanted else int(wanted)
    cases, skipped = [], 0
    for seed in seeds:
        if len(cases) == count:
            break
        try:
            cases.append(case(seed))
        except Excluded:
            skipped += 1
    with open(output, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in cases) + "\n]\n")
    print(f"{len(cases)} cases, {skipped} excluded")


if __name__ == "__main__":
    main()
