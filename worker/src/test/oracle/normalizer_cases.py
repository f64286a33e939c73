#!/usr/bin/env python3
"""Writes normalizer_cases.json: what openai/whisper's text normalisers make of random text.

The table of British spellings is left out, as in the worker.
Usage: normalizer_cases.py OUTPUT [CASES]
Needs: pip install openai-whisper==20250625
"""
import json
import random
import sys

from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

WORDS = """one two three five eight nine ten twelve nineteen twenty thirty ninety hundred thousand million billion o oh zero first
second third fifth twelfth eighth zeroth ones sixes twenties thirtieth hundreds thousandth millions minus plus pound euros dollars cents
cent per percent and double triple point half a 3 14 2.5 0.36 $20 \u20ac52.4 -7 $0.05 1 100 1,000 b747 10km 32nd 10 th s the of is
Mr. Mrs. Dr. St. Prof. it's he'd she's been gone got can't won't let's don't I'm we're they've you'll ma'am gonna y'all uh um hmm mm
caf\u00e9 na\u00efve \u0153uvre \u0141\u00f3d\u017a stra\u00dfe co-operate (laughs) [noise] <unk> U.S.A. e.g. e-mail 50% $ % . \u00a3 'tis rock'n'roll x\u00b2 \u00bd""".split()


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    r = random.Random(11)
    english, basic = EnglishTextNormalizer(), BasicTextNormalizer()
    bare, letters = BasicTextNormalizer(remove_diacritics=True), BasicTextNormalizer(split_letters=True)
    english.standardize_spellings.mapping = {}
    cases = []
    for _ in range(count):
        text = " ".join(r.choice(WORDS[:48] if r.random() < 0.7 else WORDS) + r.choice(["", "", "", "", ",", ".", "!"]) for _ in range(r.randrange(1, 9)))
        if r.random() < 0.2:
            text = text.title()
        cases.append([text, english(text), basic(text), bare(text), letters(text)])
    with open(sys.argv[1], "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
