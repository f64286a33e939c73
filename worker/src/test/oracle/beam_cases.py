#!/usr/bin/env python3
"""Writes beam_cases.json: what openai/whisper's BeamSearchDecoder makes of a small invented language model.

All rows of the model hold the same log-probabilities in another order, so that beams often tie.
Usage: beam_cases.py OUTPUT [CASES]
Needs: pip install openai-whisper==20250625
"""
import json
import random
import sys

import torch
from whisper.decoding import BeamSearchDecoder, MaximumLikelihoodRanker

VOCABULARY, EOT = 18, 17
CONTEXT, SAMPLE_LENGTH = 448, 224


class NoCache:
    def rearrange_kv_cache(self, source_indices):
        pass


def model(seed, tied):
    values = [-(i * 0.5) for i in range(VOCABULARY)] if tied else None

    def logits(prefix):
        r = random.Random(f"{seed}:{prefix}")
        row = list(values) if tied else [r.gauss(0, 2) for _ in range(VOCABULARY)]
        r.shuffle(row)
        row[EOT] += 0.25 if prefix else -100  # never empty, as with SuppressBlank
        return row

    return logits


def case(seed):
    r = random.Random(seed)
    beam, patience = r.choice([2, 3, 5]), r.choice([None, None, 1.0, 2.0, 0.5])
    penalty = r.choice([None, None, 0.6, 1.0])
    begin = r.choice([3, 3, 3, 443])
    logits = model(seed, r.random() < 0.6)
    decoder = BeamSearchDecoder(beam, EOT, NoCache(), patience)
    decoder.reset()
    tokens = torch.tensor([[0] * begin] * beam)
    sums = torch.zeros(beam)
    rows, steps = {}, 0
    for _ in range(SAMPLE_LENGTH):
        prefixes = [t.tolist()[begin:] for t in tokens]
        batch = torch.tensor([logits(p) for p in prefixes]).float()
        for prefix, row in zip(prefixes, torch.nn.functional.log_softmax(batch, dim=-1)):
            top = row.topk(beam + 1)
            rows[" ".join(map(str, prefix))] = [top[1].tolist(), top[0].tolist()]
        tokens, completed = decoder.update(tokens, batch, sums)
        steps += 1
        if completed or tokens.shape[-1] > CONTEXT:
            break
    found, scores = decoder.finalize(tokens.reshape(1, beam, -1), sums.reshape(1, beam))
    sliced = [[t[begin:(t == EOT).nonzero()[0, 0]] for t in group] for group in found]
    best = MaximumLikelihoodRanker(penalty).rank(sliced, scores)[0]
    result = sliced[0][best].tolist()
    return {"beam_size": beam, "patience": patience, "length_penalty": penalty, "begin": begin, "rows": rows, "steps": steps,
            "tokens": result, "sum_logprob": scores[0][best], "avg_logprob": scores[0][best] / (len(result) + 1)}


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    with open(sys.argv[1], "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(case(s), separators=(",", ":")) for s in range(count)) + "\n]\n")


if __name__ == "__main__":
    main()
