"""Writes manifest.json for the compiled programs in a folder: manifest.py DESIGNS FOLDER [own].

own: each product has an xclbin of its own.
"""
import hashlib
import json
import pathlib
import sys

designs = json.loads(pathlib.Path(sys.argv[1]).read_text())
folder = pathlib.Path(sys.argv[2])
own = sys.argv[3:] == ["own"]


def sha256(name):
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


products = []
for program in designs["programs"]:
    for product in program["products"]:
        name = f'{program["name"]}-{product["m"]}x{product["n"]}'
        instructions = name + ".insts"
        xclbin = (name if own else program["name"]) + ".xclbin"
        products.append({
            "xclbin": xclbin, "xclbin_sha256": sha256(xclbin), "kernel": designs["kernel"],
            "instructions": instructions, "instructions_sha256": sha256(instructions),
            **designs["dtype"], "layout": designs["layout"],
            "m": product["m"], "k": program["k"], "n": product["n"],
            "columns": designs["columns"], "tile": designs["tile"],
        })
manifest = {"format": 1, "toolchain": {key: designs[key] for key in ("mlir_aie", "llvm_aie", "device")},
            "products": products}
(folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
