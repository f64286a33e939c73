#!/usr/bin/env python3
"""Writes tokenizer_cases.json: encodings, decodings and word splits of openai/whisper's tokenizer.

Usage: tokenizer_cases.py OUTPUT [CASES]
Needs: pip install openai-whisper==20250625
"""
import json
import random
import sys

from whisper.tokenizer import get_tokenizer

ALPHABETS = ["abc defgh ijklmnopqrs tuvwxyz", "ABC'sd'll t've're n't 'm", "0123 456.,:;!?-()[]{}", " \n\t\r\u00a0\u2003\u3000\x1c\x85",
             "\u00e9\u00e8\u00fc\u00f1\u00df e\u0301", "\u65e5\u672c\u8a9e\u3067\u3059\u3002\u300c\u300d", "\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440", "\U0001f600\U0001f468\u200d\U0001f469 \u266a\u266b",
             "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22 \u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u00b2\u00bd\u2160\u0661", "\"'\u201c\u201d\u00bf"]


def text(r):
    return "".join("".join(r.choice(r.choice(ALPHABETS) if r.random() < 0.3 else a) for _ in range(r.randrange(1, 9)))
                   for a in (r.choice(ALPHABETS) for _ in range(r.randrange(1, 8))))


def tokens(r, tokenizer):
    if r.random() < 0.5:
        out = tokenizer.encode(text(r))
        for _ in range(r.randrange(3)):
            if out:
                out.pop(r.randrange(len(out)))  # cuts characters in the middle
    else:
        out = [r.randrange(51865) if r.random() < 0.2 else r.randrange(50257) if r.random() < 0.5 else r.randrange(160, 260)
               for _ in range(r.randrange(1, 12))]
    return out


def split(tokenizer, ids):
    words, pieces = tokenizer.split_to_word_tokens(ids)
    return [[w, p] for w, p in zip(words, pieces)]


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    r = random.Random(7)
    spaces, none = (get_tokenizer(True, num_languages=99, language=l, task="transcribe") for l in ("en", "ja"))
    cases = []
    for _ in range(count):
        t, ids = text(r), tokens(r, spaces)
        words = [i for i in ids if i < spaces.eot] + [spaces.eot]
        cases.append({"text": t, "encoded": spaces.encode(t), "ids": ids, "decoded": spaces.decode(ids),
                      "decoded_with_timestamps": spaces.decode_with_timestamps(ids), "words_of": words,
                      "words": split(spaces, words), "characters": split(none, words)})
    with open(sys.argv[1], "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
