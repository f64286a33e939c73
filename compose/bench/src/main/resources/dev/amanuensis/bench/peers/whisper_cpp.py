"""Runs whisper.cpp's whisper-cli on our weights. Arguments: JSON settings.

Every pass is a process that loads the model again; the time that it reports for that is taken off.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from runner import serve

settings = json.loads(sys.argv[1])
load_seconds = 0.0


def transcribe_all(files):
    global load_seconds
    with tempfile.TemporaryDirectory() as directory:
        command = [settings["binary"], "-m", settings["ggml"], "-t", str(settings["threads"]), "-l",
                   settings["language"] or "auto", "-bs", "1", "-bo", "1", "-ng", "-oj"]
        if settings["temperatures"] == [0.0]:
            command.append("-nf")  # no fallback
        for i, file in enumerate(files):
            command += ["-of", f"{directory}/{i}", "-f", file]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        if run.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\n{run.stderr[-2000:]}")
        load = re.search(r"load time\s*=\s*([\d.]+) ms", run.stderr)
        load_seconds = float(load.group(1)) / 1000 if load else 0.0
        results = []
        for i in range(len(files)):
            with open(f"{directory}/{i}.json", encoding="utf-8", errors="replace") as f:
                answer = json.load(f)
            results.append(("".join(s["text"] for s in answer["transcription"]), answer["result"]["language"]))
        return results


def without_loading(files):
    started = time.perf_counter()
    results = transcribe_all(files)
    return results, time.perf_counter() - started - load_seconds


serve(without_loading, {"versions": "whisper.cpp " + os.path.basename(settings["binary"]), "isa": settings["isa"]})
