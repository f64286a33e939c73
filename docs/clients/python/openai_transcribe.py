"""Transcribes a file with OpenAI's own client; only base_url differs from OpenAI's service.

usage: openai_transcribe.py BASE_URL FILE [json|text|srt|vtt|words|stream]
"""

import sys

from openai import OpenAI

base_url, path = sys.argv[1:3]
form = sys.argv[3] if len(sys.argv) > 3 else "json"
client = OpenAI(base_url=base_url, api_key="none needed unless the gateway has keys")

with open(path, "rb") as audio:
    if form == "stream":
        for event in client.audio.transcriptions.create(model="whisper-1", file=audio, stream=True):
            if event.type == "transcript.text.delta":
                print(event.delta, end="", flush=True)
        print()
    elif form == "words":
        result = client.audio.transcriptions.create(
            model="whisper-1", file=audio, response_format="verbose_json", timestamp_granularities=["word", "segment"]
        )
        for word in result.words:
            print(f"{word.start:.2f}\t{word.end:.2f}\t{word.word}")
    else:
        result = client.audio.transcriptions.create(model="whisper-1", file=audio, response_format=form)
        print(result.text if form == "json" else result)
